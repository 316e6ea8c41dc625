// Boxes and anchors are normalised here: x over the picture's width, y over its height, 0 to 1.
import { centresToCorners, cornersToCentres, decodeCentres, encodeBoxesGraph } from '../../boxes/coder-graph.js';
import { iouMatrixGraph } from '../../boxes/iou-graph.js';
import { matchAnchorsGraph } from '../../boxes/matcher-graph.js';
import {
  add,
  and,
  cast,
  constant,
  div,
  equal,
  expand,
  filled,
  gatherElements,
  greater,
  greaterOrEqual,
  input,
  less,
  maximum,
  minimum,
  mul,
  neg,
  not,
  or,
  range,
  reduceSum,
  reshape,
  scatterElements,
  scope,
  slice,
  softmax,
  squeeze,
  stopGradient,
  sumOf,
  topK,
  unsqueeze,
  type Value,
  where,
} from '../../graph/index.js';
import { crossEntropy, sigmoidFocal, smoothL1, sumAll } from '../../nn/losses.js';
import type { Losses } from '../../nn/training-step.js';
import { defaultAnchors } from './anchors.js';
import type { RefineDetOutputs } from './network.js';
import type { FocalLoss, MinedLoss, RefineDetRecipe } from './recipe.js';

/** Padded ground truth of a batch, as the data pipeline gives it. */
export interface GroundTruthInputs {
  /** float32 [batch, maxBoxes, 4] normalised x1, y1, x2, y2; zeros for padding */
  readonly boxes: Value;
  /** int32 [batch, maxBoxes] class counted from 1; 0 for padding */
  readonly labels: Value;
}

function groundTruthInputs(batch: number, maxBoxes: number): GroundTruthInputs {
  return {
    boxes: input(
      'boxes',
      'float32',
      [batch, maxBoxes, 4],
      'ground truth, normalised x1, y1, x2, y2; zeros for padding',
    ),
    labels: input('labels', 'int32', [batch, maxBoxes], 'classes counted from 1; 0 for padding'),
  };
}

/** The four losses and their sum; declares the inputs of the recipe's targets. */
export function refineDetLosses(
  recipe: RefineDetRecipe,
  outputs: RefineDetOutputs,
  batch: number,
  maxBoxes: number,
): Losses {
  const { loss } = recipe;
  const parts =
    loss.kind === 'mined'
      ? minedLosses(recipe, loss, outputs, batch, maxBoxes)
      : focalLosses(recipe, loss, outputs, batch);
  return { total: sumOf(Object.values(parts)), parts };
}

/** Where a module learns what: labels and coded boxes of every anchor. */
export interface ModuleTargets {
  /** int32 [batch, anchors], 0 for background */
  readonly labels: Value;
  /** bool [batch, anchors]: anchors that learn their box and class */
  readonly positive: Value;
  /** bool [batch, anchors]: anchors that may be mined as negatives */
  readonly minable: Value;
  /** float32 [batch, anchors, 4] */
  readonly deltas: Value;
}

function minedLosses(
  recipe: RefineDetRecipe,
  loss: MinedLoss,
  outputs: RefineDetOutputs,
  batch: number,
  maxBoxes: number,
): Record<string, Value> {
  const anchors = outputs.armLoc.shape[1] as number;
  const { names } = recipe.targets;
  const armLabels = input(names.labels, 'int32', [batch, anchors], 'targets of the ARM: 1 where an anchor is matched');
  const armDeltas = input(names.deltas, 'float32', [batch, anchors, 4], 'targets of the ARM: coded boxes');
  const armPositive = greater(armLabels, 0);
  const armTargets = { labels: armLabels, positive: armPositive, minable: not(armPositive), deltas: armDeltas };
  const odmTargets = scope('targets', () => matchRefined(recipe, loss, outputs, groundTruthInputs(batch, maxBoxes)));
  const arm = scope('arm_loss', () => minedModule(loss, outputs.armLoc, outputs.armConf, armTargets));
  const odm = scope('odm_loss', () => minedModule(loss, outputs.odmLoc, outputs.odmConf, odmTargets));
  return { arm_loc: arm.loc, arm_conf: arm.conf, odm_loc: odm.loc, odm_conf: odm.conf };
}

