import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constant, int64s, nonMaxSuppression, topK } from '../../src/graph/index.js';
import { checkGradient, evaluate, numbersOf } from './harness.js';

for (const [name, k, axis, largest] of [
  ['largest of rows', 2, -1, true],
  ['smallest of columns', 2, 0, false],
  ['all', 4, 1, true],
  ['one', 1, 1, true],
] as const) {
  test(`topK gradient: ${name}`, () =>
    checkGradient({
      name,
      inputs: { x: [3, 4] },
      build: ({ x }) => topK(x, k, axis, { largest }).values,
      step: 1e-3,
      tolerance: 1e-2,
    }));
}

test('topK orders by value, and equal values by index', async () => {
  const x = constant('float32', [2, 6], Float32Array.of(1, 3, 3, 2, 3, 1, 0, 0, 0, 0, 0, 0));
  const { values, indices } = topK(x, 5);
  const smallest = topK(x, int64s([4]), 1, { largest: false });
  const results = await evaluate({ values, indices, smallest: smallest.indices });
  assert.deepEqual(numbersOf(results.values), [3, 3, 3, 2, 1, 0, 0, 0, 0, 0]);
  assert.deepEqual(numbersOf(results.indices), [1, 2, 4, 3, 0, 0, 1, 2, 3, 4]);
  assert.deepEqual(numbersOf(results.smallest), [0, 5, 3, 1, 0, 1, 2, 3]);
});

test('suppression: IoU above the threshold goes, at the threshold stays; scores at theirs are not looked at', async () => {
  // Boxes 0 and 1 share half of their union, 2 lies apart, 3 is box 2 with its corners exchanged.
  const boxes = constant('float32', [1, 4, 4], Float32Array.of(0, 0, 4, 1, 0, 0, 2, 1, 10, 10, 12, 12, 12, 12, 10, 10));
  const scores = constant('float32', [1, 2, 4], Float32Array.of(0.9, 0.8, 0.7, 0.95, 0.5, 0.1, 0.2, 0.2));
  const at = async (iouThreshold: number, scoreThreshold: number, maxPerClass: number) => {
    const selected = nonMaxSuppression(boxes, scores, { iouThreshold, scoreThreshold, maxPerClass });
    return numbersOf((await evaluate({ selected })).selected);
  };
  assert.deepEqual(await at(0.5, 0.3, 10), [0, 0, 3, 0, 0, 0, 0, 0, 1, 0, 1, 0]);
  assert.deepEqual(await at(0.49, 0.3, 10), [0, 0, 3, 0, 0, 0, 0, 1, 0]);
  assert.deepEqual(await at(0.49, 0.3, 1), [0, 0, 3, 0, 1, 0]);
  assert.deepEqual(await at(0.49, 0.5, 1), [0, 0, 3], 'a score of 0.5 is not greater than 0.5');
  assert.deepEqual(await at(0.5, 2, 10), [], 'nothing at all is an empty result, not an error');
});
