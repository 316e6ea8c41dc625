import { BoxwrightError } from '../errors.js';

/**
 * Number of boxes in a flat [n, 4] array; `what` is what the error calls it.
 *
 * @throws BoxwrightError `shape` if the length is not a multiple of four.
 */
export function countBoxes(boxes: Float32Array | Float64Array, what: string): number {
  if (boxes.length % 4 !== 0) {
    throw new BoxwrightError(
      'shape',
      `${what}: ${boxes.length} numbers, expected four a box (x1, y1, x2, y2 one after the other)`,
    );
  }
  return boxes.length / 4;
}

/**
 * Areas [n] of boxes [n, 4] in the square of their unit, every operation rounded to float32.
 *
 * @param plusOne whether x2 and y2 are the last pixels inside, so that a width is x2 − x1 + 1
 * @throws BoxwrightError `shape` if `boxes` does not hold four numbers a box.
 */
export function boxAreas(boxes: Float32Array, plusOne = false): Float32Array {
  const count = countBoxes(boxes, 'boxAreas');
  const extra = plusOne ? 1 : 0;
  const areas = new Float32Array(count);
  for (let i = 0, at = 0; i < count; i++, at += 4) {
    const width = Math.fround(Math.fround(boxes[at + 2] - boxes[at]) + extra);
    const height = Math.fround(Math.fround(boxes[at + 3] - boxes[at + 1]) + extra);
    areas[i] = width * height;
  }
  return areas;
}

/**
 * Overlap (intersection over union) of box `i` of `boxes` with box `j` of `others`; 0 where they have no area in common,
 * for two boxes without area too.
 *
 * Every operation is rounded to float32 in the order that the references have: intersection h·w, union (area + area) −
 * intersection, then the quotient. Which of RefineDet's anchors that contain a box is its best hinges on this rounding.
 *
 * @param areas `boxAreas` of `boxes`, as `otherAreas` of `others`, under the same convention
 * @param extra 1 where x2 and y2 are the last pixels inside, else 0
 */
export function iou(
  boxes: Float32Array,
  areas: Float32Array,
  i: number,
  others: Float32Array,
  otherAreas: Float32Array,
  j: number,
  extra: 0 | 1,
): number {
  const a = i * 4;
  const b = j * 4;
  const left = Math.max(boxes[a], others[b]);
  const right = Math.min(boxes[a + 2], others[b + 2]);
  const width = Math.fround(Math.fround(right - left) + extra);
  if (!(width > 0)) return 0;
  const top = Math.max(boxes[a + 1], others[b + 1]);
  const bottom = Math.min(boxes[a + 3], others[b + 3]);
  const height = Math.fround(Math.fround(bottom - top) + extra);
  if (!(height > 0)) return 0;
  const intersection = Math.fround(height * width);
  const union = Math.fround(Math.fround(areas[i] + otherAreas[j]) - intersection);
  return intersection > 0 ? Math.fround(intersection / union) : 0;
}

/**
 * Overlaps of box `i` of `boxes` with all of `others`, written to `row` [others]; see `iou`. For loops that allocate
 * nothing: the areas are `boxAreas` of the two lists under the same convention.
 */
function iouRow(
  boxes: Float32Array,
  areas: Float32Array,
  i: number,
  others: Float32Array,
  otherAreas: Float32Array,
  row: Float32Array,
  plusOne = false,
): void {
  const extra = plusOne ? 1 : 0;
  for (let j = 0; j < row.length; j++) row[j] = iou(boxes, areas, i, others, otherAreas, j, extra);
}

/**
 * Overlaps [n, m] of boxes [n, 4] with others [m, 4], as `iouRow`.
 *
 * @throws BoxwrightError `shape` if either does not hold four numbers a box.
 */
export function iouMatrix(boxes: Float32Array, others: Float32Array, plusOne = false): Float32Array {
  const rows = countBoxes(boxes, 'iouMatrix, boxes');
  const columns = countBoxes(others, 'iouMatrix, others');
  const areas = boxAreas(boxes, plusOne);
  const otherAreas = boxAreas(others, plusOne);
  const overlaps = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    iouRow(boxes, areas, i, others, otherAreas, overlaps.subarray(i * columns, (i + 1) * columns), plusOne);
  }
  return overlaps;
}
