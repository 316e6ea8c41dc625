import { BoxwrightError } from '../errors.js';
import { countBoxes } from './iou.js';

/**
 * Centre-size box coding (Fast R-CNN, equation 1 to 4 of R-CNN's appendix C; SSD, section 2.2): dx = (cx − acx) / aw,
 * dw = ln(w / aw), each divided by its standard deviation. Plain data.
 */
export interface BoxCoder {
  /** Standard deviations of dx, dy, dw, dh, in this order whatever `order` says. SSD calls them variances. */
  readonly stds: readonly [number, number, number, number];
  /** Order of the four deltas. */
  readonly order: 'xywh' | 'yxhw';
  /** Whether x2 and y2 are the last pixels inside, so that a width is x2 − x1 + 1. */
  readonly plusOne?: boolean;
  /** Added to the ratio of the sides before its logarithm when encoding. */
  readonly ratioOffset?: number;
  /** Least ratio of the sides when encoding. */
  readonly minRatio?: number;
  /** Limit of |ln(w / aw)| when decoding. */
  readonly maxLogRatio?: number;
}

/** Where each of dx, dy, dw, dh stands among the four deltas. */
export const deltaPlaces = { xywh: [0, 1, 2, 3], yxhw: [1, 0, 3, 2] } as const;

/**
 * Centre form [n, 4] (cx, cy, w, h) of boxes [n, 4]. The centre is (x1 + x2) / 2 under both pixel conventions.
 *
 * @throws BoxwrightError `shape` if `boxes` does not hold four numbers a box.
 */
export function toCentres(boxes: Float32Array, plusOne = false): Float32Array {
  countBoxes(boxes, 'toCentres');
  const extra = plusOne ? 1 : 0;
  const centres = new Float32Array(boxes.length);
  for (let at = 0; at < boxes.length; at += 4) {
    centres[at] = (boxes[at] + boxes[at + 2]) / 2;
    centres[at + 1] = (boxes[at + 1] + boxes[at + 3]) / 2;
    centres[at + 2] = boxes[at + 2] - boxes[at] + extra;
    centres[at + 3] = boxes[at + 3] - boxes[at + 1] + extra;
  }
  return centres;
}

/**
 * Writes the deltas that lead from reference `index` to box `box` into row `index` of `deltas`.
 *
 * @param references centre form [n, 4] (cx, cy, w, h)
 * @param deltas [n, 4]
 */
export function encodeBox(
  boxes: Float32Array,
  box: number,
  references: Float32Array,
  index: number,
  coder: BoxCoder,
  deltas: Float32Array,
): void {
  const extra = coder.plusOne ? 1 : 0;
  const from = box * 4;
  const at = index * 4;
  const place = deltaPlaces[coder.order];
  for (let axis = 0; axis < 2; axis++) {
    const low = boxes[from + axis];
    const high = boxes[from + 2 + axis];
    const side = references[at + 2 + axis];
    const shift = ((low + high) / 2 - references[at + axis]) / side;
    const ratio = (high - low + extra) / side + (coder.ratioOffset ?? 0);
    deltas[at + place[axis]] = shift / coder.stds[axis];
    deltas[at + place[2 + axis]] = Math.log(Math.max(ratio, coder.minRatio ?? 0)) / coder.stds[2 + axis];
  }
}

/**
 * Deltas [n, 4] that lead from each reference to the box of the same row. A box without width or height encodes to
 * −∞ unless the coder has `ratioOffset` or `minRatio`.
 *
 * @param boxes [n, 4] corners
 * @param references centre form [n, 4] (cx, cy, w, h), see `toCentres`
 * @throws BoxwrightError `shape` if the two do not have the same number of rows of four.
 */
export function encodeBoxes(boxes: Float32Array, references: Float32Array, coder: BoxCoder): Float32Array {
  const count = countBoxes(boxes, 'encodeBoxes, boxes');
  requireRows(count, references, 'encodeBoxes, references');
  const deltas = new Float32Array(boxes.length);
  for (let i = 0; i < count; i++) encodeBox(boxes, i, references, i, coder, deltas);
  return deltas;
}

/**
 * Boxes [n, 4] (corners, not clipped) where the deltas [n, 4] lead from the references.
 *
 * @param references centre form [n, 4] (cx, cy, w, h), see `toCentres`
 * @throws BoxwrightError `shape` if the two do not have the same number of rows of four.
 */
export function decodeBoxes(deltas: Float32Array, references: Float32Array, coder: BoxCoder): Float32Array {
  const count = countBoxes(deltas, 'decodeBoxes, deltas');
  requireRows(count, references, 'decodeBoxes, references');
  const extra = coder.plusOne ? 1 : 0;
  const limit = coder.maxLogRatio ?? Number.POSITIVE_INFINITY;
  const place = deltaPlaces[coder.order];
  const boxes = new Float32Array(deltas.length);
  for (let at = 0; at < deltas.length; at += 4) {
    for (let axis = 0; axis < 2; axis++) {
      const side = references[at + 2 + axis];
      const centre = references[at + axis] + deltas[at + place[axis]] * coder.stds[axis] * side;
      const logRatio = deltas[at + place[2 + axis]] * coder.stds[2 + axis];
      const decoded = side * Math.exp(Math.min(Math.max(logRatio, -limit), limit));
      boxes[at + axis] = centre - (decoded - extra) / 2;
      boxes[at + 2 + axis] = centre + (decoded - extra) / 2;
    }
  }
  return boxes;
}

/** Clips boxes [n, 4] in place to [0, width] and [0, height], and returns them. */
export function clipBoxes(boxes: Float32Array, width: number, height: number): Float32Array {
  for (let at = 0; at < boxes.length; at += 2) {
    boxes[at] = Math.min(Math.max(boxes[at], 0), width);
    boxes[at + 1] = Math.min(Math.max(boxes[at + 1], 0), height);
  }
  return boxes;
}

function requireRows(count: number, other: Float32Array, what: string): void {
  if (other.length !== count * 4) {
    throw new BoxwrightError('shape', `${what}: ${other.length / 4} rows of four, expected ${count}, one a box`);
  }
}
