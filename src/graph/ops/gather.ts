import { dimsAgree, freshDim, normalizeAxis } from '../dims.js';
import { type ElementType, elementCount } from '../tensor.js';
import type { Operator, Value } from '../value.js';
import { apply1, constantInts, filled, shapeError } from '../value.js';
import { add, less, mul, sumOf, where } from './elementwise.js';
import { expand } from './expand.js';
import { required, requireRank, requireSameType, requireType } from './require.js';
import { reshape, slice } from './shape.js';

type AxisAttributes = { axis: number };
type None = Record<string, never>;

const Gather: Operator<AxisAttributes> = {
  type: 'Gather',
  attributes: { axis: 'int' },
  infer(inputs, { axis }) {
    const [x, indices] = [required('Gather', inputs, 0), required('Gather', inputs, 1)];
    requireType('Gather', indices, ['int32', 'int64'], 'indices');
    const at = normalizeAxis('Gather', axis, x.rank, inputs as Value[]);
    const fixed = constantInts(indices);
    const size = x.shape[at];
    const outside = typeof size === 'number' ? fixed?.find((index) => index >= size || index < -size) : undefined;
    if (outside !== undefined) throw shapeError('Gather', `index ${outside} is outside an axis of size ${size}.`, [x]);
    return [{ dtype: x.dtype, shape: [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)] }];
  },
  vjp({ inputs: [x, indices], attributes: { axis }, gradients: [g] }) {
    const at = axis < 0 ? axis + x.rank : axis;
    const count = indices.staticShape.reduce((product, dim) => product * dim, 1);
    const rows = [...x.staticShape.slice(0, at), count, ...x.staticShape.slice(at + 1)];
    const places = reshape(
      indices,
      rows.map((_, axis) => (axis === at ? count : 1)),
    );
    const zeros = filled(0, x.dtype, x.staticShape);
    return [scatterElements(zeros, expand(places, rows), reshape(g!, rows), at, 'add')];
  },
};

/** x's slices at `indices` along `axis`; negative indices count from the back. */
export function gather(x: Value, indices: Value, axis = 0): Value {
  return apply1(Gather, [x, indices], { axis });
}

const GatherElements: Operator<AxisAttributes> = {
  type: 'GatherElements',
  attributes: { axis: 'int' },
  infer(inputs, { axis }) {
    const [x, indices] = [required('GatherElements', inputs, 0), required('GatherElements', inputs, 1)];
    requireType('GatherElements', indices, ['int32', 'int64'], 'indices');
    const at = normalizeAxis('GatherElements', axis, x.rank, [x, indices]);
    requireFits('GatherElements', x, indices, at);
    return [{ dtype: x.dtype, shape: indices.shape }];
  },
  vjp: ({ inputs: [x, indices], attributes: { axis }, gradients: [g] }) => [
    scatterElements(filled(0, x.dtype, x.staticShape), indices, g!, axis, 'add'),
  ],
};

function requireFits(operator: string, x: Value, indices: Value, axis: number): void {
  if (x.rank !== indices.rank) throw shapeError(operator, 'data and indices must have one rank.', [x, indices]);
  indices.shape.forEach((dim, i) => {
    const size = x.shape[i];
    if (i !== axis && typeof dim === 'number' && typeof size === 'number' && dim > size) {
      throw shapeError(operator, `indices reach over axis ${i}.`, [x, indices]);
    }
  });
}

/** out[i][j][k] = x[i][indices[i][j][k]][k] for axis 1, and likewise for the others. */
export function gatherElements(x: Value, indices: Value, axis: number): Value {
  return apply1(GatherElements, [x, indices], { axis });
}

export type ScatterReduction = 'none' | 'add' | 'mul' | 'max' | 'min';
type ScatterElementsAttributes = { axis: number; reduction: ScatterReduction };

