import { dimsAgree, dimTimes, mergeDim, sameShape } from '../dims.js';
import type { Dim, Operator, Shape, Type, Value } from '../value.js';
import { apply1, constant, constantInts, int64s, shapeError } from '../value.js';
import { sumTo } from './elementwise.js';
import { required } from './require.js';
import { range, slice, squeeze } from './shape.js';

type None = Record<string, never>;

const Expand: Operator<None> = {
  type: 'Expand',
  infer(inputs) {
    const x = required('Expand', inputs, 0);
    const target = constantInts(inputs[1]);
    if (!target) throw shapeError('Expand', 'the shape must be constant here; see expandLike.', inputs);
    return [{ dtype: x.dtype, shape: expandedShape(x, target) }];
  },
  vjp: ({ inputs: [x], gradients: [g] }) => [sumTo(g!, x), undefined],
};

function expandedShape(x: Type, target: Shape): Shape {
  const lead = target.length - x.shape.length;
  if (lead < 0) throw shapeError('Expand', `[${target.join(', ')}] has fewer axes than the value.`, [x]);
  return target.map((dim, axis) => {
    const own = axis < lead ? 1 : x.shape[axis - lead];
    if (own === 1) return dim;
    if (dim === 1 || dimsAgree(own, dim)) return dim === 1 ? own : mergeDim(own, dim);
    throw shapeError('Expand', `${own} at axis ${axis} cannot become ${dim}.`, [x]);
  });
}

/** Repeats dimensions of size 1 to a constant shape. A free dimension keeps itself when named by its symbol. */
export function expand(x: Value, dims: Shape): Value {
  if (sameShape(x.shape, dims)) return x;
  const lead = dims.length - x.rank;
  const target = dims.map((dim, axis) => {
    if (typeof dim === 'number') return dim;
    if (x.shape[axis - lead] === dim) return 1;
    throw shapeError('Expand', `the free dimension "${dim}" must be the value's own; see expandLike.`, [x]);
  });
  return apply1(Expand, [x, int64s(target)], {});
}

/** Repeats dimensions of size 1 to the shape of another value, free dimensions included. */
export function expandLike(x: Value, like: Value): Value {
  if (like.shape.every((dim) => typeof dim === 'number')) return expand(x, like.shape);
  const operator: Operator<None> = {
    type: 'Expand',
    infer: () => [{ dtype: x.dtype, shape: expandedShape(x, like.shape) }],
  };
  return apply1(operator, [x, shapeOf(like)], {});
}

const ShapeOf: Operator<None> = {
  type: 'Shape',
  infer: (inputs) => [{ dtype: 'int64', shape: [required('Shape', inputs, 0).rank] }],
};

/** The dimensions as an int64 vector. */
export function shapeOf(x: Value): Value {
  return apply1(ShapeOf, [x], {});
}

/** One dimension as an int64 vector of one element. */
export function dimOf(x: Value, axis: number): Value {
  const dim = x.shape[axis];
  return typeof dim === 'number' ? int64s([dim]) : slice(shapeOf(x), [axis], [axis + 1]);
}

/** 0, 1, … along an axis of `x`, int64 of that axis' length: a constant where the length is fixed. */
export function rangeAlong(x: Value, axis: number): Value {
  const dim = x.shape[axis];
  return typeof dim === 'number' ? range(dim) : rangeTo(dimOf(x, axis), dim);
}

/** 0, 1, … count - 1, int64, for a computed count (int64 [1]). The dimension that results is named by the caller. */
export function rangeTo(count: Value, dim: Dim): Value {
  const scalar = (number: bigint) => constant('int64', [], BigInt64Array.of(number));
  const operator: Operator<None> = { type: 'Range', infer: () => [{ dtype: 'int64', shape: [dim] }] };
  return apply1(operator, [scalar(0n), squeeze(count, 0), scalar(1n)], {});
}

const Tile: Operator<None> = {
  type: 'Tile',
  infer(inputs) {
    const x = required('Tile', inputs, 0);
    const repeats = constantInts(inputs[1]);
    if (repeats?.length !== x.rank) throw shapeError('Tile', `needs ${x.rank} constant repeats.`, inputs);
    return [{ dtype: x.dtype, shape: x.shape.map((dim, axis) => dimTimes(dim, repeats[axis])) }];
  },
};

/** Repeats the whole tensor along each axis. Not differentiable: use `expand` in what is trained. */
export function tile(x: Value, repeats: readonly number[]): Value {
  return apply1(Tile, [x, int64s(repeats)], {});
}
