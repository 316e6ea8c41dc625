// Winograd's convolution F(4×4, 3×3) (Lavin & Gray 2016) and its gradients, in plain operators: a 3×3 convolution of stride 1
// with a quarter of the multiplications. Tiles of 4×4 outputs are transformed by 6×6 kernels of a convolution with stride 4
// over all channel planes stacked below each other, which leaves them as the batched product wants them: [36, N, C, tiles].
import { Conv, type ConvAttributes } from '../graph/ops/conv.js';
import { add } from '../graph/ops/elementwise.js';
import { matMul } from '../graph/ops/linear.js';
import { reduceSum } from '../graph/ops/reduce.js';
import { depthToSpace, pad, reshape, slice, transpose } from '../graph/ops/shape.js';
import { apply1, constant, type Operator, type Value } from '../graph/value.js';
import type { ShapedConv } from './conv-input-gradient.js';
import { fusedMatMul } from './fused-matmul.js';
import type { LoweringCall, Rule } from './lower.js';

/** Input transform Bᵀ, kernel transform G and output transform Aᵀ of F(4, 3) with the points 0, ±1, ±2, ∞. */
const inputTransform = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
];
const kernelTransform = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
];
const outputTransform = [
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 0],
  [0, 1, 1, 4, 4, 0],
  [0, 1, -1, 8, -8, 1],
];

type Matrix = readonly (readonly number[])[];

/** a ⊗ b. */
function kronecker(a: Matrix, b: Matrix): number[][] {
  return a.flatMap((rowA) => b.map((rowB) => rowA.flatMap((left) => rowB.map((right) => left * right))));
}

function transposed(matrix: Matrix): number[][] {
  return matrix[0].map((_, column) => matrix.map((row) => row[column]));
}

function matrixConstant(matrix: Matrix, shape: readonly number[]): Value {
  return constant('float32', shape, Float32Array.from(matrix.flat()));
}

const RandomUniform: Operator<{ shape: readonly number[]; low: number; high: number }> = {
  type: 'RandomUniform',
  attributes: { shape: 'ints', low: 'float', high: 'float' },
  infer: (_, { shape }) => [{ dtype: 'float32', shape }],
};

/**
 * The runtime moves convolutions with constant kernels into its blocked layout, whose reordering costs more than these
 * convolutions themselves. A random number between 0 and 0 hides that the kernels are constant.
 */
function hidden(kernels: Value): Value {
  return add(kernels, apply1(RandomUniform, [], { shape: [1], low: 0, high: 0 }));
}

// One value each, so that equal nodes of different rules are merged.
const inputKernels = hidden(matrixConstant(kronecker(inputTransform, inputTransform), [36, 1, 6, 6]));
const outputGradientKernels = hidden(
  matrixConstant(kronecker(transposed(outputTransform), transposed(outputTransform)), [36, 1, 4, 4]),
);
const outputMatrix = matrixConstant(kronecker(outputTransform, outputTransform), [16, 36]);
const kernelMatrix = kronecker(kernelTransform, kernelTransform);
const weightMatrix = matrixConstant(kernelMatrix, [36, 9]);
/** For kernels turned by 180°, as the input gradient has them. */
const turnedWeightMatrix = matrixConstant(
  kernelMatrix.map((row) => [...row].reverse()),
  [36, 9],
);

/** How a map [N, C, H, W] is cut into tiles. */
interface Tiling {
  readonly rows: number;
  readonly columns: number;
  /** The pictures' tiles stand side by side as [36, 1, C, N · tiles]: with few tiles a picture, products of a picture are small. */
  readonly folded: boolean;
}

/** Tiles a picture below which the pictures are folded together (the products then pay for two transposed maps). */
const fewTiles = 64;

/** The last tile row of a plane may read the next plane only for outputs that are cut off. */
function tilingOf([n, , height, width]: readonly number[]): Tiling {
  const [rows, columns] = [Math.ceil((height + 2) / 4), Math.ceil(width / 4)];
  return { rows, columns, folded: n > 1 && rows * columns < fewTiles };
}

const swapPictures = (x: Value) => transpose(x, [1, 0, 2, 3]);

/** Stride-4 convolution over the stacked planes of a map of height 4 · rows: [36, N, C, tiles]. */
function transformTiles(map: Value, kernels: Value, below: number, { rows, columns, folded }: Tiling): Value {
  const [n, c, h, w] = map.staticShape;
  const planes = reshape(folded ? swapPictures(map) : map, [1, 1, n * c * h, w]);
  const attributes = { strides: [4, 4], pads: [0, 0, below, 0], dilations: [1, 1], group: 1 };
  const tiles = apply1(Conv, [planes, kernels], attributes);
  return reshape(tiles, folded ? [36, 1, c, n * rows * columns] : [36, n, c, rows * columns]);
}

