// Anchors are in pixels of the canvas here.
import { add, cast, constant, mul, rangeAlong, reshape, type Value } from '../../graph/index.js';
import type { CanvasSize } from '../canvas.js';

/** The anchors of a feature pyramid as plain data: one scale, three ratios, at every cell of every level. */
export interface PyramidAnchorRecipe {
  /** Pixels from one cell to the next, a level each. */
  readonly strides: readonly number[];
  /** Side of the square anchor, in strides. */
  readonly scale: number;
  /** Height over width. */
  readonly ratios: readonly number[];
  /** Where a cell's anchors stand: centred on its upper left corner, or as the MindSpore zoo rounds them. */
  readonly base: 'corner' | 'zoo';
}

/** Rows and columns of a level's map on a canvas: a cell for every stride that has begun. */
export function pyramidMap(recipe: PyramidAnchorRecipe, level: number, canvas: CanvasSize): [number, number] {
  const stride = recipe.strides[level];
  return [Math.ceil(canvas.height / stride), Math.ceil(canvas.width / stride)];
}

/**
 * A level's anchors as corners [rows · columns · ratios, 4], in the order row, column, ratio. Base and shift are rounded
 * to float32 before they are added, as the references do it: which anchors tie for a box hinges on the last bit.
 */
export function pyramidAnchors(
  recipe: PyramidAnchorRecipe,
  level: number,
  rows: number,
  columns: number,
): Float32Array {
  const base = baseAnchors(recipe, level);
  const stride = recipe.strides[level];
  const anchors = new Float32Array(rows * columns * base.length);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let i = 0; i < base.length; i += 2) {
        anchors[at++] = base[i] + column * stride;
        anchors[at++] = base[i + 1] + row * stride;
      }
    }
  }
  return anchors;
}

/**
 * Graph form of `pyramidAnchors`, equal to the last bit: float32 [1, H · W · ratios, 4], a constant where the map's size
 * is fixed.
 *
 * @param map the level's map [N, C, H, W], of which only the size is read
 */
export function pyramidAnchorsGraph(recipe: PyramidAnchorRecipe, level: number, map: Value): Value {
  const [, , rows, columns] = map.shape;
  if (typeof rows === 'number' && typeof columns === 'number') {
    const anchors = pyramidAnchors(recipe, level, rows, columns);
    return constant('float32', [1, anchors.length / 4, 4], anchors);
  }
  const stride = recipe.strides[level];
  const shifts = (axis: number, shape: readonly number[], own: readonly number[]): Value => {
    const cells = reshape(cast(rangeAlong(map, axis), 'float32'), shape);
    return mul(cells, constant('float32', [1, 1, 1, 1, 4], Float32Array.from(own)));
  };
  const down = shifts(2, [1, -1, 1, 1, 1], [0, stride, 0, stride]);
  const right = shifts(3, [1, 1, -1, 1, 1], [stride, 0, stride, 0]);
  const base = constant('float32', [1, 1, 1, recipe.ratios.length, 4], baseAnchors(recipe, level));
  return reshape(add(add(down, right), base), [1, -1, 4]);
}

/** Anchors [ratios, 4] of the cell at row 0, column 0. */
function baseAnchors(recipe: PyramidAnchorRecipe, level: number): Float32Array {
  const side = recipe.strides[level] * recipe.scale;
  const boxes = recipe.ratios.map((ratio) =>
    recipe.base === 'zoo' ? zooBase(recipe.strides[level], side, ratio) : cornerBase(side, ratio),
  );
  return Float32Array.from(boxes.flat());
}

/** mmdetection's, which computes in float32. */
function cornerBase(side: number, ratio: number): number[] {
  const tall = Math.fround(Math.sqrt(ratio));
  const width = Math.fround(side * Math.fround(1 / tall)) / 2;
  const height = Math.fround(side * tall) / 2;
  return [-width, -height, width, height];
}

/** The zoo's, in float64: centred between the cell's pixels, x2 and y2 the last pixels inside, rounded. */
function zooBase(stride: number, side: number, ratio: number): number[] {
  const tall = Math.sqrt(ratio);
  const centre = (stride - 1) / 2;
  const width = (side * (1 / tall) - 1) / 2;
  const height = (side * tall - 1) / 2;
  return [centre - width, centre - height, centre + width, centre + height].map(roundEven);
}

/** NumPy's rounding: halves go to the even neighbour. */
function roundEven(value: number): number {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}
