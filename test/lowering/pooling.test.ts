import { test } from 'node:test';
import { maxPool2d, type PoolOptions, relu } from '../../src/graph/index.js';
import { assertSameAsReference } from './same-as-reference.js';

const cases: Record<string, PoolOptions> = {
  '2×2': { kernel: 2 },
  '2×2 ceil': { kernel: 2, ceil: true },
  '2×2 stride 3': { kernel: 2, stride: 3 },
  '3×3 stride 2': { kernel: 3, stride: 2, padding: 1 },
  '3×3 stride 1': { kernel: 3, stride: 1, padding: 1 },
};
/** Three values only, so that most windows have ties; 0 is one of them. */
const coarse = (value: number) => Math.round(value);

for (const [name, options] of Object.entries(cases)) {
  for (const shape of [
    [2, 3, 8, 6],
    [1, 2, 7, 9],
  ]) {
    const shapes = { x: shape };
    test(`max-pooling ${name} of ${shape}`, () =>
      assertSameAsReference({ shapes, build: ({ x }) => maxPool2d(x, options) }));
    test(`max-pooling ${name} of ${shape} with ties`, () =>
      assertSameAsReference({ shapes, build: ({ x }) => maxPool2d(x, options), values: coarse }));
    test(`max-pooling ${name} of ${shape} behind ReLU`, () =>
      assertSameAsReference({ shapes, build: ({ x }) => maxPool2d(relu(x), options), values: coarse }));
  }
}
