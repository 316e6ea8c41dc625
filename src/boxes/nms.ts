import { BoxwrightError } from '../errors.js';
import { boxAreas, countBoxes, iou } from './iou.js';

/** Greedy non-maximum suppression. Plain data. */
export interface Suppression {
  /** A box is dropped when its overlap with a better one that is kept exceeds this. */
  readonly threshold: number;
  /** Whether overlaps count x2 and y2 as the last pixels inside. */
  readonly plusOne?: boolean;
  /** At most this many boxes are kept; all if left out. */
  readonly limit?: number;
}

/**
 * Indices of scores by falling score; equal scores keep their order.
 *
 * @throws BoxwrightError `data` if a score is not a number, which has no place in an order.
 */
export function orderByScore(scores: Float32Array): Int32Array {
  const order = new Int32Array(scores.length);
  for (let i = 0; i < scores.length; i++) {
    if (Number.isNaN(scores[i])) {
      throw new BoxwrightError('data', `Score ${i} is NaN, expected a number: the model's outputs are not finite`);
    }
    order[i] = i;
  }
  return order.sort((a, b) => scores[b] - scores[a] || a - b);
}

/**
 * Greedy non-maximum suppression: indices of the kept boxes by falling score. Two boxes without area do not overlap.
 *
 * @param boxes [n, 4] corners
 * @param scores [n]
 * @throws BoxwrightError `shape` if the numbers of boxes and scores differ; `data` if a score is NaN.
 */
export function suppressNonMaximum(boxes: Float32Array, scores: Float32Array, suppression: Suppression): Int32Array {
  const count = countBoxes(boxes, 'suppressNonMaximum');
  if (scores.length !== count) {
    throw new BoxwrightError('shape', `suppressNonMaximum: ${scores.length} scores, expected ${count}, one a box`);
  }
  const order = orderByScore(scores);
  const areas = boxAreas(boxes, suppression.plusOne);
  const extra = suppression.plusOne ? 1 : 0;
  const threshold = Math.fround(suppression.threshold);
  const limit = suppression.limit ?? count;
  const kept = new Int32Array(Math.min(count, limit));
  let keptCount = 0;
  let left = count;
  while (left > 0 && keptCount < limit) {
    const best = order[0];
    kept[keptCount++] = best;
    let next = 0;
    for (let k = 1; k < left; k++) {
      if (iou(boxes, areas, best, boxes, areas, order[k], extra) <= threshold) order[next++] = order[k];
    }
    left = next;
  }
  return kept.slice(0, keptCount);
}
