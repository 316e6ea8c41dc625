import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suppressNonMaximum } from '../../src/boxes/nms.js';
import { needs } from '../shared.js';
import { columns, openGolden } from './golden-arrays.js';

const boxes = Float32Array.of(0, 0, 10, 10, 1, 0, 11, 10, 8, 0, 18, 10, 50, 50, 60, 60);

test('kept boxes by falling score; a suppressed box suppresses nothing', () => {
  const chain = Float32Array.of(0, 0, 10, 1, 4, 0, 14, 1, 8, 0, 18, 1); // neighbours overlap by 6/14, ends by 2/18
  assert.deepEqual([...suppressNonMaximum(chain, Float32Array.of(0.9, 0.8, 0.7), { threshold: 0.4 })], [0, 2]);
  assert.deepEqual([...suppressNonMaximum(chain, Float32Array.of(0.7, 0.9, 0.8), { threshold: 0.4 })], [1]);
});

test('an overlap equal to the threshold does not suppress', () => {
  const halves = Float32Array.of(0, 0, 10, 10, 0, 0, 10, 5);
  assert.deepEqual([...suppressNonMaximum(halves, Float32Array.of(0.2, 0.1), { threshold: 0.5 })], [0, 1]);
});

test('equal scores keep their order', () => {
  const order = suppressNonMaximum(boxes, new Float32Array(4).fill(0.5), { threshold: 0.5 });
  assert.deepEqual([...order], [0, 2, 3]);
});

test('pixels that count x2 and y2 inside overlap more', () => {
  const small = Float32Array.of(0, 0, 1, 1, 1, 0, 2, 1); // touch on a line: none in common, or 2 of 6 pixels
  const scores = Float32Array.of(0.5, 0.4);
  assert.deepEqual([...suppressNonMaximum(small, scores, { threshold: 0.3 })], [0, 1]);
  assert.deepEqual([...suppressNonMaximum(small, scores, { threshold: 0.3, plusOne: true })], [0]);
});

test('the limit counts kept boxes', () => {
  const scores = Float32Array.of(0.9, 0.8, 0.7, 0.6);
  assert.deepEqual([...suppressNonMaximum(boxes, scores, { threshold: 0.5, limit: 2 })], [0, 2]);
  assert.deepEqual([...suppressNonMaximum(boxes, scores, { threshold: 0.5, limit: 0 })], []);
});

test('no boxes, and two without area', () => {
  assert.deepEqual([...suppressNonMaximum(new Float32Array(0), new Float32Array(0), { threshold: 0.5 })], []);
  assert.deepEqual([...suppressNonMaximum(new Float32Array(8), Float32Array.of(0.1, 0.2), { threshold: 0.5 })], [1, 0]);
});

test('scores that are missing or not numbers are refused', () => {
  assert.throws(() => suppressNonMaximum(boxes, new Float32Array(3), { threshold: 0.5 }), { code: 'shape' });
  const scores = Float32Array.of(0.1, 0.2, Number.NaN, 0.3);
  assert.throws(() => suppressNonMaximum(boxes, scores, { threshold: 0.5 }), {
    code: 'data',
    message: /Score 2 is NaN/,
  });
});

for (const [name, threshold] of [
  ['rpn', 0.7],
  ['det', 0.5],
] as const) {
  test(`Cascade R-CNN zoo's NMSWithMask, ${name}`, needs('golden/cascade-rcnn-zoo'), async () => {
    const golden = await openGolden('cascade-rcnn-zoo/nms_with_mask.safetensors');
    const rows = golden.floats(`${name}.boxes`); // sorted by falling score
    const kept = suppressNonMaximum(columns(rows, 5, 0, 4), columns(rows, 5, 4, 1), { threshold });
    const mask = golden.integers(`${name}.mask`);
    assert.deepEqual(
      [...kept],
      [...mask.keys()].filter((i) => mask[i]),
    );
  });
}
