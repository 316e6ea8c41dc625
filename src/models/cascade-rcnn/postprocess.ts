// Boxes are in pixels of the canvas until the end, where they become pixels of the source picture.
import {
  concat,
  dimOf,
  div,
  int64s,
  minimum,
  mul,
  type NmsOptions,
  nonMaxSuppression,
  reshapeTo,
  round,
  slice,
  softmax,
  squeeze,
  sub,
  sumOf,
  transpose,
  unsqueeze,
  type Value,
  where,
} from '../../graph/index.js';
import { type Detections, gatherDetections } from '../detections.js';
import type { StageResult } from './cascade.js';
import { type BoxSet, decodeWithin, type Limits, uncrossed } from './proposals.js';
import type { CascadePostprocess, CascadeRcnnRecipe } from './recipe.js';

/** What the cascade leaves to be chosen from. */
export interface CascadeOutputs {
  /** Of all stages. */
  readonly results: readonly StageResult[];
  /** The last stage's RoIs. */
  readonly rois: BoxSet;
}

/** Class probabilities [N, R, classes] without the background; zero for RoIs that do not count. */
function cascadeScores(recipe: CascadeRcnnRecipe, { results, rois }: CascadeOutputs): Value {
  const first = recipe.head.background === 'first' ? 1 : 0;
  const logits = results.map(({ cls }) => cls);
  const objects = slice(probabilities(recipe.postprocess.scores, logits), [first], [first + recipe.classes], [2]);
  return where(unsqueeze(rois.valid, 2), objects, 0);
}

/** mmdetection averages the stages' logits, detectron2 their probabilities. */
function probabilities(scores: CascadePostprocess['scores'], logits: readonly Value[]): Value {
  const mean = (values: readonly Value[]) => mul(sumOf(values), 1 / values.length);
  if (scores === 'last') return softmax(logits[logits.length - 1], -1);
  if (scores === 'ensemble') return softmax(mean(logits), -1);
  return mean(logits.map((stage) => softmax(stage, -1)));
}

/**
 * Detections of the cascade: boxes of the last stage, scores, suppression by class, limits.
 *
 * @param scales float32 [N, 1, 4] or [1, 1, 4]: pixels of the canvas per source pixel (x, y, x, y)
 */
export function detectCascade(
  recipe: CascadeRcnnRecipe,
  outputs: CascadeOutputs,
  limits: Limits,
  scales: Value,
): Detections {
  const { score, nms, keep } = recipe.postprocess;
  const scores = transpose(cascadeScores(recipe, outputs), [0, 2, 1]);
  const thresholds = { iouThreshold: nms, scoreThreshold: score, maxPerClass: recipe.rpn.inference.perPicture };
  const boxes = lastBoxes(recipe, outputs, limits);
  const { coder } = recipe.stages[outputs.results.length - 1];
  if (boxes.shape[2] === 1) {
    // The division may miss a picture's side by its last bit, and then a box would reach out of the picture.
    const sides = round(div(limits[recipe.sampling.clipTo], scales));
    const single = minimum(div(squeeze(boxes, 2), scales), sides);
    return gatherDetections(single, scores, nonMaxSuppression(uncrossed(single, coder), scores, thresholds), keep);
  }
  const byClass = div(transpose(boxes, [0, 2, 1, 3]), unsqueeze(scales, 1));
  return gatherDetections(byClass, scores, suppressByClass(uncrossed(byClass, coder), scores, thresholds), keep);
}

/** [N, R, 1 or classes, 4]: where the last stage's deltas lead, the background left out. */
function lastBoxes(recipe: CascadeRcnnRecipe, { results, rois }: CascadeOutputs, limits: Limits): Value {
  const { head, classes, stages, sampling } = recipe;
  const { reg } = results[results.length - 1];
  const first = head.background === 'first' ? 1 : 0;
  const own = head.regression === 'agnostic' ? reg : slice(reg, [first], [first + classes], [2]);
  const cut = unsqueeze(limits[sampling.clipTo], 1);
  return decodeWithin(own, unsqueeze(rois.boxes, 2), stages[results.length - 1].coder, cut);
}

/** Suppression where every class has boxes of its own [N, classes, R, 4]: int64 [selected, 3] picture, class, box. */
function suppressByClass(boxes: Value, scores: Value, thresholds: NmsOptions): Value {
  const classes = boxes.shape[1] as number;
  const length = dimOf(boxes, 2);
  const rows = `${boxes.shape[0]}*${classes}`;
  const merged = reshapeTo(boxes, concat([int64s([-1]), length, int64s([4])], 0), [rows, boxes.shape[2], 4]);
  const own = reshapeTo(scores, concat([int64s([-1, 1]), length], 0), [rows, 1, boxes.shape[2]]);
  const selected = nonMaxSuppression(merged, own, thresholds);
  const [row, box] = [slice(selected, [0], [1], [1]), slice(selected, [2], [3], [1])];
  const picture = div(row, classes);
  return concat([picture, sub(row, mul(picture, classes)), box], 1);
}
