import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchNorm, batchNormTraining, gradient, input, reduceSum } from '../../src/graph/index.js';
import { checkGradient, evaluate, floats, numbersOf, pseudo } from './harness.js';

const shapes = { pictures: [2, 3, 4, 5], 'one picture': [1, 2, 3, 3], rows: [6, 3] };

for (const [name, x] of Object.entries(shapes)) {
  const channels = [x[1]];
  test(`gradients of batch normalization with given statistics: ${name}`, () =>
    checkGradient({
      name,
      inputs: { x, scale: channels, bias: channels, mean: channels, variance: channels },
      values: (value) => 1.2 + value,
      wrt: ['x', 'scale', 'bias'],
      build: ({ x, scale, bias, mean, variance }) => batchNorm(x, { scale, bias, mean, variance }, 1e-3),
    }));
  test(`gradients of batch normalization with the batch's statistics: ${name}`, () =>
    checkGradient({
      name,
      inputs: { x, scale: channels, bias: channels },
      build: ({ x, scale, bias }) => batchNormTraining(x, scale, bias, 1e-3).y,
    }));
}

test('a frozen scale and bias: only the input gets a gradient', () =>
  checkGradient({
    name: 'frozen',
    inputs: { x: [2, 2, 3, 3], scale: [2], bias: [2] },
    wrt: ['x'],
    build: ({ x, scale, bias }) => batchNormTraining(x, scale, bias, 1e-5).y,
  }));

test("the batch's statistics are its mean and biased variance per channel", async () => {
  const x = input('x', 'float32', [2, 2, 1, 3]);
  const ones = input('ones', 'float32', [2]);
  const { y, mean, variance } = batchNormTraining(x, ones, ones, 0);
  const data = pseudo(12, 5);
  const results = await evaluate(
    { y, mean, variance },
    { x: { dtype: 'float32', shape: [2, 2, 1, 3], data }, ones: floats([2], [1, 1]) },
  );
  for (const channel of [0, 1]) {
    const values = [...data].filter((_, i) => Math.floor(i / 3) % 2 === channel);
    const average = values.reduce((sum, value) => sum + value, 0) / 6;
    const spread = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / 6;
    assert.ok(Math.abs(numbersOf(results.mean)[channel] - average) < 1e-6);
    assert.ok(Math.abs(numbersOf(results.variance)[channel] - spread) < 1e-6);
    const first = (values[0] - average) / Math.sqrt(spread) + 1;
    assert.ok(Math.abs(numbersOf(results.y)[channel * 3] - first) < 1e-5);
  }
});

test('statistics have no gradient, and say so', () => {
  const x = input('x', 'float32', [2, 2, 3, 3]);
  const [scale, bias, mean, variance] = ['scale', 'bias', 'mean', 'variance'].map((name) =>
    input(name, 'float32', [2]),
  );
  const fixed = reduceSum(batchNorm(x, { scale, bias, mean, variance }, 1e-5));
  assert.throws(() => gradient(fixed, [mean]), /BatchNormalization.*statistics have no gradient/);
  const batch = batchNormTraining(x, scale, bias, 1e-5);
  assert.throws(() => gradient(reduceSum(batch.mean), [x]), /batch statistics carry no gradient/);
});
