import { centresToCorners, decodeCentres } from '../../boxes/coder-graph.js';
import {
  add,
  clip,
  concat,
  constant,
  greater,
  greaterOrEqual,
  mul,
  nonMaxSuppression,
  sigmoid,
  slice,
  softmax,
  split,
  topK,
  transpose,
  unsqueeze,
  type Value,
  where,
} from '../../graph/index.js';
import { type Detections, gatherDetections } from '../detections.js';
import { defaultAnchors } from './anchors.js';
import type { RefineDetOutputs } from './network.js';
import type { PostprocessRecipe, RefineDetRecipe } from './recipe.js';

/** Boxes [batch, anchors, 4] (normalised corners) and scores [batch, classes, anchors] before any choice but the gate. */
export function decodeRefineDet(
  recipe: RefineDetRecipe,
  outputs: Omit<RefineDetOutputs, 'taps'>,
): { boxes: Value; scores: Value } {
  const { activation, arm, clip: cut } = recipe.postprocess;
  const { centres, count } = defaultAnchors(recipe.anchors);
  const anchors = constant('float32', [1, count, 4], centres);
  const references = arm ? decodeCentres(outputs.armLoc, anchors, recipe.coder) : anchors;
  const boxes = centresToCorners(decodeCentres(outputs.odmLoc, references, recipe.coder));
  const all = activation === 'softmax' ? softmax(outputs.odmConf) : sigmoid(outputs.odmConf);
  const objects = transpose(slice(all, [1], [recipe.classes + 1], [2]), [0, 2, 1]);
  const scores = arm ? where(gate(outputs.armConf, activation, arm.objectness), objects, 0) : objects;
  return { boxes: cut ? clip(boxes, 0, 1) : boxes, scores };
}

/** bool [batch, 1, anchors] */
function gate(armConf: Value, activation: PostprocessRecipe['activation'], objectness: number): Value {
  const scores = activation === 'softmax' ? softmax(armConf) : sigmoid(armConf);
  return transpose(greater(slice(scores, [1], [2], [2]), objectness), [0, 2, 1]);
}

/**
 * Detections from raw outputs: decoding, scaling to the source pictures, suppression, limits.
 *
 * @param sizes float32 [batch, 2]: height and width of each source picture
 */
export function detectRefineDet(
  recipe: RefineDetRecipe,
  outputs: Omit<RefineDetOutputs, 'taps'>,
  sizes: Value,
): Detections {
  const { score, candidates, nms, plusOne, maxPerClass, keep } = recipe.postprocess;
  const { boxes, scores } = decodeRefineDet(recipe, outputs);
  const [height, width] = split(unsqueeze(sizes, 1), [1, 1], 2);
  const pixels = mul(boxes, concat([width, height, width, height], 2));
  const candidateScores = candidates === undefined ? scores : bestOfClass(scores, candidates);
  // x2 + 1 and y2 + 1 turn the +1 convention's areas and intersections into plain ones.
  const corners = plusOne ? add(pixels, constant('float32', [1, 1, 4], Float32Array.of(0, 0, 1, 1))) : pixels;
  const selected = nonMaxSuppression(corners, candidateScores, {
    iouThreshold: nms,
    scoreThreshold: score,
    maxPerClass,
  });
  return gatherDetections(pixels, scores, selected, keep);
}

/** Scores below the class's k-th best become 0, which no threshold lets pass. */
function bestOfClass(scores: Value, k: number): Value {
  const anchors = scores.shape[2] as number;
  if (anchors <= k) return scores;
  const last = slice(topK(scores, k, 2).values, [k - 1], [k], [2]);
  return where(greaterOrEqual(scores, last), scores, 0);
}
