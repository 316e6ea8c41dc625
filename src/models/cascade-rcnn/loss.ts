// Boxes are in pixels of the canvas here.
import {
  and,
  cast,
  div,
  expand,
  filled,
  gatherElements,
  greater,
  greaterOrEqual,
  input,
  maximum,
  mul,
  neg,
  not,
  reduceSum,
  scope,
  slice,
  softplus,
  sub,
  sumOf,
  unsqueeze,
  type Value,
  where,
} from '../../graph/index.js';
import { crossEntropy, smoothL1, sumAll } from '../../nn/losses.js';
import type { Parameters } from '../../nn/parameters.js';
import type { Losses } from '../../nn/training-step.js';
import { type StageSamples, sampleStage } from './assign.js';
import { deltasOf, logitOf, refined, runStage, type StageResult } from './cascade.js';
import { allLevels, type PyramidOutputs } from './network.js';
import { type BoxSet, type Limits, proposals } from './proposals.js';
import type { CascadeRcnnRecipe } from './recipe.js';

/** Padded ground truth of a batch. */
export interface TruthInputs {
  /** float32 [N, maxBoxes, 4] x1, y1, x2, y2; zeros for padding */
  readonly boxes: Value;
  /** int32 [N, maxBoxes] class counted from 1; 0 for padding */
  readonly labels: Value;
}

/** The RPN's targets as the data pipeline gives them, see `encodeRpnTargets`. */
export interface RpnTargetInputs {
  /** int64 [N, samples] which anchors learn, counted over all levels */
  readonly anchors: Value;
  /** int32 [N, samples] 1 object, 0 background, −1 an unused place */
  readonly labels: Value;
  /** float32 [N, samples, 4] coded boxes of positives */
  readonly deltas: Value;
}

/** Numbers of a picture that `cascadeLosses` wants in its input `random`, [0, 1). */
export function randomCount({ rpn, stages, sampling }: CascadeRcnnRecipe, maxBoxes: number): number {
  const later = (stages.length - 1) * sampling.samples;
  return rpn.training.perPicture + later + stages.length * maxBoxes;
}

/**
 * All losses of a batch: the RPN's two and two of each stage (section 4.1 and mmdetection's weights). Declares the inputs
 * `boxes`, `labels`, `rpn_anchors`, `rpn_labels`, `rpn_deltas` and `random`.
 */
export function cascadeLosses(
  p: Parameters,
  recipe: CascadeRcnnRecipe,
  outputs: PyramidOutputs,
  limits: Limits,
  batch: number,
  maxBoxes: number,
): Losses {
  const { targets, stages, rpn, sampling } = recipe;
  const truth = truthInputs(batch, maxBoxes);
  const parts: Record<string, Value> = {};
  const rpnLoss = scope('rpn/loss', () => rpnLosses(recipe, outputs, rpnTargetInputs(batch, targets.samples)));
  Object.assign(parts, { rpn_cls: rpnLoss.cls, rpn_reg: rpnLoss.reg });
  const random = input('random', 'float32', [batch, randomCount(recipe, maxBoxes)], 'draws of the samplers, 0 to 1');
  let used = 0;
  let candidates: BoxSet = scope('rpn/proposals', () => proposals(recipe, outputs, limits, rpn.training));
  stages.forEach((stage, i) => {
    const count = maxBoxes + candidates.boxes.staticShape[1];
    const draws = slice(random, [used], [used + count], [1]);
    used += count;
    const samples = scope(`stages/${i}/sample`, () => sampleStage(sampling, stage, candidates, truth, draws));
    const result = runStage(p, recipe, i, outputs.maps, samples.boxes);
    const loss = scope(`stages/${i}/loss`, () => stageLosses(recipe, i, result, samples));
    Object.assign(parts, { [`stage${i + 1}_cls`]: loss.cls, [`stage${i + 1}_reg`]: loss.reg });
    if (i + 1 < stages.length)
      candidates = scope(`stages/${i}/refine`, () => nextCandidates(recipe, i, samples, result, limits));
  });
  return { total: sumOf(Object.values(parts)), parts };
}

