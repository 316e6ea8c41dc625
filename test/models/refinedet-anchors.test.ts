import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tensor } from '../../src/graph/tensor.js';
import { type Anchors, defaultAnchors, paperAnchors, zooAnchors } from '../../src/models/refinedet/anchors.js';
import { readGolden } from '../golden.js';
import { needs } from '../shared.js';

for (const size of [320, 512]) {
  test(
    `paper's anchors at ${size} equal the reference's, clipped and not`,
    needs('golden/refinedet-paper'),
    async () => {
      const { tensors } = await readGolden('refinedet-paper/priors.safetensors');
      for (const [clip, name] of [
        [true, `priors_${size}`],
        [false, `priors_${size}_unclipped`],
      ] as const) {
        const anchors = defaultAnchors(paperAnchors(size, clip));
        assert.deepEqual(anchors.centres, tensors.get(name)?.data, name);
      }
    },
  );

  test(`zoo's anchors at ${size} equal the reference's in both forms`, needs('golden/refinedet-zoo'), async () => {
    const { tensors } = await readGolden(`refinedet-zoo/anchors_${size}.safetensors`);
    const anchors = defaultAnchors(zooAnchors(size));
    assert.deepEqual(anchors.centres, flipAxes(tensors.get('cyxhw')));
    assert.deepEqual(anchors.corners, flipAxes(tensors.get('yxyx')));
  });
}

test('recipes survive JSON with the same anchors', () => {
  for (const recipe of [paperAnchors(320), zooAnchors(320)]) {
    assert.deepEqual(defaultAnchors(JSON.parse(JSON.stringify(recipe))), defaultAnchors(recipe));
  }
});

test('anchors run by level, row, column, shape', () => {
  const anchors = defaultAnchors(paperAnchors(320));
  assert.equal(anchors.count, 6375);
  const [right, below, nextLevel] = [3, 3 * 40, 4800];
  assert.deepEqual([...row(anchors, 0)], [4 / 320, 4 / 320, 0.1, 0.1].map(Math.fround));
  assert.deepEqual([...row(anchors, 1).slice(2)], [Math.SQRT2 / 10, Math.SQRT1_2 / 10].map(Math.fround));
  assert.deepEqual([...row(anchors, right)].slice(0, 2), [12 / 320, 4 / 320].map(Math.fround));
  assert.deepEqual([...row(anchors, below)].slice(0, 2), [4 / 320, 12 / 320].map(Math.fround));
  assert.deepEqual([...row(anchors, nextLevel)], [8 / 320, 8 / 320, 0.2, 0.2].map(Math.fround));
});

test('a size that a stride does not divide is refused', () => {
  assert.throws(() => defaultAnchors(paperAnchors(300)), { code: 'config', message: /stride 8 at size 300/ });
});

function row(anchors: Anchors, index: number): Float32Array {
  return anchors.centres.slice(index * 4, index * 4 + 4);
}

/** The zoo's files have y before x. */
function flipAxes(tensor: Tensor | undefined): Float32Array {
  assert.ok(tensor?.dtype === 'float32');
  return (tensor as Tensor<'float32'>).data.map((_, i, all) => all[i ^ 1]);
}
