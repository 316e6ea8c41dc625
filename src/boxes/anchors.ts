import { countBoxes } from './iou.js';

/** One feature level's anchors: the same shapes at every cell. Any unit, as long as it is one. */
export interface AnchorLevel {
  readonly rows: number;
  readonly columns: number;
  /** Distance of two neighbouring cells. */
  readonly stride: number;
  /** [cx, cy, w, h] of each anchor of a cell, the centre relative to the cell's upper left corner. */
  readonly shapes: readonly (readonly [number, number, number, number])[];
}

/** Number of anchors of the levels. */
export function countAnchors(levels: readonly AnchorLevel[]): number {
  return levels.reduce((sum, level) => sum + level.rows * level.columns * level.shapes.length, 0);
}

/**
 * Anchors [n, 4] in centre form (cx, cy, w, h), in the order level, row, column, shape: the order in which a head's
 * maps, as NHWC, are flattened. Float64, so that the caller scales and clips before it rounds once.
 */
export function gridAnchors(levels: readonly AnchorLevel[]): Float64Array {
  const anchors = new Float64Array(countAnchors(levels) * 4);
  let at = 0;
  for (const { rows, columns, stride, shapes } of levels) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        for (const [x, y, width, height] of shapes) {
          anchors[at++] = column * stride + x;
          anchors[at++] = row * stride + y;
          anchors[at++] = width;
          anchors[at++] = height;
        }
      }
    }
  }
  return anchors;
}

/**
 * Corners [n, 4] (x1, y1, x2, y2) in float32 of boxes in centre form [n, 4], computed in float64.
 *
 * @param plusOne whether x2 and y2 are the last pixels inside, so that a width is x2 − x1 + 1
 * @throws BoxwrightError `shape` if `centres` does not hold four numbers a box.
 */
export function toCorners(centres: Float64Array | Float32Array, plusOne = false): Float32Array {
  countBoxes(centres, 'toCorners');
  const extra = plusOne ? 1 : 0;
  const corners = new Float32Array(centres.length);
  for (let at = 0; at < centres.length; at += 4) {
    corners[at] = centres[at] - (centres[at + 2] - extra) / 2;
    corners[at + 1] = centres[at + 1] - (centres[at + 3] - extra) / 2;
    corners[at + 2] = centres[at] + (centres[at + 2] - extra) / 2;
    corners[at + 3] = centres[at + 1] + (centres[at + 3] - extra) / 2;
  }
  return corners;
}
