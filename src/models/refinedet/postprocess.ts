import { centresToCorners, decodeCentres } from '../../boxes/coder-graph.js';
import {
  add,
  cast,
  clip,
  compress,
  concat,
  constant,
  cumSum,
  equal,
  expandLike,
  gather,
  gatherNd,
  greater,
  greaterOrEqual,
  lessOrEqual,
  mul,
  nonMaxSuppression,
  reduceSum,
  reshape,
  shapeOf,
  sigmoid,
  slice,
  softmax,
  split,
  squeeze,
  topK,
  transpose,
  unsqueeze,
  type Value,
  where,
} from '../../graph/index.js';
import type { Detections } from '../detections.js';
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

/** Rows of the selection by falling score, at most `keep` a picture. */
function gatherDetections(boxes: Value, scores: Value, selected: Value, keep: number | undefined): Detections {
  const [picture, label, anchor] = [0, 1, 2].map((column) => slice(selected, [column], [column + 1], [1]));
  const found = gatherNd(scores, selected);
  const { values, indices } = topK(found, slice(shapeOf(found), [0], [1]), 0);
  const rows = (column: Value) => gather(squeeze(column, 1), indices);
  const sortedBoxes = gather(gatherNd(boxes, concat([picture, anchor], 1)), indices);
  const sorted = { boxes: sortedBoxes, scores: values, labels: rows(label), pictures: rows(picture) };
  if (keep === undefined) return sorted;
  const mask = lessOrEqual(rankInPicture(sorted.pictures, boxes), keep);
  return {
    boxes: compress(sorted.boxes, mask),
    scores: compress(sorted.scores, mask),
    labels: compress(sorted.labels, mask),
    pictures: compress(sorted.pictures, mask),
  };
}

/** 1 for the best detection of its picture, 2 for the next …: a running count a picture. */
function rankInPicture(pictures: Value, boxes: Value): Value {
  const ones = expandLike(
    constant('float32', [1], Float32Array.of(1)),
    slice(slice(boxes, [0], [1], [1]), [0], [1], [2]),
  );
  const numbers = cumSum(reshape(ones, [-1]), 0, { exclusive: true });
  const own = cast(equal(unsqueeze(pictures, 1), cast(unsqueeze(numbers, 0), 'int64')), 'float32');
  return reduceSum(mul(cumSum(own, 0), own), [1]);
}
