import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as g from '../../src/graph/index.js';
import { checkShapes, pseudo, referenceTarget } from './harness.js';

const float = (shape: readonly number[], seed: number): g.Tensor => ({
  dtype: 'float32',
  shape,
  data: pseudo(g.elementCount(shape), seed),
});

const pictures = () => g.input('pictures', 'float32', ['batch', 3, 'height', 'width']);
const weights = (out: number, channels: number, kernel: number) =>
  g.constant('float32', [out, channels, kernel, kernel], pseudo(out * channels * kernel * kernel, 7));

/** A small detector's parts, each with the sizes that it must run at. */
const graphs: Record<string, () => Record<string, g.Value>> = {
  'convolutions and a shortcut': () => {
    const x = pictures();
    const a = g.relu(g.conv2d(x, weights(4, 3, 3), { padding: 1 }));
    const b = g.conv2d(a, weights(4, 4, 3), { padding: 1 });
    const down = g.conv2d(g.add(a, b), weights(6, 4, 3), { padding: 1, stride: 2 });
    assert.deepEqual(a.shape, ['batch', 4, 'height', 'width'], 'a "same" convolution keeps the symbols');
    return { down, dilated: g.conv2d(down, weights(6, 6, 3), { padding: 2, dilation: 2 }) };
  },
  pooling: () => {
    const x = pictures();
    const options = { kernel: 3, stride: 2, padding: 1 };
    return {
      down: g.maxPool2d(g.maxPool2d(x, { kernel: 2 }), { kernel: 2 }),
      padded: g.maxPool2d(x, options),
      ceil: g.maxPool2d(x, { kernel: 2, ceil: true }),
      average: g.averagePool2d(x, options),
    };
  },
  'up and down by factors': () => {
    const x = pictures();
    const up = g.upsample(x, 2, { mode: 'nearest' });
    const half = g.upsample(x, 0.5, { mode: 'linear' });
    const half3 = g.upsample(x, 1.5, { mode: 'linear' });
    const deconvolved = g.convTranspose2d(x, weights(3, 2, 2), { stride: 2 });
    const wide = g.convTranspose2d(x, weights(3, 2, 4), { stride: 2 });
    assert.deepEqual(deconvolved.shape, ['batch', 2, 'height*2', 'width*2']);
    return { merged: g.add(up, g.reduceSum(deconvolved, [1], { keepDims: true })), half, half3, wide };
  },
  'resize to another map': () => {
    const x = pictures();
    const down = g.maxPool2d(x, { kernel: 2 });
    const sizes = g.shapeOf(x);
    return { like: g.add(x, g.resizeTo(down, sizes, x.shape, { mode: 'nearest' })) };
  },
  'heads: one row an anchor': () => {
    const x = pictures();
    const head = (map: g.Value) => g.reshape(g.transpose(map, [0, 2, 3, 1]), ['batch', -1, 4]);
    const fine = head(g.conv2d(x, weights(8, 3, 3), { padding: 1 }));
    const coarse = head(g.conv2d(x, weights(4, 3, 3), { padding: 1, stride: 2 }));
    const all = g.concat([fine, coarse], 1);
    const scores = g.softmax(all, -1);
    return {
      all,
      best: g.reduceMax(scores, [2]),
      first: g.slice(all, [0], [200], [1]),
      rest: g.slice(all, [2], [-1], [1]),
    };
  },
  'flattened and back': () => {
    const x = pictures();
    const flat = g.reshape(x, ['batch', 3, -1]);
    const rows = g.reshape(x, [-1, 3]);
    return { flat, rows, mean: g.reduceMean(flat, [2]), backwards: g.slice(x, [-1], [-g.openEnd], [3], [-1]) };
  },
  'the best of all': () => {
    const x = g.reshape(pictures(), ['batch', -1]);
    const { values, indices } = g.topK(x, 7);
    return { values, again: g.gatherElements(x, indices, 1), last: g.argMax(x, -1, { last: true }) };
  },
  'expand like another': () => {
    const x = pictures();
    const row = g.reduceMean(x, [0, 2], { keepDims: true });
    const one = g.constant('float32', [1, 1, 1, 1], Float32Array.of(2));
    return { y: g.add(g.expandLike(row, x), x), ones: g.expandLike(one, x), size: g.dimOf(x, 3) };
  },
  'suppression and what it keeps': () => {
    const x = pictures();
    const rows = g.reshape(g.transpose(x, [0, 2, 3, 1]), ['batch', -1, 3]);
    const corners = g.slice(rows, [0], [2], [2]);
    const boxes = g.concat([corners, g.add(corners, 0.3)], 2);
    const scores = g.transpose(rows, [0, 2, 1]);
    const options = { iouThreshold: 0.5, scoreThreshold: 0.1, maxPerClass: 5 };
    const selected = g.nonMaxSuppression(boxes, scores, options);
    const pair = g.gather(selected, g.int64s([0, 2]), 1);
    return { selected, kept: g.gatherNd(boxes, pair), few: g.slice(selected, [0], [3]) };
  },
  'two inputs with a free dimension each': () => {
    const [a, b] = [g.input('a', 'float32', ['n', 4]), g.input('b', 'float32', ['m', 4])];
    const overlap = g.matMul(a, g.matrixTranspose(b));
    const pairs = g.mul(g.unsqueeze(a, 1), g.unsqueeze(b, 0));
    assert.deepEqual(overlap.shape, ['n', 'm']);
    return { overlap, pairs, both: g.concat([a, b], 0), joined: g.slice(g.concat([a, b], 0), [1], [g.openEnd]) };
  },
};

const sizes = [
  [1, 8, 8],
  [2, 9, 11],
  [3, 16, 7],
];

for (const [name, build] of Object.entries(graphs)) {
  test(`free dimensions: ${name}`, async () => {
    const outputs = build();
    for (const [batch, height, width] of sizes) {
      const feeds = {
        pictures: float([batch, 3, height, width], 1),
        a: float([batch, 4], 2),
        b: float([height, 4], 3),
      };
      assert.ok((await checkShapes(outputs, referenceTarget, feeds)) > 0);
    }
  });
}

test('a graph with free dimensions has no gradient, and says why', () => {
  const x = pictures();
  const w = g.input('w', 'float32', [4, 3, 3, 3]);
  const loss = g.reduceSum(g.conv2d(x, w));
  assert.throws(() => g.gradient(loss, [x]), /free dimension "(batch|height)" where a fixed shape is needed/);
});
