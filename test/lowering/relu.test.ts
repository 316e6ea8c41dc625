import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradient, input, mul, reduceSum, relu, type Tensor } from '../../src/graph/index.js';
import { fastTarget, runner } from '../graph/harness.js';
import { assertSameAsReference } from './same-as-reference.js';

test('the gradient of ReLU equals the reference form', () =>
  assertSameAsReference({ shapes: { x: [3, 50] }, build: ({ x }) => relu(x) }));

test('the mask of ReLU is exact from the smallest normal float32 to infinity', async () => {
  const data = Float32Array.of(0, -0, 2 ** -126, 1e-37, 1e-20, 1, 3e38, Infinity, -(2 ** -126), -1);
  const shape = [data.length];
  const [x, direction] = [input('x', 'float32', shape), input('direction', 'float32', shape)];
  const [dx] = gradient(reduceSum(mul(relu(x), direction)), [x]);
  const feeds: Record<string, Tensor> = {
    x: { dtype: 'float32', shape, data },
    direction: { dtype: 'float32', shape, data: new Float32Array(data.length).fill(5) },
  };
  const results = await (await runner({ dx }, fastTarget)).run(feeds);
  assert.deepEqual([...(results.dx.data as Float32Array)], [0, 0, 5, 5, 5, 5, 5, 5, 0, 0]);
});
