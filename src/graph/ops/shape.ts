import { dimDivide, dimPlus, dimProduct, dimsAgree, dimTimes, mergeDim, normalizeAxis } from '../dims.js';
import type { ElementType } from '../tensor.js';
import type { Dim, Operator, Shape, Type, Value } from '../value.js';
import { apply, apply1, constant, constantInts, filled, int64s, shapeError } from '../value.js';
import { scalarLike } from './elementwise.js';
import { scatterNd } from './gather.js';
import { required, requireSameType, requireType, requireWhole } from './require.js';

type None = Record<string, never>;

/** The dimensions that a Reshape gives, with 0 (copy) and -1 (the rest) resolved. */
function reshapedDims(x: Type, target: readonly number[]): Dim[] {
  if (target.filter((dim) => dim === -1).length > 1 || target.some((dim) => dim < -1))
    throw shapeError('Reshape', `[${target.join(', ')}] is no shape: only one dimension may be -1.`, [x]);
  const dims = target.map((dim, axis): Dim => {
    if (dim !== 0) return dim;
    if (axis >= x.shape.length)
      throw shapeError('Reshape', `0 at axis ${axis} copies a dimension that is not there.`, [x]);
    return x.shape[axis];
  });
  const rest = dims.indexOf(-1);
  const known = dimProduct(dims.filter((dim) => dim !== -1));
  const total = dimProduct(x.shape);
  const text = () => `[${dims.join(', ')}]`;
  if (rest >= 0) dims[rest] = restDim(x, dims, rest) ?? quotient(x, total, known, text());
  else if (!dimsAgree(total, known)) throw shapeError('Reshape', `${total} elements do not fill ${text()}.`, [x]);
  return dims;
}

/** -1 that stands for one free dimension whose neighbours are all the same keeps its symbol. */
function restDim(x: Type, dims: readonly Dim[], rest: number): Dim | undefined {
  const others = dims.filter((_, axis) => axis !== rest);
  const left = [...x.shape];
  for (const dim of others) {
    const at = left.indexOf(dim);
    if (at >= 0) left.splice(at, 1);
    else if (dim !== 1) return undefined;
  }
  return dimProduct(left);
}

function quotient(x: Type, total: Dim, known: Dim, text: string): Dim {
  if (typeof total === 'number' && typeof known === 'number') {
    if (known === 0 || total % known !== 0)
      throw shapeError('Reshape', `${total} elements do not fit into ${text}.`, [x]);
    return total / known;
  }
  if (typeof known === 'number') {
    // Free dimensions times numbers: divide the numbers where they go into each other.
    const factor = x.shape.reduce<number>((product, dim) => (typeof dim === 'number' ? product * dim : product), 1);
    const free = dimProduct(x.shape.filter((dim) => typeof dim !== 'number'));
    if (factor % known === 0) return dimTimes(free, factor / known);
    return dimDivide(total, known);
  }
  return `${total}/(${known})`;
}

const Reshape: Operator<None> = {
  type: 'Reshape',
  infer(inputs) {
    const x = required('Reshape', inputs, 0);
    const target = constantInts(inputs[1]);
    if (!target)
      throw shapeError('Reshape', 'the target shape must be constant here; see reshapeTo for computed ones.', inputs);
    return [{ dtype: x.dtype, shape: reshapedDims(x, target) }];
  },
  vjp: ({ inputs: [x], gradients: [g] }) => [reshape(g!, x.shape), undefined],
};

/**
 * The same elements in another shape. One dimension may be -1 (the rest); 0 copies the input's. Free dimensions may be
 * named by their symbols: at most one of them may move, the others must stay at their axis.
 */
export function reshape(x: Value, dims: Shape): Value {
  const moved = dims.filter((dim, axis) => typeof dim === 'string' && x.shape[axis] !== dim);
  if (moved.length > 1 || (moved.length === 1 && dims.includes(-1))) {
    throw shapeError('Reshape', `more than one free dimension of [${dims.join(', ')}] moves; use reshapeTo.`, [x]);
  }
  const target = dims.map((dim, axis) => (typeof dim === 'number' ? dim : x.shape[axis] === dim ? 0 : -1));
  return apply1(Reshape, [x, int64s(target)], {});
}

/** Reshape by a computed shape; the type that results is said by the caller, since the numbers are known only later. */
export function reshapeTo(x: Value, shape: Value, result: Shape): Value {
  const operator: Operator<None> = {
    type: 'Reshape',
    infer: (inputs) => {
      requireType('Reshape', required('Reshape', inputs, 1), ['int64'], 'the shape');
      return [{ dtype: x.dtype, shape: result }];
    },
  };
  return apply1(operator, [x, shape], {});
}

