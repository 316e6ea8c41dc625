import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boxAreas, iouMatrix } from '../../src/boxes/iou.js';
import { needs } from '../shared.js';
import { assertClose, openGolden } from './golden-arrays.js';

const boxes = Float32Array.of(0, 0, 10, 10, 5, 5, 15, 15, 10, 0, 20, 10);

test('overlaps of continuous boxes', () => {
  const expected = [1, 25 / 175, 0, 25 / 175, 1, 25 / 175, 0, 25 / 175, 1].map(Math.fround);
  assert.deepEqual([...iouMatrix(boxes, boxes)], expected);
});

test('overlaps where x2 and y2 are the last pixels inside', () => {
  const edge = 11 / (2 * 121 - 11); // a column of 11 pixels in common
  const corner = 36 / (2 * 121 - 36);
  const expected = [1, corner, edge, corner, 1, corner, edge, corner, 1].map(Math.fround);
  assert.deepEqual([...iouMatrix(boxes, boxes, true)], expected);
  assert.deepEqual([...boxAreas(boxes, true)], [121, 121, 121]);
});

test('every operation is rounded to float32, in the order of the references', () => {
  // A fixed walk through the unit square: 40 × 40 pairs, most of which overlap.
  const walk = Float32Array.from({ length: 160 }, (_, i) => ((i * 0.618034) % 0.4) + (i % 4 < 2 ? 0 : 0.5));
  const actual = iouMatrix(walk, walk);
  const boxAt = (i: number) => walk.subarray(i * 4, i * 4 + 4);
  const stepwise = actual.map((_, k) => overlapBySteps(boxAt(Math.floor(k / 40)), boxAt(k % 40), Math.fround));
  const roundedOnce = actual.map((_, k) => overlapBySteps(boxAt(Math.floor(k / 40)), boxAt(k % 40), (x) => x));
  assert.deepEqual(actual, stepwise);
  assert.notDeepEqual(actual, roundedOnce, 'the walk meets cases where the order of rounding shows');
});

test('boxes without area overlap nothing, themselves included', () => {
  const flat = Float32Array.of(3, 3, 3, 3, 2, 2, 8, 2);
  assert.deepEqual([...iouMatrix(flat, Float32Array.of(...flat, ...boxes))], new Array(10).fill(0));
});

test('lists that are not four numbers a box are refused', () => {
  assert.throws(() => iouMatrix(boxes, new Float32Array(6)), { code: 'shape', message: /others: 6 numbers/ });
});

test("Cascade R-CNN zoo's overlaps", needs('golden/cascade-rcnn-zoo'), async () => {
  const golden = await openGolden('cascade-rcnn-zoo/iou.safetensors');
  const actual = iouMatrix(golden.floats('gt').subarray(0, 24), golden.floats('boxes').subarray(0, 360), true);
  const all = golden.floats('iou'); // its last boxes and ground truths are padding
  const expected = Float32Array.from(actual, (_, i) => all[Math.floor(i / 90) * 96 + (i % 90)]);
  assertClose(actual, expected, 1e-6, 1e-6);
});

function overlapBySteps(a: Float32Array, b: Float32Array, round: (value: number) => number): number {
  const width = Math.max(round(Math.min(a[2], b[2]) - Math.max(a[0], b[0])), 0);
  const height = Math.max(round(Math.min(a[3], b[3]) - Math.max(a[1], b[1])), 0);
  const [areaA, areaB] = [a, b].map((box) => round(round(box[2] - box[0]) * round(box[3] - box[1])));
  const intersection = round(height * width);
  const union = round(round(areaA + areaB) - intersection);
  return round(intersection / union);
}
