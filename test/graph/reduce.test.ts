import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  argMax,
  argMin,
  constant,
  cumSum,
  gradient,
  input,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceSum,
  reduceSumSquare,
} from '../../src/graph/index.js';
import { checkGradient, evaluate, floats, numbersOf } from './harness.js';

const reductions = { reduceSum, reduceMean, reduceMax, reduceMin, reduceSumSquare };
const axisChoices: [number[], number[] | undefined][] = [
  [[2, 3, 4], undefined],
  [[2, 3, 4], [1]],
  [[2, 3, 4], [-1]],
  [
    [2, 3, 4],
    [0, 2],
  ],
  [
    [2, 3, 4],
    [-1, 0],
  ],
  [[1, 3], [0]],
  [[3], [0]],
  [[], undefined],
];

for (const [name, reduce] of Object.entries(reductions)) {
  for (const [x, axes] of axisChoices) {
    for (const keepDims of [false, true]) {
      const text = `${name} of [${x}] over ${axes ? `[${axes}]` : 'all'}${keepDims ? ', kept' : ''}`;
      test(`gradient of ${text}`, () =>
        checkGradient({ name: text, inputs: { x }, build: (v) => reduce(v.x, axes, { keepDims }), step: 2e-3 }));
    }
  }
}

test('equal extremes share the gradient', async () => {
  const x = input('x', 'float32', [2, 3]);
  const [dMax] = gradient(reduceSum(reduceMax(x, [1])), [x]);
  const [dMin] = gradient(reduceSum(reduceMin(x, [1])), [x]);
  const results = await evaluate({ dMax, dMin }, { x: floats([2, 3], [1, 1, 0, 2, 2, 2]) });
  const third = Math.fround(1 / 3);
  assert.deepEqual(numbersOf(results.dMax), [0.5, 0.5, 0, third, third, third]);
  assert.deepEqual(numbersOf(results.dMin), [0, 0, 1, third, third, third]);
});

for (const exclusive of [false, true]) {
  for (const reverse of [false, true]) {
    for (const axis of [0, 1, -1]) {
      const name = `cumSum axis ${axis}${exclusive ? ', exclusive' : ''}${reverse ? ', reverse' : ''}`;
      test(`gradient of ${name}`, () =>
        checkGradient({ name, inputs: { x: [3, 4] }, build: ({ x }) => cumSum(x, axis, { exclusive, reverse }) }));
    }
  }
}

test('cumSum, argMax and argMin are what ONNX defines', async () => {
  const x = constant('float32', [2, 4], Float32Array.of(1, 2, 3, 4, 7, 5, 7, 5));
  const results = await evaluate({
    sum: cumSum(x, 1),
    exclusive: cumSum(x, -1, { exclusive: true }),
    reverse: cumSum(x, 1, { reverse: true }),
    both: cumSum(x, 1, { exclusive: true, reverse: true }),
    first: argMax(x, 1),
    last: argMax(x, -1, { last: true }),
    firstMin: argMin(x, 1, { keepDims: true }),
    lastMin: argMin(x, 1, { last: true }),
  });
  const expected = {
    sum: [1, 3, 6, 10, 7, 12, 19, 24],
    exclusive: [0, 1, 3, 6, 0, 7, 12, 19],
    reverse: [10, 9, 7, 4, 24, 17, 12, 5],
    both: [9, 7, 4, 0, 17, 12, 5, 0],
    first: [3, 0],
    last: [3, 2],
    firstMin: [0, 1],
    lastMin: [0, 3],
  };
  for (const [name, values] of Object.entries(expected)) assert.deepEqual(numbersOf(results[name]), values, name);
  assert.deepEqual(results.firstMin.shape, [2, 1]);
});
