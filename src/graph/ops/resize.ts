import { dimDivide, dimsAgree, dimTimes } from '../dims.js';
import type { Dim, Operator, Shape, Value } from '../value.js';
import { apply1, constant, constantInts, constantTensor, int64s, shapeError } from '../value.js';
import { matMul } from './linear.js';
import { required, requireRank, requireWhole } from './require.js';

export type ResizeMode = 'nearest' | 'linear';
/** Where a pixel lies: `half_pixel` (centres, as OpenCV, PyTorch and the browser), `asymmetric` (corners), `align_corners`. */
export type ResizeCoordinates = 'half_pixel' | 'asymmetric' | 'align_corners';

type ResizeAttributes = {
  mode: ResizeMode;
  coordinate_transformation_mode: ResizeCoordinates;
  nearest_mode: 'floor' | 'round_prefer_floor';
};

const resizeKinds = { mode: 'string', coordinate_transformation_mode: 'string', nearest_mode: 'string' } as const;

/** Inputs as in ONNX: x, (roi), scales, sizes. */
export const Resize: Operator<ResizeAttributes> = {
  type: 'Resize',
  attributes: resizeKinds,
  infer(inputs) {
    const x = required('Resize', inputs, 0);
    requireRank('Resize', x, 4, 'the input');
    const sizes = constantInts(inputs[3]);
    const scales = constantTensor(inputs[2]);
    if (sizes) {
      if (sizes.length !== 4 || !dimsAgree(sizes[0], x.shape[0]) || !dimsAgree(sizes[1], x.shape[1]))
        throw shapeError('Resize', `cannot change batch and channels to [${sizes.join(', ')}].`, [x]);
      requireWhole('Resize', 'sizes', sizes, 1);
      return [{ dtype: x.dtype, shape: sizes }];
    }
    if (!scales) throw shapeError('Resize', 'needs constant scales or sizes; see resizeTo for computed sizes.', inputs);
    return [{ dtype: x.dtype, shape: x.shape.map((dim, axis) => scaledDim(dim, Number(scales.data[axis]))) }];
  },
  // Resizing is linear and separable: y = Rows · x · Columnsᵀ, so dX = Rowsᵀ · dY · Columns.
  vjp({ inputs: [x, , factors], outputs: [y], attributes, gradients: [g] }) {
    const [, , h, w] = x.staticShape;
    const [, , oh, ow] = y.staticShape;
    const scales = constantTensor(factors)?.data ?? [1, 1, oh / h, ow / w];
    const rows = interpolation(h, oh, Number(scales[2]), attributes);
    const columns = interpolation(w, ow, Number(scales[3]), attributes);
    return [matMul(matMul(transposed(rows, oh, h), g!), constant('float32', [ow, w], columns))];
  },
};

function scaledDim(dim: Dim, scale: number): Dim {
  if (typeof dim === 'number') return Math.floor(Math.fround(dim * scale));
  if (Number.isInteger(scale)) return dimTimes(dim, scale);
  return Number.isInteger(1 / scale) ? dimDivide(dim, 1 / scale) : `floor(${dim}*${scale})`;
}

function transposed(matrix: Float32Array, rows: number, columns: number): Value {
  const flipped = new Float32Array(matrix.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) flipped[j * rows + i] = matrix[i * columns + j];
  return constant('float32', [columns, rows], flipped);
}

/**
 * The [to, from] matrix that resizes one axis, as ONNX defines the modes. `scale` is to / from, or the factor that was
 * asked for where the size was rounded down. Positions are rounded to float32 as the runtime does, since at a half or a
 * whole number the last bit decides which pixel is nearest.
 */
export function interpolation(
  from: number,
  to: number,
  scale: number,
  { mode, coordinate_transformation_mode: where, nearest_mode }: ResizeAttributes,
): Float32Array {
  const matrix = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const at = sourcePosition(i, from, to, Math.fround(scale), where);
    if (mode === 'nearest') {
      const index = nearest_mode === 'floor' ? Math.floor(at) : Math.ceil(at - 0.5);
      matrix[i * from + Math.min(Math.max(index, 0), from - 1)] = 1;
      continue;
    }
    const limited = Math.min(Math.max(at, 0), from - 1);
    const low = Math.min(Math.floor(limited), from - 1);
    const high = Math.min(low + 1, from - 1);
    matrix[i * from + low] += 1 - (limited - low);
    matrix[i * from + high] += limited - low;
  }
  return matrix;
}

function sourcePosition(i: number, from: number, to: number, scale: number, where: ResizeCoordinates): number {
  if (where === 'half_pixel') return Math.fround(Math.fround((i + 0.5) / scale) - 0.5);
  if (where === 'asymmetric') return Math.fround(i / scale);
  return to === 1 ? 0 : Math.fround((i * (from - 1)) / (to - 1));
}

export interface ResizeOptions {
  readonly mode: ResizeMode;
  /** Default: `asymmetric` for nearest (plain repetition at whole factors), `half_pixel` for linear. */
  readonly coordinates?: ResizeCoordinates;
}

function resizeAttributes({ mode, coordinates }: ResizeOptions): ResizeAttributes {
  const where = coordinates ?? (mode === 'nearest' ? 'asymmetric' : 'half_pixel');
  return {
    mode,
    coordinate_transformation_mode: where,
    nearest_mode: where === 'asymmetric' ? 'floor' : 'round_prefer_floor',
  };
}

/** x [N, C, H, W] with H and W times a whole or fractional factor, rounded down. */
export function upsample(x: Value, factor: number, options: ResizeOptions): Value {
  if (!(factor > 0)) throw shapeError('Resize', `the factor must be greater than 0, not ${factor}.`, [x]);
  const scales = constant('float32', [4], Float32Array.of(1, 1, factor, factor));
  return apply1(Resize, [x, undefined, scales], resizeAttributes(options));
}

/** x [N, C, H, W] resized to fixed sizes [height, width]; N and C must be fixed (else see `resizeTo`). */
export function resize(x: Value, [height, width]: readonly [number, number], options: ResizeOptions): Value {
  const [n, c] = x.shape;
  if (typeof n !== 'number' || typeof c !== 'number')
    throw shapeError('Resize', 'batch and channels must be fixed; see resizeTo.', [x]);
  return apply1(Resize, [x, undefined, undefined, int64s([n, c, height, width])], resizeAttributes(options));
}

/** x resized to a computed int64 size vector [4]; `result` says the shape that it will have. */
export function resizeTo(x: Value, sizes: Value, result: Shape, options: ResizeOptions): Value {
  const operator: Operator<ResizeAttributes> = {
    type: 'Resize',
    attributes: resizeKinds,
    infer: () => [{ dtype: x.dtype, shape: result }],
    vjp: Resize.vjp,
  };
  return apply1(operator, [x, undefined, undefined, sizes], resizeAttributes(options));
}
