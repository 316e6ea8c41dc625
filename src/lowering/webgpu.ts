// Forms for the WebGPU provider where ONNX Runtime 1.30 lacks a kernel's case or computes it wrongly. Found by running the
// tests of operators on it (test/engine/webgpu.full.test.ts), which tells when one is no longer needed.
import type { ConvAttributes } from '../graph/ops/conv.js';
import { add, cast, equal, mul, pow, sub } from '../graph/ops/elementwise.js';
import { expand } from '../graph/ops/expand.js';
import type { PoolAttributes } from '../graph/ops/pooling.js';
import { openEnd, pad, reshape, slice, sliceRange } from '../graph/ops/shape.js';
import { constantInts, type Value } from '../graph/value.js';
import type { LoweringTable, Rule } from './lower.js';
import { convInputGradient } from './reference.js';

/** Least float32: never a window's largest element unless all of it is padding. */
const lowest = -3.4028234663852886e38;

/**
 * MaxPool has no second output there. Goes through the window's places instead: of those that equal the maximum, the
 * first takes the gradient.
 */
const maxPoolGradientByPlace: Rule = ({ node, inputs: [g, x, y] }) => {
  const { kernel_shape, strides, pads } = node.attributes as PoolAttributes;
  const reach = [0, 1].map((i) => (g.staticShape[2 + i] - 1) * strides[i] + kernel_shape[i]);
  const after = [0, 1].map((i) => reach[i] - pads[i] - x.staticShape[2 + i]);
  const padded = pad(x, [0, 0, pads[0], pads[1]], [0, 0, ...after], lowest);
  // In ceil mode ONNX's shape rule counts a window more than there is; it believes a reshape.
  const maxima = node.attributes.ceil_mode === 1 ? reshape(y, y.staticShape) : y;
  let free: Value | undefined;
  let sum: Value | undefined;
  for (let row = 0; row < kernel_shape[0]; row++) {
    for (let column = 0; column < kernel_shape[1]; column++) {
      const ends = [0, 1].map((i) => [row, column][i] + (g.staticShape[2 + i] - 1) * strides[i] + 1);
      const equals = cast(equal(slice(padded, [row, column], ends, [2, 3], strides), maxima), g.dtype);
      const takes: Value = free ? mul(equals, free) : equals;
      free = free ? sub(free, takes) : sub(1, takes);
      const back = placed(mul(g, takes), [row, column], strides, reach);
      sum = sum ? add(sum, back) : back;
    }
  }
  return [pad(sum!, [0, 0, -pads[0], -pads[1]], [0, 0, -after[0], -after[1]])];
};

/** The elements of g in a map of `size`, `strides` apart and the first at `start`; zeros between. */
function placed(g: Value, start: readonly number[], strides: readonly number[], size: readonly number[]): Value {
  const [n, c, h, w] = g.staticShape;
  const apart =
    strides[0] === 1 && strides[1] === 1
      ? g
      : reshape(pad(reshape(g, [n, c, h, 1, w, 1]), [0, 0, 0, 0, 0, 0], [0, 0, 0, strides[0] - 1, 0, strides[1] - 1]), [
          n,
          c,
          h * strides[0],
          w * strides[1],
        ]);
  const behind = [0, 1].map((i) => size[i] - start[i] - apart.staticShape[2 + i]);
  return pad(apart, [0, 0, ...start], [0, 0, ...behind]);
}

/** Slice backwards is right for a whole axis only: the elements in their order first, then all of them turned round. */
const sliceThenReverse: Rule = ({ node, inputs: [x] }) => {
  const [starts, ends, axes, steps] = [1, 2, 3, 4].map((i) => constantInts(node.inputs[i])!);
  const backwards = axes.filter((_, i) => steps[i] < 0);
  const isWhole = axes.every((_, i) => steps[i] > 0 || (steps[i] === -1 && starts[i] === -1 && ends[i] <= -openEnd));
  if (isWhole || axes.some((axis) => typeof x.shape.at(axis) !== 'number')) return undefined;
  const ranges = axes.map((axis, i) => {
    const { first, count } = sliceRange(x.shape.at(axis) as number, starts[i], ends[i], steps[i]);
    const last = first + (count - 1) * steps[i];
    return count === 0 ? [0, 0] : [Math.min(first, last), Math.max(first, last) + 1];
  });
  const forward = slice(
    x,
    ranges.map(([from]) => from),
    ranges.map(([, to]) => to),
    axes,
    steps.map(Math.abs),
  );
  const [from, to, by] = [-1, -openEnd, -1].map((value) => backwards.map(() => value));
  return [slice(forward, from, to, backwards, by)];
};

/** Pow fails where it spreads a column over rows of a multiple of four; it gets both in full. */
const powOfEqualShapes: Rule = ({ node, inputs: [a, b] }) => {
  const [{ shape }] = node.outputs;
  const isFull = (value: Value) =>
    value.shape.length === shape.length && value.shape.every((dim, i) => dim === shape[i]);
  const isFree = shape.some((dim) => typeof dim !== 'number');
  return isFree || (isFull(a) && isFull(b)) ? undefined : [pow(expand(a, shape), expand(b, shape))];
};

/** A grouped ConvTranspose whose groups give one channel each reads only the first filter of a group: one at a time. */
const filterByFilter: Rule = (call) => {
  const { group } = call.node.attributes as ConvAttributes;
  const [dy, w] = call.inputs;
  const filters = w.staticShape[0] / group;
  if (group === 1 || w.staticShape[1] !== 1 || filters === 1) return undefined;
  const parts = Array.from({ length: filters }, (_, first) => {
    const nth = (value: Value, axis: number) => slice(value, [first], [openEnd], [axis], [filters]);
    return convInputGradient({ ...call, inputs: [nth(dy, 1), nth(w, 0)] })![0]!;
  });
  return [parts.reduce((sum, part) => add(sum, part))];
};

/** A shader may write to some eight buffers; a split into more fails. */
const mostOutputs = 4;

/** Split into many parts: a slice for each. */
const slices: Rule = ({ node, inputs: [x] }) => {
  if (node.outputs.length <= mostOutputs) return undefined;
  const axis = node.attributes.axis as number;
  let from = 0;
  return constantInts(node.inputs[1])!.map((size) => {
    from += size;
    return slice(x, [from - size], [from], [axis]);
  });
};

export const webgpu: LoweringTable = new Map<string, readonly Rule[]>([
  ['ConvInputGradient', [filterByFilter]],
  ['MaxPoolGradient', [maxPoolGradientByPlace]],
  ['Pow', [powOfEqualShapes]],
  ['Slice', [sliceThenReverse]],
  ['Split', [slices]],
]);
