// Winograd's convolution F(4×4, 3×3) (Lavin & Gray 2016) and its gradients, in plain operators: a 3×3 convolution of stride 1
// with a quarter of the multiplications. Tiles of 4×4 outputs are transformed by 6×6 kernels of stride 4 that walk over all
// planes of a map, which leaves them as the batched product wants them: [36, N, C, tiles].
import { type ConvAttributes, ConvWeightGradient } from '../graph/ops/conv.js';
import { add } from '../graph/ops/elementwise.js';
import { gemm, matMul } from '../graph/ops/linear.js';
import { reduceSum } from '../graph/ops/reduce.js';
import { depthToSpace, reshape, slice, transpose } from '../graph/ops/shape.js';
import { apply1, constant, type Operator, type Value } from '../graph/value.js';
import type { ShapedConv } from './conv-input-gradient.js';
import { fusedMatMul } from './fused-matmul.js';
import type { Rule } from './lower.js';

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

// One value each, so that equal nodes of different rules are merged.
const inputKernels = matrixConstant(kronecker(inputTransform, inputTransform), [36, 1, 1, 6, 6]);
const outputGradientKernels = matrixConstant(
  kronecker(transposed(outputTransform), transposed(outputTransform)),
  [36, 1, 1, 4, 4],
);
const outputMatrix = matrixConstant(kronecker(outputTransform, outputTransform), [16, 36]);
const kernelMatrix = kronecker(kernelTransform, kernelTransform);
const weightMatrix = matrixConstant(kernelMatrix, [36, 9]);
/** For kernels turned by 180°, as the input gradient has them. */
const turnedWeightMatrix = matrixConstant(
  kernelMatrix.map((row) => [...row].reverse()),
  [36, 9],
);

type PlaneConvAttributes = { strides: readonly number[]; pads: readonly number[] };

/**
 * ONNX's convolution of [1, 1, planes, H, W] by [36, 1, 1, k, k]: over three axes, which pads every plane by itself, and which
 * the runtime does not move into its blocked layout, whose reordering costs more than these convolutions themselves.
 */
const PlaneConv: Operator<PlaneConvAttributes> = {
  type: 'Conv',
  attributes: { strides: 'ints', pads: 'ints' },
  infer([x, w], { strides, pads }) {
    const [planes, kernels] = [x!.shape as readonly number[], w!.shape as readonly number[]];
    const spatial = strides.map((stride, i) => {
      const free = planes[2 + i] + pads[i] + pads[3 + i] - kernels[2 + i];
      return Math.floor(free / stride) + 1;
    });
    return [{ dtype: x!.dtype, shape: [1, kernels[0], ...spatial] }];
  },
};

/** How a map [N, C, H, W] is cut into tiles. */
interface Tiling {
  readonly rows: number;
  readonly columns: number;
  /** The pictures' tiles stand side by side as [36, 1, C, N · tiles]: with few tiles a picture, products of a picture are small. */
  readonly folded: boolean;
}

/** Tiles a picture below which the pictures are folded together (the products then pay for two transposed maps). */
const fewTiles = 64;

function tilingOf([n, , height, width]: readonly number[]): Tiling {
  const [rows, columns] = [Math.ceil(height / 4), Math.ceil(width / 4)];
  return { rows, columns, folded: n > 1 && rows * columns < fewTiles };
}

const swapPictures = (x: Value) => transpose(x, [1, 0, 2, 3]);

/** Tiles of a map [N, C, H, W], `frame` pixels of zeros around it, transformed by the kernels: [36, N, C, tiles]. */
function transformTiles(map: Value, kernels: Value, frame: number): Value {
  const [n, c, h, w] = map.staticShape;
  const { rows, columns, folded } = tilingOf(map.staticShape);
  const planes = reshape(folded ? swapPictures(map) : map, [1, 1, n * c, h, w]);
  const pads = [0, frame, frame, 0, 4 * rows - h + frame, 4 * columns - w + frame];
  const tiles = apply1(PlaneConv, [planes, kernels], { strides: [1, 4, 4], pads });
  return reshape(tiles, folded ? [36, 1, c, n * rows * columns] : [36, n, c, rows * columns]);
}