function truthInputs(batch: number, maxBoxes: number): TruthInputs {
  const doc = 'ground truth, x1, y1, x2, y2 in pixels of the canvas; zeros for padding';
  return {
    boxes: input('boxes', 'float32', [batch, maxBoxes, 4], doc),
    labels: input('labels', 'int32', [batch, maxBoxes], 'classes counted from 1; 0 for padding'),
  };
}

function rpnTargetInputs(batch: number, samples: number): RpnTargetInputs {
  return {
    anchors: input('rpn_anchors', 'int64', [batch, samples], 'anchors that learn, counted over all levels'),
    labels: input('rpn_labels', 'int32', [batch, samples], '1 object, 0 background, -1 unused'),
    deltas: input('rpn_deltas', 'float32', [batch, samples, 4], 'coded boxes of positives'),
  };
}

/** Sigmoid cross-entropy over the sampled anchors and smooth L1 over the positives among them. */
export function rpnLosses(
  { rpn, targets }: CascadeRcnnRecipe,
  outputs: Pick<PyramidOutputs, 'rpn'>,
  { anchors, labels, deltas }: RpnTargetInputs,
): { cls: Value; reg: Value } {
  const [batch, samples] = anchors.staticShape;
  const all = allLevels(outputs.rpn);
  const logits = gatherElements(all.logits, anchors, 1);
  const coded = gatherElements(all.deltas, expand(unsqueeze(anchors, 2), [batch, samples, 4]), 1);
  const sampled = greaterOrEqual(labels, 0);
  const positive = greater(labels, 0);
  const count =
    rpn.dividedBy === 'wanted' ? filled(batch * targets.samples) : maximum(reduceSum(cast(sampled, 'float32')), 1);
  // −ln σ(x) for objects and −ln (1 − σ(x)) for background, without overflow.
  const entropy = softplus(where(positive, neg(logits), logits));
  const distance = smoothL1(sub(coded, deltas), rpn.beta);
  return {
    cls: div(sumAll(where(sampled, entropy, 0)), count),
    reg: div(sumAll(where(unsqueeze(positive, 2), distance, 0)), count),
  };
}

/** Cross-entropy over a stage's samples and smooth L1 over its positives, both over the number of samples. */
export function stageLosses(
  recipe: CascadeRcnnRecipe,
  stage: number,
  result: StageResult,
  { labels, positive, valid, targets }: Pick<StageSamples, 'labels' | 'positive' | 'valid' | 'targets'>,
): { cls: Value; reg: Value } {
  const place = logitOf(recipe, labels);
  const count = maximum(reduceSum(cast(valid, 'float32')), 1);
  const entropy = crossEntropy(result.cls, place);
  // A sample without a class (background, or none at all) has no box to learn.
  const distance = smoothL1(sub(deltasOf(result, place), targets));
  const { weight } = recipe.stages[stage];
  const mean = (sum: Value) => mul(div(sum, count), weight);
  return {
    cls: mean(sumAll(where(valid, entropy, 0))),
    reg: mean(sumAll(where(unsqueeze(positive, 2), distance, 0))),
  };
}

/** The next stage's proposals: this stage's samples, refined by the deltas of their labels. */
export function nextCandidates(
  recipe: CascadeRcnnRecipe,
  stage: number,
  samples: StageSamples,
  result: StageResult,
  limits: Limits,
): BoxSet {
  const deltas = deltasOf(result, logitOf(recipe, samples.labels));
  const boxes = refined(recipe, stage, samples.boxes, deltas, limits);
  const valid = recipe.sampling.dropTruth ? and(samples.valid, not(samples.isTruth)) : samples.valid;
  return { boxes, valid };
}
