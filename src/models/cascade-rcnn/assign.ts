// Boxes are in pixels of the canvas here.
import type { BoxCoder } from '../../boxes/coder.js';
import { columns, cornersToCentres, encodeBoxesGraph } from '../../boxes/coder-graph.js';
import { iouMatrixGraph } from '../../boxes/iou-graph.js';
import { type GraphMatches, matchAnchorsGraph } from '../../boxes/matcher-graph.js';
import { sampleByKeys } from '../../boxes/sampler-graph.js';
import {
  and,
  concat,
  constant,
  expand,
  filled,
  gatherElements,
  greater,
  less,
  not,
  range,
  squeeze,
  stopGradient,
  sub,
  unsqueeze,
  type Value,
  where,
} from '../../graph/index.js';
import { type BoxSet, rowsOf } from './proposals.js';
import type { SamplingRecipe, StageRecipe } from './recipe.js';

/** The RoIs of a batch that learn in one stage: chosen positives, then chosen negatives, then unused places. */
export interface StageSamples {
  /** float32 [N, S, 4] x1, y1, x2, y2; zero in unused places */
  readonly boxes: Value;
  /** int32 [N, S] class counted from 1; 0 for background and in unused places */
  readonly labels: Value;
  /** bool [N, S] */
  readonly positive: Value;
  /** bool [N, S]: places that count */
  readonly valid: Value;
  /** bool [N, S]: whether the RoI is a ground-truth box itself */
  readonly isTruth: Value;
  /** float32 [N, S, 4] coded boxes; zero but for positives */
  readonly targets: Value;
}

/**
 * Which RoIs of a batch learn in a stage, and what (Cascade R-CNN, sections 4.1 and 4.2): ground-truth boxes, each of
 * which belongs to itself, and proposals, assigned by overlap at the stage's own threshold; of these a random choice, see
 * `sampleByKeys`. A proposal that is not positive is background. No gradient flows.
 *
 * @param truth boxes float32 [N, G, 4]; labels int32 [N, G] counted from 1, 0 for padding. A box that the stage's coder
 *   cannot code, since it has no width or height, counts as padding.
 * @param random float32 [N, G + P] from 0 to 1: a key for each ground-truth box and, behind them, each proposal
 */
export function sampleStage(
  sampling: SamplingRecipe,
  stage: StageRecipe,
  proposals: BoxSet,
  truth: { readonly boxes: Value; readonly labels: Value },
  random: Value,
): StageSamples {
  const [batch, count] = truth.labels.staticShape;
  const real = and(greater(truth.labels, 0), hasSides(truth.boxes, stage.coder));
  const candidates = stopGradient(concat([truth.boxes, proposals.boxes], 1));
  const matches = matchProposals(stage, proposals, truth.boxes, real);
  const background = and(proposals.valid, not(matches.positive));
  const { indices, positive, valid } = sampleByKeys(
    concat([real, matches.positive], 1),
    concat([filled(0, 'bool', [batch, count]), background], 1),
    random,
    sampling,
  );
  const itself = expand(unsqueeze(range(count), 0), [batch, count]);
  const owner = gatherElements(concat([itself, matches.box], 1), indices, 1);
  const boxes = where(unsqueeze(valid, 2), rowsOf(candidates, indices), 0);
  return {
    boxes,
    labels: where(positive, gatherElements(truth.labels, owner, 1), 0),
    positive,
    valid,
    isTruth: and(positive, less(indices, count)),
    targets: codedTargets(rowsOf(truth.boxes, owner), boxes, positive, stage.coder),
  };
}

/** Proposals assigned to real boxes; those that do not count are never positive, nor a box's best. */
function matchProposals({ matcher }: StageRecipe, { boxes, valid }: BoxSet, truth: Value, real: Value): GraphMatches {
  const overlaps = iouMatrixGraph(stopGradient(boxes), truth, matcher.plusOne);
  return matchAnchorsGraph(overlaps, and(unsqueeze(valid, 2), unsqueeze(real, 1)), matcher);
}

/** Boxes coded against RoIs, both [N, S, 4]; zero where not positive, whatever stands there. */
function codedTargets(boxes: Value, rois: Value, positive: Value, coder: BoxCoder): Value {
  // A box coded against itself is zero, while one without sides would not be finite.
  const unit = constant('float32', [1, 1, 4], Float32Array.of(0, 0, 1, 1));
  const own = (rows: Value) => where(unsqueeze(positive, 2), rows, unit);
  return encodeBoxesGraph(own(boxes), cornersToCentres(own(rois), coder.plusOne), coder);
}

/** bool [N, boxes]: whether a box's sides have a logarithm. */
function hasSides(boxes: Value, { plusOne }: BoxCoder): Value {
  const [x1, y1, x2, y2] = columns(boxes).map((column) => squeeze(column, 2));
  const least = plusOne ? -1 : 0;
  return and(greater(sub(x2, x1), least), greater(sub(y2, y1), least));
}
