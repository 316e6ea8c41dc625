// Boxes are in pixels of the canvas here.
import {
  argMax,
  cast,
  concat,
  equal,
  int64s,
  range,
  reduceSum,
  reshape,
  reshapeTo,
  scope,
  shapeOf,
  slice,
  squeeze,
  stopGradient,
  sub,
  unsqueeze,
  type Value,
  where,
} from '../../graph/index.js';
import type { Parameters } from '../../nn/parameters.js';
import { type StageOutputs, stageHead } from './network.js';
import { decodeWithin, type Limits } from './proposals.js';
import type { CascadeRcnnRecipe } from './recipe.js';
import { poolRois } from './roi-pooling.js';

/** A stage's outputs for RoIs [N, R, 4]. */
export interface StageResult {
  /** [N, R, classes + 1] logits */
  readonly cls: Value;
  /** [N, R, boxes, 4] deltas: one box, or one for each class in the order of the logits */
  readonly reg: Value;
}

/** One stage of the cascade (section 4.1) on RoIs [N, R, 4]; its gradient does not reach the boxes. */
export function runStage(
  p: Parameters,
  recipe: CascadeRcnnRecipe,
  stage: number,
  maps: readonly Value[],
  rois: Value,
): StageResult {
  const boxes = stopGradient(rois);
  const pooled = scope(`stages/${stage}/pool`, () => poolRois(recipe, maps, boxes));
  return perPicture(recipe, stageHead(p, recipe, stage, pooled), boxes);
}

/** Rows of all pictures [N · R, …] as [N, R, …]. */
function perPicture({ classes, head }: CascadeRcnnRecipe, { cls, reg }: StageOutputs, rois: Value): StageResult {
  const logits = classes + 1;
  const boxes = head.regression === 'agnostic' ? 1 : logits;
  return { cls: asRoisOf(cls, rois, [logits]), reg: asRoisOf(reg, rois, [boxes, 4]) };
}

function asRoisOf(x: Value, rois: Value, rest: readonly number[]): Value {
  const [batch, count] = rois.shape;
  const shape = [batch, count, ...rest];
  if (shape.every((dim) => typeof dim === 'number')) return reshape(x, shape);
  return reshapeTo(x, concat([slice(shapeOf(rois), [0], [2]), int64s(rest)], 0), shape);
}

/** int32 [N, R]: the place among a stage's logits of labels that count classes from 1, 0 being background. */
export function logitOf({ classes, head }: CascadeRcnnRecipe, labels: Value): Value {
  if (head.background === 'first') return labels;
  return where(equal(labels, 0), classes, sub(labels, 1));
}

/** Deltas [N, R, 4] of the box that belongs to a place [N, R] among the logits; a single box belongs to all. */
export function deltasOf({ reg }: StageResult, place: Value): Value {
  const count = reg.shape[2] as number;
  if (count === 1) return squeeze(reg, 2);
  const own = equal(unsqueeze(cast(place, 'int64'), 2), range(count));
  return reduceSum(where(unsqueeze(own, 3), reg, 0), [2]);
}

/**
 * RoIs [N, R, 4] refined by deltas [N, R, 4], which are the next stage's RoIs (section 4.1). No gradient flows.
 *
 * @param limits how far boxes may reach, by what the recipe cuts to.
 */
export function refined(
  { sampling, stages }: CascadeRcnnRecipe,
  stage: number,
  rois: Value,
  deltas: Value,
  limits: Limits,
): Value {
  const boxes = stopGradient(rois);
  const from = sampling.halfBoxes ? cast(cast(boxes, 'float16'), 'float32') : boxes;
  return decodeWithin(stopGradient(deltas), from, stages[stage].coder, limits[sampling.clipTo]);
}

/** All stages at inference: the class with the largest logit, background included, says which box goes on. */
export function runCascade(
  p: Parameters,
  recipe: CascadeRcnnRecipe,
  maps: readonly Value[],
  rois: Value,
  limits: Limits,
): { readonly results: readonly StageResult[]; readonly rois: readonly Value[] } {
  const results: StageResult[] = [];
  const inputs = [rois];
  recipe.stages.forEach((_, stage) => {
    const own = inputs[stage];
    const result = runStage(p, recipe, stage, maps, own);
    results.push(result);
    if (stage + 1 < recipe.stages.length)
      inputs.push(refined(recipe, stage, own, deltasOf(result, argMax(result.cls, 2)), limits));
  });
  return { results, rois: inputs };
}