type TransposeAttributes = { perm: readonly number[] };
export const Transpose: Operator<TransposeAttributes> = {
  type: 'Transpose',
  attributes: { perm: 'ints' },
  infer(inputs, { perm }) {
    const x = required('Transpose', inputs, 0);
    const sorted = [...perm].sort((a, b) => a - b);
    if (perm.length !== x.rank || sorted.some((axis, i) => axis !== i)) {
      throw shapeError('Transpose', `[${perm.join(', ')}] is no order of ${x.rank} axes.`, inputs);
    }
    return [{ dtype: x.dtype, shape: perm.map((axis) => x.shape[axis]) }];
  },
  vjp: ({ attributes: { perm }, gradients: [g] }) => [
    transpose(
      g!,
      perm.map((_, axis) => perm.indexOf(axis)),
    ),
  ],
};

/** Axes in another order: output axis i is input axis `perm[i]`. */
export function transpose(x: Value, perm: readonly number[]): Value {
  return apply1(Transpose, [x], { perm });
}

type AxisAttributes = { axis: number };
const Concat: Operator<AxisAttributes> = {
  type: 'Concat',
  attributes: { axis: 'int' },
  infer(inputs, { axis }) {
    const values = inputs.map((_, i) => required('Concat', inputs, i));
    const [first] = values;
    if (!first) throw shapeError('Concat', 'needs at least one value.');
    const at = normalizeAxis('Concat', axis, first.rank, values);
    const shape = [...first.shape];
    for (const value of values.slice(1)) {
      if (value.rank !== first.rank) throw shapeError('Concat', 'ranks differ.', values);
      value.shape.forEach((dim, i) => {
        if (i === at) shape[i] = addDims(shape[i], dim);
        else if (!dimsAgree(shape[i], dim))
          throw shapeError('Concat', `axis ${i} differs: ${shape[i]} and ${dim}.`, values);
        else shape[i] = mergeDim(shape[i], dim);
      });
    }
    return [{ dtype: requireSameType('Concat', values), shape }];
  },
  vjp: ({ inputs, attributes: { axis }, gradients: [g], wants }) => {
    const at = axis < 0 ? axis + inputs[0].rank : axis;
    let start = 0;
    return inputs.map((input, i) => {
      const from = start;
      start += input.staticShape[at];
      return wants[i] ? slice(g!, [from], [start], [at]) : undefined;
    });
  },
};

function addDims(a: Dim, b: Dim): Dim {
  if (typeof b === 'number') return dimPlus(a, b);
  return typeof a === 'number' ? dimPlus(b, a) : `${a} + ${b}`;
}

/** The values one behind the other along an axis. */
export function concat(values: readonly Value[], axis: number): Value {
  return values.length === 1 ? values[0] : apply1(Concat, values, { axis });
}

const Split: Operator<AxisAttributes> = {
  type: 'Split',
  attributes: { axis: 'int' },
  infer(inputs, { axis }) {
    const x = required('Split', inputs, 0);
    const sizes = constantInts(inputs[1]);
    if (!sizes) throw shapeError('Split', 'the sizes must be constant.', inputs);
    requireWhole('Split', 'sizes', sizes, 0);
    const at = normalizeAxis('Split', axis, x.rank, [x]);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (!dimsAgree(total, x.shape[at])) throw shapeError('Split', `sizes sum to ${total}, not ${x.shape[at]}.`, [x]);
    return sizes.map((size) => ({ dtype: x.dtype, shape: x.shape.map((dim, i) => (i === at ? size : dim)) }));
  },
  vjp: ({ inputs: [x], outputs, attributes: { axis }, gradients }) => [
    concat(
      gradients.map((g, i) => g ?? filled(0, x.dtype, outputs[i].staticShape)),
      axis,
    ),
    undefined,
  ],
};

/** Cuts an axis into parts of the given sizes. */
export function split(x: Value, sizes: readonly number[], axis: number): readonly Value[] {
  return apply(Split, [x, int64s(sizes)], { axis });
}

/** The range that a slice takes of an axis of known size, as ONNX clamps it: first index, step, count. */
export function sliceRange(size: number, start: number, end: number, step: number): { first: number; count: number } {
  const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);
  const from = start < 0 ? start + size : start;
  const to = end < 0 ? end + size : end;
  const first = step > 0 ? clamp(from, 0, size) : clamp(from, 0, size - 1);
  const last = step > 0 ? clamp(to, 0, size) : clamp(to, -1, size - 1);
  return { first, count: Math.max(0, Math.ceil((last - first) / step)) };
}