/** V of x [N, C, H, W] for outputs of the same size. */
function transformInput(x: Value): Value {
  const [, , h, w] = x.staticShape;
  const tiling = tilingOf(x.staticShape);
  const framed = pad(x, [0, 0, 1, 1], [0, 0, 4 * tiling.rows - 1 - h, 4 * tiling.columns + 1 - w]);
  return transformTiles(framed, inputKernels, 2, tiling);
}

/** The gradient by the products M from the gradient by the output [N, C, H, W]. */
function transformOutputGradient(dy: Value): Value {
  const [, , h, w] = dy.staticShape;
  const tiling = tilingOf(dy.staticShape);
  const framed = pad(dy, [0, 0, 0, 0], [0, 0, 4 * tiling.rows - h, 4 * tiling.columns - w]);
  return transformTiles(framed, outputGradientKernels, 0, tiling);
}

/** Output of the given shape [N, C, H, W] from the products [36, N, C, tiles]. */
function transformProducts(products: Value, shape: readonly number[]): Value {
  const [n, c, h, w] = shape;
  const { rows, columns, folded } = tilingOf(shape);
  const pixels = matMul(outputMatrix, reshape(products, [36, n * c * rows * columns]));
  const tiles = depthToSpace(reshape(pixels, [1, 16, n * c * rows, columns]), 4);
  const planes = reshape(tiles, folded ? [c, n, 4 * rows, 4 * columns] : [n, c, 4 * rows, 4 * columns]);
  const cut = slice(planes, [0, 0], [h, w], [2, 3]);
  return folded ? swapPictures(cut) : cut;
}

/** U [36, 1, out, in] of a kernel [out, in, 3, 3]. */
function transformKernel(w: Value, matrix: Value): Value {
  const [out, channels] = w.staticShape;
  const product = fusedMatMul(matrix, reshape(w, [out * channels, 9]), { transB: true });
  return reshape(product, [36, 1, out, channels]);
}

/** Whether the convolution is one that Winograd's tiles can do: 3×3, stride 1, output as large as the input. */
function isSame3x3(w: readonly number[], { strides, pads, dilations, group }: ConvAttributes): boolean {
  const ones = [...strides, ...pads, ...dilations, group, w[2] - 2, w[3] - 2];
  return ones.every((value) => value === 1);
}

/** Measured: below, the transforms cost more than the multiplications they save. */
const minimalChannels = 64;

function fits(w: readonly number[], x: readonly number[], conv: ConvAttributes, { target }: LoweringCall): boolean {
  return target.training === true && isSame3x3(w, conv) && Math.min(w[0], w[1]) >= minimalChannels && x[2] * x[3] >= 64;
}

export const winogradConv: Rule = (call) => {
  const [x, w, bias] = call.inputs;
  if (x.dtype !== 'float32' || !fits(w.staticShape, x.staticShape, call.node.attributes as ConvAttributes, call))
    return undefined;
  const products = matMul(transformKernel(w, weightMatrix), transformInput(x));
  const y = transformProducts(products, call.node.outputs[0].staticShape);
  return [bias ? add(y, reshape(bias, [1, -1, 1, 1])) : y];
};

/** The input gradient is a convolution of dY by the turned kernel. */
export const winogradInputGradient: Rule = (call) => {
  const [dy, w] = call.inputs;
  const { shape, ...conv } = call.node.attributes as ShapedConv;
  if (!fits(w.staticShape, shape, conv, call)) return undefined;
  const products = fusedMatMul(transformKernel(w, turnedWeightMatrix), transformInput(dy), { transA: true });
  return [transformProducts(products, shape)];
};

/** V is kept from the forward convolution. */
export const winogradWeightGradient: Rule = (call) => {
  const [x, dy] = call.inputs;
  const { shape, ...conv } = call.node.attributes as ShapedConv;
  if (!fits(shape, x.staticShape, conv, call)) return undefined;
  const products = fusedMatMul(transformOutputGradient(dy), transformInput(x), { transB: true });
  const summed = reshape(reduceSum(products, [1]), [36, shape[0] * shape[1]]);
  return [reshape(fusedMatMul(summed, weightMatrix, { transA: true }), shape)];
};
