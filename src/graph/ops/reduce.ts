import { normalizeAxis } from '../dims.js';
import type { Dim, Operator, Type, Value } from '../value.js';
import { apply1, constant, constantInts, int64s, shapeError } from '../value.js';
import { cast, div, equal, mul } from './elementwise.js';
import { expand } from './expand.js';
import { floats, numbers, required, requireSameType } from './require.js';
import { reshape } from './shape.js';

type ReduceAttributes = { keepdims: number };
type ReduceRule = (x: Value, y: Value, gradient: Value, count: number) => Value;

/** The reduced axes: the constant second input; all where it is absent. */
function reducedAxes(operator: string, inputs: readonly (Value | undefined)[]): number[] {
  const x = required(operator, inputs, 0);
  if (!inputs[1]) return x.shape.map((_, axis) => axis);
  const axes = constantInts(inputs[1]);
  if (!axes) throw shapeError(operator, 'the axes must be constant.', inputs);
  const fromFront = axes.map((axis) => normalizeAxis(operator, axis, x.rank, [x]));
  if (new Set(fromFront).size !== axes.length) throw shapeError(operator, `the axes [${axes.join(', ')}] repeat.`, [x]);
  return fromFront;
}

function keptShape(x: Type, axes: readonly number[]): Dim[] {
  return x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
}

function reduction(type: string, rule?: ReduceRule): Operator<ReduceAttributes> {
  return {
    type,
    attributes: { keepdims: 'int' },
    infer(inputs, { keepdims }) {
      const x = required(type, inputs, 0);
      requireSameType(type, [x], numbers);
      const axes = reducedAxes(type, inputs);
      const shape = keepdims ? keptShape(x, axes) : x.shape.filter((_, axis) => !axes.includes(axis));
      return [{ dtype: x.dtype, shape }];
    },
    vjp:
      rule &&
      (({ inputs, outputs: [y], gradients: [g] }) => {
        const x = inputs[0];
        const axes = reducedAxes(type, inputs);
        const kept = keptShape(x, axes);
        const count = axes.reduce((product, axis) => product * x.staticShape[axis], 1);
        return [rule(x, reshape(y, kept), reshape(g!, kept), count), undefined];
      }),
  };
}

/** Equal extremes share the gradient, as in PyTorch's amax. */
const extremeRule: ReduceRule = (x, y, g) => {
  const mask = cast(equal(x, y), x.dtype);
  const axes = x.shape.map((_, axis) => axis).filter((axis) => x.shape[axis] !== y.shape[axis]);
  const ties = axes.length ? reduceSum(mask, axes, { keepDims: true }) : mask;
  return mul(mask, div(g, ties));
};

const ReduceSum = reduction('ReduceSum', (x, _, g) => expand(g, x.shape));
const ReduceMean = reduction('ReduceMean', (x, _, g, count) => expand(mul(g, 1 / count), x.shape));
const ReduceMax = reduction('ReduceMax', extremeRule);
const ReduceMin = reduction('ReduceMin', extremeRule);
const ReduceSumSquare = reduction('ReduceSumSquare', (x, _, g) => mul(x, mul(g, 2)));

export interface ReduceOptions {
  /** Leaves reduced axes with size 1. Default: they are dropped. */
  readonly keepDims?: boolean;
}

const reduceFunction =
  (operator: Operator<ReduceAttributes>) =>
  (x: Value, axes?: readonly number[], { keepDims = false }: ReduceOptions = {}): Value => {
    // An empty list means all axes in ONNX and none in NumPy: nobody should have to know.
    if (axes?.length === 0 && x.rank > 0) throw shapeError(operator.type, 'there are no axes to reduce.', [x]);
    return apply1(operator, [x, int64s(axes ?? x.shape.map((_, axis) => axis))], { keepdims: keepDims ? 1 : 0 });
  };

/** Sum over `axes` (default: all), like the other reductions here. */
export const reduceSum = reduceFunction(ReduceSum);
export const reduceMean = reduceFunction(ReduceMean);
/** The largest element; equal ones share the gradient, as with `reduceMin`. */
export const reduceMax = reduceFunction(ReduceMax);
export const reduceMin = reduceFunction(ReduceMin);
/** Sum of squares. */
export const reduceSumSquare = reduceFunction(ReduceSumSquare);

type ArgAttributes = { axis: number; keepdims: number; select_last_index: number };

function argExtreme(type: string): Operator<ArgAttributes> {
  return {
    type,
    attributes: { axis: 'int', keepdims: 'int', select_last_index: 'int' },
    infer(inputs, { axis, keepdims }) {
      const x = required(type, inputs, 0);
      requireSameType(type, [x], numbers);
      const at = normalizeAxis(type, axis, x.rank, [x]);
      const shape = keepdims ? keptShape(x, [at]) : x.shape.filter((_, other) => other !== at);
      return [{ dtype: 'int64', shape }];
    },
  };
}

const ArgMax = argExtreme('ArgMax');
const ArgMin = argExtreme('ArgMin');
const argFunction =
  (operator: Operator<ArgAttributes>) =>
  (x: Value, axis: number, { keepDims = false, last = false }: ReduceOptions & { last?: boolean } = {}): Value =>
    apply1(operator, [x], { axis, keepdims: keepDims ? 1 : 0, select_last_index: last ? 1 : 0 });

/** Index (int64) of the largest element along an axis; of equal ones the first, or the last with `last`. */
export const argMax = argFunction(ArgMax);
export const argMin = argFunction(ArgMin);

type CumSumAttributes = { exclusive: number; reverse: number };
const CumSum: Operator<CumSumAttributes> = {
  type: 'CumSum',
  attributes: { exclusive: 'int', reverse: 'int' },
  infer(inputs) {
    const x = required('CumSum', inputs, 0);
    const axis = constantInts(inputs[1]);
    if (axis?.length !== 1) throw shapeError('CumSum', 'the axis must be one constant.', inputs);
    normalizeAxis('CumSum', axis[0], x.rank, [x]);
    requireSameType('CumSum', [x], [...floats, 'int32', 'int64']);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  vjp: ({ inputs: [, axis], attributes, gradients: [g] }) => [
    apply1(CumSum, [g!, axis], { exclusive: attributes.exclusive, reverse: attributes.reverse ? 0 : 1 }),
  ],
};

/** Running sum along an axis. `exclusive` leaves the element itself out; `reverse` sums from the end. */
export function cumSum(x: Value, axis: number, { exclusive = false, reverse = false } = {}): Value {
  return apply1(CumSum, [x, constant('int64', [], BigInt64Array.of(BigInt(axis)))], {
    exclusive: exclusive ? 1 : 0,
    reverse: reverse ? 1 : 0,
  });
}