const Slice: Operator<None> = {
  type: 'Slice',
  infer(inputs) {
    const x = required('Slice', inputs, 0);
    const [starts, ends, axes, steps] = [1, 2, 3, 4].map((i) => constantInts(inputs[i]));
    if (!starts || !ends || !axes || !steps)
      throw shapeError('Slice', 'starts, ends, axes and steps must be constant.', inputs);
    if (starts.length !== axes.length || ends.length !== axes.length || steps.length !== axes.length)
      throw shapeError('Slice', `needs as many starts, ends and steps as axes [${axes.join(', ')}].`, [x]);
    if (steps.includes(0)) throw shapeError('Slice', 'a step must not be 0.', [x]);
    const shape = [...x.shape];
    axes.forEach((axis, i) => {
      const at = normalizeAxis('Slice', axis, x.rank, [x]);
      shape[at] = slicedDim(x.shape[at], starts[i], ends[i], steps[i]);
    });
    return [{ dtype: x.dtype, shape }];
  },
  vjp({ inputs, gradients: [g] }) {
    const [x] = inputs;
    const [starts, ends, axes, steps] = [1, 2, 3, 4].map((i) => constantInts(inputs[i])!);
    return [
      steps.every((step) => step === 1)
        ? padBack(x, g!, axes, starts, ends)
        : scatterBack(x, g!, axes, starts, ends, steps),
    ];
  },
};

function slicedDim(dim: Dim, start: number, end: number, step: number): Dim {
  if (typeof dim === 'number') return sliceRange(dim, start, end, step).count;
  if (step === 1 && start >= 0 && end >= openEnd) return dimPlus(dim, -start);
  if (step === 1 && start >= 0 && end < 0) return dimPlus(dim, end - start);
  if (step === -1 && start === -1 && end <= -openEnd) return dim;
  if (step === 1 && start === 0 && end > 0) return `min(${dim}, ${end})`;
  return `slice(${dim}, ${start}, ${end}, ${step})`;
}

function padBack(x: Value, g: Value, axes: number[], starts: number[], ends: number[]): Value {
  const before = x.shape.map(() => 0);
  const after = x.shape.map(() => 0);
  axes.forEach((axis, i) => {
    const at = axis < 0 ? axis + x.rank : axis;
    const { first, count } = sliceRange(x.staticShape[at], starts[i], ends[i], 1);
    before[at] = first;
    after[at] = x.staticShape[at] - first - count;
  });
  return pad(g, before, after);
}

/** Strided slices, one axis at a time: each goes back by a scatter of its rows. */
function scatterBack(x: Value, g: Value, axes: number[], starts: number[], ends: number[], steps: number[]): Value {
  return axes.reduce((gradient, axis, i) => {
    const at = axis < 0 ? axis + x.rank : axis;
    const size = x.staticShape[at];
    const { first, count } = sliceRange(size, starts[i], ends[i], steps[i]);
    const rows = Array.from({ length: count }, (_, row) => first + row * steps[i]);
    return scatterRows(gradient, int64s(rows), at, size);
  }, g);
}

/** The end of a slice that runs to the end of its axis. */
export const openEnd = Number.MAX_SAFE_INTEGER;

/** x[start:end:step] along each of `axes` (default: the first axes). Negative starts and ends count from the back. */
export function slice(
  x: Value,
  starts: readonly number[],
  ends: readonly number[],
  axes?: readonly number[],
  steps?: readonly number[],
): Value {
  const along = axes ?? starts.map((_, axis) => axis);
  return apply1(Slice, [x, int64s(starts), int64s(ends), int64s(along), int64s(steps ?? starts.map(() => 1))], {});
}

type PadAttributes = { mode: 'constant' | 'edge' | 'reflect' };
const Pad: Operator<PadAttributes> = {
  type: 'Pad',
  attributes: { mode: 'string' },
  infer(inputs) {
    const x = required('Pad', inputs, 0);
    const pads = constantInts(inputs[1]);
    if (pads?.length !== 2 * x.rank) throw shapeError('Pad', `needs ${2 * x.rank} constant pads.`, inputs);
    const shape = x.shape.map((dim, axis) => {
      const padded = dimPlus(dim, pads[axis] + pads[axis + x.rank]);
      if (typeof padded === 'number' && padded < 0)
        throw shapeError('Pad', `axis ${axis} would get size ${padded}.`, [x]);
      return padded;
    });
    return [{ dtype: x.dtype, shape }];
  },
  vjp({ inputs, attributes: { mode }, gradients: [g] }) {
    if (mode !== 'constant') throw shapeError('Pad', `mode ${mode} has no gradient here.`, inputs);
    const pads = constantInts(inputs[1])!;
    const rank = inputs[0].rank;
    return [pad(g!, pads.slice(0, rank).map(negate), pads.slice(rank).map(negate)), undefined];
  },
};

const negate = (value: number) => (value === 0 ? 0 : -value);

