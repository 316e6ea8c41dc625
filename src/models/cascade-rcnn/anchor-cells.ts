// Boxes and anchors are in pixels of the canvas here.
import type { CanvasSize } from '../canvas.js';
import { type PyramidAnchorRecipe, pyramidAnchors, pyramidMap } from './anchors.js';

/** One anchor shape of one level, which stands at every cell of the level's map. */
export interface AnchorShape {
  /** x1, y1, x2, y2 at row 0, column 0, float32 */
  readonly base: Float32Array;
  /** Pixels from one cell to the next. */
  readonly stride: number;
  readonly rows: number;
  readonly columns: number;
  /** Index of the shape's anchor at row 0, column 0, and how far it is to the next cell's. */
  readonly first: number;
  readonly step: number;
}

/** A rectangle of cells: rows and columns from the first to before the second number. Empty where that is not more. */
export interface Cells {
  readonly rows: readonly [number, number];
  readonly columns: readonly [number, number];
}

/** The shapes of all levels, in the order of the anchors at a cell. */
export function anchorShapes(recipe: PyramidAnchorRecipe, canvas: CanvasSize): AnchorShape[] {
  const step = recipe.ratios.length;
  let before = 0;
  return recipe.strides.flatMap((stride, level) => {
    const [rows, columns] = pyramidMap(recipe, level, canvas);
    const base = pyramidAnchors(recipe, level, 1, 1);
    const shapes = recipe.ratios.map((_, i): AnchorShape => {
      return { base: base.slice(i * 4, i * 4 + 4), stride, rows, columns, first: before + i, step };
    });
    before += rows * columns * step;
    return shapes;
  });
}

/**
 * Cells whose anchor lies within the frame: x1, y1 ≥ 0, and x2 below the width, or up to the last pixel, width − 1; y2
 * alike.
 */
export function cellsInside(shape: AnchorShape, frame: CanvasSize, end: 'below-side' | 'last-pixel'): Cells {
  const [x1, y1, x2, y2] = shape.base;
  const within = (low: number, high: number, count: number, side: number): [number, number] => {
    const at = (base: number, cell: number) => Math.fround(base + cell * shape.stride);
    const fits = (last: number) => (end === 'below-side' ? last < side : last <= side - 1);
    let from = 0;
    let to = count;
    while (from < count && at(low, from) < 0) from++;
    while (to > from && !fits(at(high, to - 1))) to--;
    return [from, to];
  };
  return { rows: within(y1, y2, shape.rows, frame.height), columns: within(x1, x2, shape.columns, frame.width) };
}

/**
 * Cells whose anchor may overlap a box (x1, y1, x2, y2) by `least` or more; a few that do not are among them.
 *
 * @param extra 1 where x2 and y2 are the last pixels inside, else 0
 */
export function cellsNear({ base, stride }: AnchorShape, box: Float32Array, extra: 0 | 1, least: number): Cells {
  const [width, height] = [0, 1].map((axis) => base[axis + 2] - base[axis] + extra);
  const [ownWidth, ownHeight] = [0, 1].map((axis) => box[axis + 2] - box[axis] + extra);
  // The overlap that the two would have around one centre is the largest of all; below it by more than rounding is far.
  const common = Math.min(width, ownWidth) * Math.min(height, ownHeight);
  const most = common / (width * height + ownWidth * ownHeight - common);
  if (!(most >= least * 0.99)) return { rows: [0, 0], columns: [0, 0] };
  const along = (axis: 0 | 1): [number, number] => [
    Math.floor((box[axis] - base[axis + 2]) / stride) - 1,
    Math.ceil((box[axis + 2] - base[axis]) / stride) + 2,
  ];
  return { rows: along(1), columns: along(0) };
}

/** The cells that are in both. */
export function commonCells(a: Cells, b: Cells): Cells {
  const both = (one: readonly [number, number], other: readonly [number, number]): [number, number] => [
    Math.max(one[0], other[0]),
    Math.min(one[1], other[1]),
  ];
  return { rows: both(a.rows, b.rows), columns: both(a.columns, b.columns) };
}

export function countCells({ rows, columns }: Cells): number {
  return Math.max(rows[1] - rows[0], 0) * Math.max(columns[1] - columns[0], 0);
}

/** Calls `visit` with the index of the shape's anchor at each of the cells. */
export function visitAnchors(shape: AnchorShape, { rows, columns }: Cells, visit: (anchor: number) => void): void {
  for (let row = rows[0]; row < rows[1]; row++) {
    for (let column = columns[0]; column < columns[1]; column++) {
      visit(shape.first + (row * shape.columns + column) * shape.step);
    }
  }
}