/** ODM targets: ground truth matched to the anchors that the ARM refined. No gradient flows through them. */
export function matchRefined(
  recipe: RefineDetRecipe,
  loss: MinedLoss,
  outputs: Pick<RefineDetOutputs, 'armLoc' | 'armConf'>,
  truth: GroundTruthInputs,
): ModuleTargets {
  const { centres: data, count } = defaultAnchors(recipe.anchors);
  const centres = constant('float32', [1, count, 4], data);
  const refined = centresToCorners(decodeCentres(stopGradient(outputs.armLoc), centres, recipe.coder));
  const valid = unsqueeze(greater(truth.labels, 0), 1);
  const overlaps = where(valid, iouMatrixGraph(refined, truth.boxes), -1);
  const matches = matchAnchorsGraph(overlaps, valid, loss.matcher);
  const [batch] = truth.boxes.staticShape;
  const index = expand(unsqueeze(matches.box, -1), [batch, count, 4]);
  const matched = gatherElements(safeBoxes(truth), index, 1);
  const labels = where(matches.positive, gatherElements(truth.labels, matches.box, 1), 0);
  const coded = encodeBoxesGraph(matched, cornersToCentres(refined), recipe.coder);
  // Elsewhere an anchor without area would code to infinity, which a gradient of zero does not survive.
  const deltas = where(unsqueeze(matches.positive, -1), coded, 0);
  const objectness = squeeze(slice(softmax(stopGradient(outputs.armConf)), [1], [2], [2]), 2);
  if (loss.filters === 'positives') {
    const positive = and(matches.positive, greater(objectness, loss.objectness));
    return { labels, positive, minable: not(positive), deltas };
  }
  // A negative has to lie below the threshold of every box, forced matches or not.
  const background = and(not(matches.positive), less(matches.overlap, loss.matcher.positive));
  return {
    labels,
    positive: matches.positive,
    minable: and(background, greaterOrEqual(objectness, loss.objectness)),
    deltas,
  };
}

/** Padding becomes the whole picture, so that its (unused) code stays finite. */
function safeBoxes({ boxes, labels }: GroundTruthInputs): Value {
  const whole = constant('float32', [1, 1, 4], Float32Array.of(0, 0, 1, 1));
  return where(unsqueeze(greater(labels, 0), -1), boxes, whole);
}

/** Smooth L1 over positives and cross-entropy over positives and mined negatives, over the number of positives. */
function minedModule(
  { negatives }: MinedLoss,
  loc: Value,
  conf: Value,
  targets: ModuleTargets,
): { loc: Value; conf: Value } {
  const { labels, positive, minable, deltas } = targets;
  const entropy = crossEntropy(conf, labels);
  const counted = or(positive, mineNegatives(stopGradient(entropy), positive, minable, negatives));
  const count = maximum(reduceSum(cast(positive, 'float32')), 1);
  const regression = where(unsqueeze(positive, -1), smoothL1(add(loc, neg(deltas))), 0);
  return { loc: div(sumAll(regression), count), conf: div(sumAll(where(counted, entropy, 0)), count) };
}

/** bool [batch, anchors]: in each picture the `ratio` × positives minable anchors of the largest loss. */
export function mineNegatives(entropy: Value, positive: Value, minable: Value, ratio: number): Value {
  const [batch, anchors] = entropy.staticShape;
  // Cross-entropy is never negative: −1 sorts what may not be mined behind everything.
  const { values, indices } = topK(where(minable, entropy, -1), anchors, 1);
  const wanted = minimum(mul(reduceSum(cast(positive, 'float32'), [1], { keepDims: true }), ratio), anchors - 1);
  const chosen = and(less(reshape(range(anchors, 'float32'), [1, anchors]), wanted), greaterOrEqual(values, 0));
  const mask = scatterElements(filled(0, 'float32', [batch, anchors]), indices, cast(chosen, 'float32'), 1);
  return greater(mask, 0);
}

/** Sums over all anchors of the batch, divided by its number of matched ones (MindSpore zoo, r1.7). */
function focalLosses(
  recipe: RefineDetRecipe,
  loss: FocalLoss,
  outputs: RefineDetOutputs,
  batch: number,
): Record<string, Value> {
  const anchors = outputs.armLoc.shape[1] as number;
  const { names } = recipe.targets;
  const labels = input(names.labels, 'int32', [batch, anchors], 'class of each anchor, 0 for background');
  const deltas = input(names.deltas, 'float32', [batch, anchors, 4], 'coded boxes of matched anchors');
  const matched = reduceSum(
    cast(input(names.matched ?? 'matched', 'int32', [batch], 'matched anchors of each picture'), 'float32'),
  );
  const count = loss.guardNoMatch ? maximum(matched, 1) : matched;
  const mask = unsqueeze(cast(greater(labels, 0), 'float32'), -1);
  const box = (loc: Value) => div(sumAll(mul(smoothL1(add(loc, neg(deltas))), mask)), count);
  const score = (conf: Value, targets: Value) => div(sumAll(sigmoidFocal(conf, oneHot(targets, conf), loss)), count);
  const armLabels = loss.armOnlyFirstClass ? labels : minimum(labels, 1);
  return {
    arm_loc: box(outputs.armLoc),
    arm_conf: score(outputs.armConf, armLabels),
    odm_loc: box(outputs.odmLoc),
    odm_conf: score(outputs.odmConf, labels),
  };
}

/** float32 [..., classes]; labels beyond the classes give zeros, as one-hot operators do. */
function oneHot(labels: Value, like: Value): Value {
  const classes = like.shape[like.rank - 1] as number;
  return cast(equal(unsqueeze(labels, -1), range(classes, 'int32')), 'float32');
}