/**
 * Adds `before[axis]` and `after[axis]` elements of `value` (or copies, by `mode`); negative numbers cut elements off.
 * Only the constant mode has a gradient.
 */
export function pad(
  x: Value,
  before: readonly number[],
  after: readonly number[],
  value = 0,
  mode: PadAttributes['mode'] = 'constant',
): Value {
  if (before.length !== x.rank || after.length !== x.rank)
    throw shapeError('Pad', `needs ${x.rank} amounts before and ${x.rank} after.`, [x]);
  if ([...before, ...after].every((amount) => amount === 0)) return x;
  return apply1(Pad, [x, int64s([...before, ...after]), scalarLike(value, x.dtype)], { mode });
}

type BlockAttributes = { blocksize: number; mode: 'DCR' | 'CRD' };
const DepthToSpace: Operator<BlockAttributes> = {
  type: 'DepthToSpace',
  attributes: { blocksize: 'int', mode: 'string' },
  infer(inputs, { blocksize }) {
    const x = required('DepthToSpace', inputs, 0);
    const [n, c, h, w] = x.shape;
    if (x.rank !== 4 || (typeof c === 'number' && c % blocksize ** 2 !== 0)) {
      throw shapeError('DepthToSpace', `wants [N, C, H, W] with C a multiple of ${blocksize ** 2}.`, [x]);
    }
    const shape = [n, dimDivide(c, blocksize ** 2), dimTimes(h, blocksize), dimTimes(w, blocksize)];
    return [{ dtype: x.dtype, shape }];
  },
  vjp({ inputs: [x], attributes: { blocksize: b, mode }, gradients: [g] }) {
    const [n, c, h, w] = x.staticShape;
    const blocks = reshape(g!, [n, c / b ** 2, h, b, w, b]);
    return [reshape(transpose(blocks, mode === 'DCR' ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4]), [n, c, h, w])];
  },
};

/** Moves blocks of channels into space: [N, C, H, W] to [N, C/b², H·b, W·b]. */
export function depthToSpace(x: Value, blocksize: number, mode: 'DCR' | 'CRD' = 'DCR'): Value {
  return apply1(DepthToSpace, [x], { blocksize, mode });
}

/** 0, 1, … count - 1 as a constant. */
export function range(count: number, dtype: ElementType = 'int64'): Value {
  const numbers = Array.from({ length: count }, (_, i) => i);
  if (dtype === 'int64') return int64s(numbers);
  if (dtype === 'int32') return constant('int32', [count], Int32Array.from(numbers));
  if (dtype === 'float32') return constant('float32', [count], Float32Array.from(numbers));
  throw shapeError('Constant', `range has no form for ${dtype}.`);
}

/** `x` with a new axis of size 1 at `axis`. */
export function unsqueeze(x: Value, axis: number): Value {
  const at = normalizeAxis('Unsqueeze', axis, x.rank + 1, [x]);
  return apply1(Unsqueeze, [x, int64s([at])], {});
}

/** `x` without an axis of size 1. */
export function squeeze(x: Value, axis: number): Value {
  return apply1(Squeeze, [x, int64s([normalizeAxis('Squeeze', axis, x.rank, [x])])], {});
}

const Unsqueeze: Operator<None> = {
  type: 'Unsqueeze',
  infer(inputs) {
    const x = required('Unsqueeze', inputs, 0);
    const [axis] = constantInts(inputs[1])!;
    return [{ dtype: x.dtype, shape: [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)] }];
  },
  vjp: ({ inputs: [x], gradients: [g] }) => [reshape(g!, x.shape), undefined],
};

const Squeeze: Operator<None> = {
  type: 'Squeeze',
  infer(inputs) {
    const x = required('Squeeze', inputs, 0);
    const [axis] = constantInts(inputs[1])!;
    if (!dimsAgree(x.shape[axis], 1))
      throw shapeError('Squeeze', `axis ${axis} has size ${x.shape[axis]}, not 1.`, [x]);
    return [{ dtype: x.dtype, shape: x.shape.filter((_, other) => other !== axis) }];
  },
  vjp: ({ inputs: [x], gradients: [g] }) => [reshape(g!, x.shape), undefined],
};

/** Rows of `x` along `axis` put into zeros of `size` rows at `indices`, each of which is there once. */
function scatterRows(x: Value, indices: Value, axis: number, size: number): Value {
  const order = [axis, ...x.shape.map((_, i) => i).filter((i) => i !== axis)];
  const front = axis === 0 ? x : transpose(x, order);
  const zeros = filled(0, x.dtype, [size, ...front.staticShape.slice(1)]);
  const placed = scatterNd(zeros, unsqueeze(indices, -1), front);
  return axis === 0
    ? placed
    : transpose(
        placed,
        order.map((_, i) => order.indexOf(i)),
      );
}
