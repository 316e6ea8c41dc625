import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conv2d, gradient, input, reduceSum, topological, type Value } from '../../src/graph/index.js';
import { lowerFor, type Target } from '../../src/lowering/index.js';
import { assertSameAsReference } from './same-as-reference.js';

const cases = {
  'tiles that fit': { x: [2, 128, 8, 12], w: [128, 128, 3, 3] },
  'many tiles a picture': { x: [2, 64, 33, 32], w: [64, 64, 3, 3] },
  'one row and column too many': { x: [1, 128, 9, 13], w: [132, 128, 3, 3] },
  'two too many': { x: [1, 130, 10, 14], w: [128, 130, 3, 3] },
  'one too few': { x: [2, 128, 11, 7], w: [128, 128, 3, 3] },
};

for (const [name, shapes] of Object.entries(cases)) {
  test(`Winograd's convolution and gradients equal the direct form: ${name}`, () =>
    assertSameAsReference({
      shapes: { ...shapes, b: [shapes.w[0]] },
      build: ({ x, w, b }) => conv2d(x, w, { padding: 1, bias: b }),
      tolerance: 1e-5,
    }));
}

function operatorTypes(values: readonly Value[], target: Target): string[] {
  return topological(lowerFor(values, target)).map((node) => node.operator.type);
}

test('the transformed input is shared by the convolution and its weight gradient', () => {
  const [x, w] = [input('x', 'float32', [1, 128, 16, 16]), input('w', 'float32', [128, 128, 3, 3])];
  const y = conv2d(x, w, { padding: 1 });
  const [dw] = gradient(reduceSum(y), [w]);
  const types = operatorTypes([y, dw], { provider: 'cpu', form: 'fast', training: true });
  // The transforms of X and of dY; nothing is transformed twice.
  assert.equal(types.filter((type) => type === 'Conv').length, 2);
});

test('graphs that are not for training keep their plain operators', () => {
  const [x, w] = [input('x', 'float32', [1, 128, 16, 16]), input('w', 'float32', [128, 128, 3, 3])];
  const types = operatorTypes([conv2d(x, w, { padding: 1 })], { provider: 'cpu', form: 'fast' });
  assert.deepEqual(types, ['Input', 'Input', 'Conv']);
});