const ScatterElements: Operator<ScatterElementsAttributes> = {
  type: 'ScatterElements',
  attributes: { axis: 'int', reduction: 'string' },
  infer(inputs, { axis }) {
    const [x, indices, updates] = [0, 1, 2].map((i) => required('ScatterElements', inputs, i));
    requireType('ScatterElements', indices, ['int32', 'int64'], 'indices');
    requireSameType('ScatterElements', [x, updates]);
    requireFits('ScatterElements', x, indices, normalizeAxis('ScatterElements', axis, x.rank, [x]));
    if (indices.rank !== updates.rank || !indices.shape.every((dim, i) => dimsAgree(dim, updates.shape[i]))) {
      throw shapeError('ScatterElements', 'indices and updates must have one shape.', [x, indices, updates]);
    }
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  // With `none`, places written twice are ill-defined in ONNX too: indices must then be unique.
  vjp({ inputs: [x, indices, updates], attributes: { axis, reduction }, gradients: [g], wants }) {
    if (reduction !== 'none' && reduction !== 'add') {
      throw shapeError('ScatterElements', `reduction ${reduction} has no gradient here.`, [x, indices, updates]);
    }
    const kept = () =>
      reduction === 'add' ? g! : scatterElements(g!, indices, filled(0, x.dtype, updates.staticShape), axis);
    return [wants[0] ? kept() : undefined, undefined, wants[2] ? gatherElements(g!, indices, axis) : undefined];
  },
};

/** `x` with `updates` written (or added, …) at `indices` along `axis`. */
export function scatterElements(
  x: Value,
  indices: Value,
  updates: Value,
  axis: number,
  reduction: ScatterReduction = 'none',
): Value {
  return apply1(ScatterElements, [x, indices, updates], { axis, reduction });
}

const GatherND: Operator<{ batch_dims: number }> = {
  type: 'GatherND',
  attributes: { batch_dims: 'int' },
  infer(inputs, { batch_dims: batch }) {
    const [x, indices] = [required('GatherND', inputs, 0), required('GatherND', inputs, 1)];
    requireType('GatherND', indices, ['int64'], 'indices');
    const depth = indices.shape[indices.rank - 1];
    if (typeof depth !== 'number' || depth + batch > x.rank || batch >= indices.rank) {
      throw shapeError('GatherND', 'index tuples are longer than the data has axes.', [x, indices]);
    }
    return [{ dtype: x.dtype, shape: [...indices.shape.slice(0, -1), ...x.shape.slice(batch + depth)] }];
  },
  vjp({ inputs: [x, indices], attributes: { batch_dims: batch }, gradients: [g] }) {
    if (batch)
      throw shapeError('GatherND', 'batch dimensions have no gradient here: use indices of full depth.', [x, indices]);
    return [addAtTuples(x.staticShape, x.dtype, indices, g!)];
  },
};

/** Slices added into zeros at index tuples [..., depth]: by ScatterElements, see `scatterNd`. */
function addAtTuples(shape: readonly number[], dtype: ElementType, indices: Value, slices: Value): Value {
  const depth = indices.staticShape[indices.rank - 1];
  const count = elementCount(indices.staticShape.slice(0, -1));
  const [rows, length] = [elementCount(shape.slice(0, depth)), elementCount(shape.slice(depth))];
  const tuples = reshape(indices, [count, depth]);
  const place = shape.slice(0, depth).map((size, axis) => {
    const index = slice(tuples, [axis], [axis + 1], [1]);
    const positive = where(less(index, 0), add(index, size), index);
    return mul(positive, elementCount(shape.slice(axis + 1, depth)));
  });
  const zeros = filled(0, dtype, [rows, length]);
  const places = expand(sumOf(place), [count, length]);
  return reshape(scatterElements(zeros, places, reshape(slices, [count, length]), 0, 'add'), shape);
}

/** x's slices at index tuples: the last axis of `indices` [..., depth] addresses x's first `depth` axes. */
export function gatherNd(x: Value, indices: Value, batchDims = 0): Value {
  return apply1(GatherND, [x, indices], { batch_dims: batchDims });
}

const ScatterND: Operator<{ reduction: ScatterReduction }> = {
  type: 'ScatterND',
  attributes: { reduction: 'string' },
  infer(inputs) {
    const [x, indices, updates] = [0, 1, 2].map((i) => required('ScatterND', inputs, i));
    requireType('ScatterND', indices, ['int64'], 'indices');
    requireSameType('ScatterND', [x, updates]);
    const depth = indices.shape[indices.rank - 1];
    if (typeof depth !== 'number' || depth > x.rank) {
      throw shapeError('ScatterND', 'index tuples are longer than the data has axes.', [x, indices, updates]);
    }
    const expected = [...indices.shape.slice(0, -1), ...x.shape.slice(depth)];
    if (updates.rank !== expected.length || !expected.every((dim, i) => dimsAgree(dim, updates.shape[i]))) {
      throw shapeError('ScatterND', `updates must have shape [${expected.join(', ')}].`, [x, indices, updates]);
    }
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  vjp({ inputs: [x, indices, updates], attributes: { reduction }, gradients: [g], wants }) {
    if (reduction !== 'none' && reduction !== 'add') {
      throw shapeError('ScatterND', `reduction ${reduction} has no gradient here.`, [x, indices, updates]);
    }
    const kept = () => (reduction === 'add' ? g! : scatterNd(g!, indices, filled(0, x.dtype, updates.staticShape)));
    return [wants[0] ? kept() : undefined, undefined, wants[2] ? gatherNd(g!, indices) : undefined];
  },
};

/**
 * `x` with slices written (or added, …) at index tuples; the indices' last axis is the tuple. With more than one thread the
 * runtime loses additions where tuples repeat: use `scatterElements` for those.
 */
export function scatterNd(x: Value, indices: Value, updates: Value, reduction: ScatterReduction = 'none'): Value {
  return apply1(ScatterND, [x, indices, updates], { reduction });
}

const NonZero: Operator<None> = {
  type: 'NonZero',
  infer(inputs) {
    const x = required('NonZero', inputs, 0);
    return [{ dtype: 'int64', shape: [x.rank, freshDim('nonzero')] }];
  },
};

/** Indices [rank, count] of the elements that are not zero, in row-major order. */
export function nonZero(x: Value): Value {
  return apply1(NonZero, [x], {});
}

const Compress: Operator<AxisAttributes> = {
  type: 'Compress',
  attributes: { axis: 'int' },
  infer(inputs, { axis }) {
    const [x, mask] = [required('Compress', inputs, 0), required('Compress', inputs, 1)];
    requireType('Compress', mask, ['bool'], 'the mask');
    requireRank('Compress', mask, 1, 'the mask');
    const at = normalizeAxis('Compress', axis, x.rank, [x, mask]);
    return [{ dtype: x.dtype, shape: x.shape.map((dim, i) => (i === at ? freshDim('kept') : dim)) }];
  },
};

/** The slices of `x` along `axis` where the mask (a bool vector) holds. */
export function compress(x: Value, mask: Value, axis = 0): Value {
  return apply1(Compress, [x, mask], { axis });
}
