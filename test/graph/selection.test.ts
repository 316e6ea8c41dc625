import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  constant,
  gradient,
  input,
  int64s,
  nonMaxSuppression,
  type RoiAlignOptions,
  reduceSum,
  roiAlign,
  topK,
} from '../../src/graph/index.js';
import { checkGradient, evaluate, floats, integers, numbersOf, pseudo } from './harness.js';

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

const rois = {
  inside: [1, 1, 9, 7, 2.5, 0.5, 6.5, 7.5, 0, 0, 15, 11],
  'reaching outside': [-6, -4, 5, 5, 10, 8, 30, 40, -3, 2, 40, 3],
  'wholly outside': [-30, -30, -10, -10, 100, 100, 120, 110, 3, 3, 9, 9],
  'of size zero': [5, 5, 5, 5, 3, 2, 3, 8, 15.9, 11.9, 15.9, 11.9],
};
const alignments: Record<string, RoiAlignOptions> = {
  'aligned, 2 points': { size: [2, 3], sampling: 2, scale: 0.5 },
  'aligned, 1 point': { size: [3, 2], sampling: 1, scale: 0.5, aligned: true },
  'not aligned, 2 points': { size: [2, 2], sampling: 2, scale: 0.5, aligned: false },
  'not aligned, 1 point, unscaled': { size: [1, 4], sampling: 1, scale: 1, aligned: false },
  'aligned, 3 points': { size: [1, 1], sampling: 3, scale: 0.25 },
};

for (const [place, numbers] of Object.entries(rois)) {
  for (const [name, options] of Object.entries(alignments)) {
    test(`RoIAlign gradient: ${name}, rois ${place}`, () =>
      checkGradient({
        name: `${name}, ${place}`,
        inputs: { x: [2, 3, 6, 8], rois: floats([3, 4], numbers), pictures: integers([3], [1, 0, 1]) },
        build: (v) => roiAlign(v.x, v.rois, v.pictures, options),
      }));
  }
}

test('RoIAlign samples between pixel centres as Mask R-CNN and PyTorch do', async () => {
  // On a map that is linear in x and y, a bin's mean is the map at the bin's centre.
  const [h, w] = [8, 10];
  const map = Float32Array.from({ length: h * w }, (_, i) => 3 * Math.floor(i / w) + (i % w));
  const x = constant('float32', [1, 1, h, w], map);
  const boxes = constant('float32', [1, 4], Float32Array.of(4, 4, 12, 12));
  const picture = int64s([0]);
  const results = await evaluate({
    aligned: roiAlign(x, boxes, picture, { size: [2, 2], sampling: 2, scale: 0.5 }),
    legacy: roiAlign(x, boxes, picture, { size: [2, 2], sampling: 2, scale: 0.5, aligned: false }),
  });
  // The RoI is [2, 6] on the map, bins are centred at 3 and 5; pixel i has its centre at i + 0.5 where aligned.
  const at = (row: number, column: number) => 3 * row + column;
  assert.deepEqual(numbersOf(results.aligned), [at(2.5, 2.5), at(2.5, 4.5), at(4.5, 2.5), at(4.5, 4.5)]);
  assert.deepEqual(numbersOf(results.legacy), [at(3, 3), at(3, 5), at(5, 3), at(5, 5)]);
});

test('RoIAlign: boxes get no gradient, and sampling by size has none at all', async () => {
  const x = input('x', 'float32', [1, 1, 4, 4]);
  const boxes = input('boxes', 'float32', [1, 4]);
  const loss = (sampling: number) => reduceSum(roiAlign(x, boxes, int64s([0]), { size: [2, 2], sampling, scale: 1 }));
  const [dBoxes] = gradient(loss(2), [boxes]);
  const feeds = { boxes: floats([1, 4], [0, 0, 3, 3]), x: floats([1, 1, 4, 4], [...pseudo(16, 1)]) };
  assert.deepEqual(numbersOf((await evaluate({ dBoxes }, feeds)).dBoxes), [0, 0, 0, 0]);
  assert.equal((await evaluate({ y: loss(0) }, feeds)).y.shape.length, 0);
  assert.throws(() => gradient(loss(0), [x]), /RoiAlign.*fixed number of sampling points/);
});
