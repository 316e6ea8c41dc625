import { normalizeAxis } from '../dims.js';
import type { Operator, Value } from '../value.js';
import { apply1 } from '../value.js';
import { exp, mul, sub } from './elementwise.js';
import { reduceSum } from './reduce.js';
import { floats, required, requireSameType } from './require.js';

type AxisAttributes = { axis: number };

function alongAxis(type: string, rule: (y: Value, g: Value, axis: number) => Value): Operator<AxisAttributes> {
  return {
    type,
    attributes: { axis: 'int' },
    infer(inputs, { axis }) {
      const x = required(type, inputs, 0);
      normalizeAxis(type, axis, x.rank, [x]);
      return [{ dtype: requireSameType(type, [x], floats), shape: x.shape }];
    },
    vjp: ({ outputs: [y], attributes: { axis }, gradients: [g] }) => [rule(y, g!, axis)],
  };
}

const Softmax = alongAxis('Softmax', (y, g, axis) => mul(y, sub(g, reduceSum(mul(g, y), [axis], { keepDims: true }))));
const LogSoftmax = alongAxis('LogSoftmax', (y, g, axis) =>
  sub(g, mul(exp(y), reduceSum(g, [axis], { keepDims: true }))),
);

/** exp(x) over its sum along an axis. */
export function softmax(x: Value, axis = -1): Value {
  return apply1(Softmax, [x], { axis });
}

/** Logarithm of `softmax`, computed without overflow. */
export function logSoftmax(x: Value, axis = -1): Value {
  return apply1(LogSoftmax, [x], { axis });
}
