// Boxes and anchors are in pixels of the canvas here.
import type { BoxCoder } from '../../boxes/coder.js';
import { centresToCorners, columns, cornersToCentres, decodeCentres } from '../../boxes/coder-graph.js';
import {
  add,
  and,
  cast,
  concat,
  dimOf,
  gather,
  gatherNd,
  greater,
  int64s,
  maximum,
  minimum,
  mul,
  nonMaxSuppression,
  scatterNd,
  sigmoid,
  slice,
  split,
  squeeze,
  stopGradient,
  sub,
  topK,
  unsqueeze,
  type Value,
  where,
} from '../../graph/index.js';
import { pyramidAnchorsGraph } from './anchors.js';
import type { PyramidOutputs, RpnLevel } from './network.js';
import type { CascadeRcnnRecipe, ProposalCounts, RpnRecipe } from './recipe.js';

/** Boxes of a batch, as many for each picture, some of which do not count. */
export interface BoxSet {
  /** float32 [N, boxes, 4] x1, y1, x2, y2 */
  readonly boxes: Value;
  /** bool [N, boxes] */
  readonly valid: Value;
}

/** How far boxes may reach: float32 [N, 1, 4] or [1, 1, 4] width, height, width, height. */
export type Limits = Readonly<Record<'picture' | 'canvas', Value>>;

/** Boxes where deltas [..., 4] lead from references [..., 4] (corners), cut to the limits [..., 1, 4]. */
export function decodeWithin(deltas: Value, references: Value, coder: BoxCoder, limits: Value): Value {
  const centres = decodeCentres(deltas, cornersToCentres(references, coder.plusOne), coder);
  return minimum(maximum(centresToCorners(centres, coder.plusOne), 0), limits);
}

/**
 * Boxes [..., 4] as suppression is to see them. Where x2 is the last pixel inside, a side below one pixel decodes to
 * x2 < x1. Such a box overlaps nothing, but ONNX's NonMaxSuppression would swap its corners: it gets no area here.
 */
export function uncrossed(boxes: Value, { plusOne }: BoxCoder): Value {
  if (!plusOne) return boxes;
  const [x1, y1, x2, y2] = columns(boxes);
  return concat([x1, y1, maximum(x1, x2), maximum(y1, y2)], boxes.rank - 1);
}

/**
 * The RPN's proposals (Faster R-CNN, section 3.3, level by level as FPN has it): the best anchors of each level, decoded,
 * suppressed within their level, and of all that are left the best of each picture, by falling score. No gradient flows.
 * Free picture sizes give a free number of proposals.
 */
export function proposals(
  recipe: CascadeRcnnRecipe,
  { maps, rpn }: Pick<PyramidOutputs, 'maps' | 'rpn'>,
  limits: Limits,
  counts: ProposalCounts,
): BoxSet & { readonly scores: Value } {
  const levels = rpn.map((level, i) => {
    const anchors = squeeze(pyramidAnchorsGraph(recipe.anchors, i, maps[i]), 0);
    return levelProposals(recipe.rpn, level, anchors, limits[recipe.rpn.clipTo], counts.perLevel);
  });
  const scores = concat(
    levels.map((level) => level.scores),
    1,
  );
  const boxes = concat(
    levels.map((level) => level.boxes),
    1,
  );
  const best = topK(scores, atMost(counts.perPicture, scores), 1);
  return { boxes: rowsOf(boxes, best.indices), valid: greater(best.values, 0), scores: best.values };
}

/** The best boxes of one level; those that are suppressed, or empty where that matters, score −1. */
function levelProposals(
  rpn: RpnRecipe,
  level: RpnLevel,
  anchors: Value,
  limits: Value,
  count: number,
): { boxes: Value; scores: Value } {
  const logits = stopGradient(level.logits);
  const { values, indices } = topK(sigmoid(logits), atMost(count, logits), 1);
  const deltas = rowsOf(stopGradient(level.deltas), indices);
  const boxes = decodeWithin(deltas, gather(anchors, indices), rpn.coder, limits);
  const scores = rpn.dropEmpty ? where(hasArea(boxes), values, -1) : values;
  const selected = nonMaxSuppression(uncrossed(boxes, rpn.coder), unsqueeze(scores, 1), {
    iouThreshold: rpn.nms,
    scoreThreshold: 0,
    maxPerClass: count,
  });
  return { boxes, scores: where(marked(selected, scores), scores, -1) };
}

/** bool [N, boxes]: x2 > x1 and y2 > y1. */
function hasArea(boxes: Value): Value {
  const [x1, y1, x2, y2] = split(boxes, [1, 1, 1, 1], 2).map((column) => squeeze(column, 2));
  return and(greater(sub(x2, x1), 0), greater(sub(y2, y1), 0));
}

/** bool, shaped as `like` [N, boxes]: the places that a suppression [selected, 3] (picture, class, box) has kept. */
function marked(selected: Value, like: Value): Value {
  const picture = slice(selected, [0], [1], [1]);
  const places = concat([picture, slice(selected, [2], [3], [1])], 1);
  const ones = add(mul(cast(squeeze(picture, 1), 'float32'), 0), 1);
  return greater(scatterNd(mul(like, 0), places, ones), 0);
}

/** Rows [N, k, …] at indices [N, k] of x [N, n, …]. */
export function rowsOf(x: Value, indices: Value): Value {
  return gatherNd(x, unsqueeze(indices, 2), 1);
}

/** `count`, or the length of axis 1 where that is less. */
function atMost(count: number, x: Value): number | Value {
  const length = x.shape[1];
  return typeof length === 'number' ? Math.min(count, length) : minimum(dimOf(x, 1), int64s([count]));
}
