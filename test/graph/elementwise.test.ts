import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  abs,
  add,
  cast,
  clip,
  constant,
  div,
  erf,
  exp,
  gradient,
  greater,
  identity,
  indicator,
  input,
  log,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  reciprocal,
  reduceSum,
  relu,
  relu6,
  round,
  sigmoid,
  sign,
  softplus,
  sqrt,
  stopGradient,
  sub,
  sumOf,
  tanh,
  type Value,
  where,
} from '../../src/graph/index.js';
import { checkGradient, evaluate, floats, numbersOf } from './harness.js';

/** Values in ±[0.25, 1.25): away from the kink at 0. */
const awayFromZero = (value: number) => (value < 0 ? -0.25 + value : 0.25 + value);
const positive = (value: number) => 1.5 + value;

const unaries: Record<string, { build: (x: Value) => Value; values?: (value: number) => number }> = {
  neg: { build: neg },
  abs: { build: abs, values: awayFromZero },
  sqrt: { build: sqrt, values: positive },
  exp: { build: exp },
  log: { build: log, values: positive },
  reciprocal: { build: reciprocal, values: positive },
  relu: { build: relu, values: awayFromZero },
  relu6: { build: relu6, values: (value) => (value < 0 ? -1 + value : 5 * value + 0.3) },
  sigmoid: { build: sigmoid },
  tanh: { build: tanh },
  softplus: { build: softplus },
  erf: { build: erf },
  identity: { build: identity },
  'clip both': { build: (x) => clip(x, -0.1, 0.1), values: awayFromZero },
  'clip below': { build: (x) => mul(clip(x, 0), x), values: awayFromZero },
  'clip above': { build: (x) => mul(clip(x, undefined, 0), x), values: awayFromZero },
  'power by a number': { build: (x) => pow(x, 3) },
  'number to the power': { build: (x) => pow(2, x) },
  'number minus': { build: (x) => sub(1, x) },
  'number divided by': { build: (x) => div(2, x), values: positive },
  'cast and back': { build: (x) => cast(cast(x, 'float64'), 'float32') },
  'used three times': { build: (x) => sumOf([x, mul(x, x), exp(x)]) },
};

for (const [name, { build, values }] of Object.entries(unaries)) {
  test(`gradient of ${name}`, () => checkGradient({ name, inputs: { x: [2, 5] }, build: ({ x }) => build(x), values }));
}

const binaries: Record<string, { build: (a: Value, b: Value) => Value; values?: (value: number) => number }> = {
  add: { build: add },
  sub: { build: sub },
  mul: { build: mul },
  div: { build: div, values: positive },
  pow: { build: pow, values: positive },
  maximum: { build: maximum },
  minimum: { build: minimum },
  where: { build: (a, b) => where(greater(stopGradient(a), 0.2), mul(a, 2), b), values: (value) => value * 0.9 + 0.05 },
};
const broadcasts: [string, number[], number[]][] = [
  ['one shape', [2, 3], [2, 3]],
  ['a row', [4, 3], [3]],
  ['a column', [2, 1], [2, 4]],
  ['both ways', [3, 1], [1, 2]],
  ['a scalar', [2, 3], []],
  ['leading axes', [2], [3, 1, 2]],
  ['one element', [1, 1, 1], [2, 2]],
];

for (const [name, { build, values }] of Object.entries(binaries)) {
  for (const [shape, a, b] of broadcasts) {
    test(`gradients of ${name}, ${shape}`, () =>
      checkGradient({ name, inputs: { a, b }, build: (v) => build(v.a, v.b), values, step: 3e-3, tolerance: 1e-2 }));
  }
}

/** Gradient of Σ f(x) at given points. */
async function slopes(build: (x: Value) => Value, points: readonly number[]): Promise<number[]> {
  const x = input('x', 'float32', [points.length]);
  const [dx] = gradient(reduceSum(build(x)), [x]);
  return numbersOf((await evaluate({ dx }, { x: floats([points.length], points) })).dx);
}

test('gradients at kinks are the documented ones', async () => {
  assert.deepEqual(await slopes(relu, [-1, 0, 1]), [0, 0, 1]);
  assert.deepEqual(await slopes(abs, [-1, 0, 1]), [-1, 0, 1]);
  assert.deepEqual(await slopes((x) => clip(x, -1, 1), [-2, -1, 0, 1, 2]), [0, 1, 1, 1, 0]);
  assert.deepEqual(await slopes(relu6, [0, 6, 7]), [1, 1, 0]);
  assert.deepEqual(await slopes((x) => maximum(x, 0), [-1, 0, 1]), [0, 1, 1], 'the first operand wins ties');
  assert.deepEqual(await slopes((x) => maximum(0, x), [-1, 0, 1]), [0, 0, 1]);
  assert.deepEqual(await slopes((x) => minimum(x, 0), [-1, 0, 1]), [1, 1, 0]);
  assert.deepEqual(await slopes((x) => minimum(0, x), [-1, 0, 1]), [1, 0, 0]);
  assert.deepEqual(await slopes((x) => maximum(x, x), [3]), [1], 'both operands the same: once, not twice');
  assert.deepEqual(await slopes(sqrt, [0]), [Number.POSITIVE_INFINITY]);
  assert.deepEqual(await slopes((x) => pow(x, 2), [0]), [0]);
  assert.deepEqual(await slopes((x) => pow(stopGradient(x), x), [0]), [0], 'a base of 0 gives no NaN');
});

test('steps and masks pass no gradient, without an error', async () => {
  assert.deepEqual(await slopes((x) => add(x, sign(x)), [0.5]), [1]);
  assert.deepEqual(await slopes((x) => add(x, round(x)), [0.4]), [1]);
  assert.deepEqual(await slopes((x) => mul(x, indicator(greater(x, 0))), [2, -2]), [1, 0]);
  assert.deepEqual(await slopes((x) => mul(x, stopGradient(x)), [3]), [3]);
  assert.deepEqual(await slopes((x) => mul(x, cast(cast(x, 'int64'), 'float32')), [2.5]), [2]);
});

test('integers divide towards zero; round takes halves to even; clip has one-sided forms', async () => {
  const whole = (data: number[]) => constant('int64', [data.length], BigInt64Array.from(data, BigInt));
  const real = (data: number[]) => constant('float32', [data.length], Float32Array.from(data));
  const results = await evaluate({
    quotient: div(whole([7, -7, 7, -7]), whole([2, 2, -2, -2])),
    rounded: round(real([0.5, 1.5, 2.5, -0.5, -1.5])),
    low: clip(real([-1, 0, 1]), 0),
    high: clip(whole([-1, 0, 1]), undefined, 0),
    dropped: cast(real([-1.7, 1.7]), 'int32'),
  });
  assert.deepEqual(numbersOf(results.quotient), [3, -3, -3, 3]);
  assert.deepEqual(numbersOf(results.rounded), [0, 2, 2, -0, -2]);
  assert.deepEqual(numbersOf(results.low), [0, 0, 1]);
  assert.deepEqual(numbersOf(results.high), [-1, 0, 0]);
  assert.deepEqual(numbersOf(results.dropped), [-1, 1]);
});
