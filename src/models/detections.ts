import {
  cast,
  compress,
  concat,
  constant,
  cumSum,
  equal,
  expandLike,
  gather,
  gatherNd,
  lessOrEqual,
  mul,
  reduceSum,
  reshape,
  shapeOf,
  slice,
  squeeze,
  topK,
  unsqueeze,
  type Value,
} from '../graph/index.js';

/** Detections of a batch in one list: row i belongs to picture `pictures[i]`. Rows by falling score. */
export interface Detections {
  /** float32 [detections, 4] x1, y1, x2, y2 in pixels of the source picture */
  readonly boxes: Value;
  /** float32 [detections] */
  readonly scores: Value;
  /** int64 [detections] class index from 0 */
  readonly labels: Value;
  /** int64 [detections] index of the picture in the batch */
  readonly pictures: Value;
}

/**
 * Rows of a suppression by falling score, at most `keep` a picture.
 *
 * @param boxes float32 [N, boxes, 4], or [N, classes, boxes, 4] where each class has its own
 * @param scores float32 [N, classes, boxes]
 * @param selected int64 [selected, 3] picture, class, box
 */
export function gatherDetections(boxes: Value, scores: Value, selected: Value, keep: number | undefined): Detections {
  const [picture, label, anchor] = [0, 1, 2].map((column) => slice(selected, [column], [column + 1], [1]));
  const found = gatherNd(scores, selected);
  const { values, indices } = topK(found, slice(shapeOf(found), [0], [1]), 0);
  const rows = (column: Value) => gather(squeeze(column, 1), indices);
  const places = boxes.rank === 4 ? selected : concat([picture, anchor], 1);
  const sortedBoxes = gather(gatherNd(boxes, places), indices);
  const sorted = { boxes: sortedBoxes, scores: values, labels: rows(label), pictures: rows(picture) };
  if (keep === undefined) return sorted;
  const mask = lessOrEqual(rankInPicture(sorted.pictures, scores), keep);
  return {
    boxes: compress(sorted.boxes, mask),
    scores: compress(sorted.scores, mask),
    labels: compress(sorted.labels, mask),
    pictures: compress(sorted.pictures, mask),
  };
}

/** 1 for the best detection of its picture, 2 for the next …: a running count a picture of scores [N, classes, boxes]. */
function rankInPicture(pictures: Value, scores: Value): Value {
  const one = constant('float32', [1], Float32Array.of(1));
  const ones = expandLike(one, slice(slice(scores, [0], [1], [1]), [0], [1], [2]));
  const numbers = cumSum(reshape(ones, [-1]), 0, { exclusive: true });
  const own = cast(equal(unsqueeze(pictures, 1), cast(unsqueeze(numbers, 0), 'int64')), 'float32');
  return reduceSum(mul(cumSum(own, 0), own), [1]);
}