/** V of x [N, C, H, W] for outputs of the same size. */
function transformInput(x: Value): Value {
  return transformTiles(x, inputKernels, 1);
}

/** The gradient by the products M from the gradient by the output [N, C, H, W]. */
function transformOutputGradient(dy: Value): Value {
  return transformTiles(dy, outputGradientKernels, 0);
}

/** Output of the given shape [N, C, H, W] from the products [36, N, C, tiles]. */
function transformProducts(products: Value, shape: readonly number[]): Value {
  const [n, c, h, w] = shape;
  const { rows, columns, folded } = tilingOf(shape);
  const pixels = matMul(outputMatrix, reshape(products, [36, n * c * rows * columns]));
  const tiles = depthToSpace(reshape(pixels, [1, 16, n * c * rows, columns]), 4);
  const planes = reshape(tiles, folded ? [c, n, 4 * rows, 4 * columns] : [n, c, 4 * rows, 4 * columns]);
  const cut = h === 4 * rows && w === 4 * columns ? planes : slice(planes, [0, 0], [h, w], [2, 3]);
  return folded ? swapPictures(cut) : cut;
}

/** U [36, 1, out, in] of a kernel [out, in, 3, 3]. Gemm is an operator that the runtime computes beforehand of constant kernels. */
function transformKernel(w: Value, matrix: Value): Value {
  const [out, channels] = w.staticShape;
  const product = gemm(matrix, reshape(w, [out * channels, 9]), { transB: true });
  return reshape(product, [36, 1, out, channels]);
}

/** Whether the convolution is one that Winograd's tiles can do: 3×3, stride 1, output as large as the input. */
function isSame3x3(w: readonly number[], { strides, pads, dilations, group }: ConvAttributes): boolean {
  const ones = [...strides, ...pads, ...dilations, group, w[2] - 2, w[3] - 2];
  return ones.every((value) => value === 1);
}

/**
 * Whether Winograd's form is the faster one, as measured (docs/benchmarks.md). Products grow with in · out, transforms
 * with in + out: a convolution alone needs more channels to be worth them than one whose
 * weight gradient shares them.
 */
function pays([out, channels]: readonly number[], [, , height, width]: readonly number[], shared: boolean): boolean {
  return shared
    ? Math.min(out, channels) >= 64 && height * width >= 64
    : (2 * out * channels) / (out + channels) >= 160 && height * width >= 400;
}

function fits(w: readonly number[], x: readonly number[], conv: ConvAttributes, shared = true): boolean {
  return isSame3x3(w, conv) && pays(w, x, shared);
}

/** Only of fixed shapes, which the tiling follows. */
export const winogradConv: Rule = ({ node, inputs: [x, w, bias], users }) => {
  if (x.dtype !== 'float32' || x.rank !== 4 || x.shape.some((dim) => typeof dim !== 'number')) return undefined;
  const shared = !!users.get(node.inputs[0]!)?.some(({ operator }) => operator === ConvWeightGradient);
  if (!fits(w.staticShape, x.staticShape, node.attributes as ConvAttributes, shared)) return undefined;
  const products = matMul(transformKernel(w, weightMatrix), transformInput(x));
  const y = transformProducts(products, node.outputs[0].staticShape);
  return [bias ? add(y, reshape(bias, [1, -1, 1, 1])) : y];
};

/** The input gradient is a convolution of dY by the turned kernel. */
export const winogradInputGradient: Rule = ({ node, inputs: [dy, w] }) => {
  const { shape, ...conv } = node.attributes as ShapedConv;
  if (!fits(w.staticShape, shape, conv)) return undefined;
  const products = fusedMatMul(transformKernel(w, turnedWeightMatrix), transformInput(dy), { transA: true });
  return [transformProducts(products, shape)];
};

/** V is kept from the forward convolution. */
export const winogradWeightGradient: Rule = ({ node, inputs: [x, dy] }) => {
  const { shape, ...conv } = node.attributes as ShapedConv;
  if (!fits(shape, x.staticShape, conv)) return undefined;
  const products = fusedMatMul(transformOutputGradient(dy), transformInput(x), { transB: true });
  const summed = reshape(reduceSum(products, [1]), [36, shape[0] * shape[1]]);
  return [reshape(fusedMatMul(summed, weightMatrix, { transA: true }), shape)];
};
