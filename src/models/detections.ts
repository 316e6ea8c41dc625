import type { Value } from '../graph/index.js';

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
