import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BoxCoder, clipBoxes, decodeBoxes, encodeBoxes, toCentres } from '../../src/boxes/coder.js';
import { needs } from '../shared.js';
import { assertClose, columns, openGolden } from './golden-arrays.js';

const plain: BoxCoder = { stds: [1, 1, 1, 1], order: 'xywh' };

test('deltas of a shifted and widened box', () => {
  const reference = Float32Array.of(50, 50, 20, 10); // cx, cy, w, h
  const box = Float32Array.of(35, 45, 75, 55); // centre 55, 50, sides 40, 10
  assertClose(encodeBoxes(box, reference, plain), Float32Array.of(0.25, 0, Math.LN2, 0), 1e-6, 0);
  const stds = { ...plain, stds: [0.1, 0.1, 0.2, 0.2] } as const;
  assertClose(encodeBoxes(box, reference, stds), Float32Array.of(2.5, 0, Math.LN2 * 5, 0), 1e-6, 0);
  assertClose(
    encodeBoxes(box, reference, { ...stds, order: 'yxhw' }),
    Float32Array.of(0, 2.5, 0, Math.LN2 * 5),
    1e-6,
    0,
  );
});

test('decoding undoes encoding', () => {
  const boxes = Float32Array.of(10, 20, 30, 70, 0, 0, 5, 5);
  const references = toCentres(Float32Array.of(15, 15, 40, 60, 2, 1, 9, 4));
  for (const plusOne of [false, true]) {
    for (const order of ['xywh', 'yxhw'] as const) {
      const coder: BoxCoder = { stds: [0.1, 0.2, 0.3, 0.4], order, plusOne };
      assertClose(decodeBoxes(encodeBoxes(boxes, references, coder), references, coder), boxes, 1e-5, 1e-5);
    }
  }
});

test('a box without sides: minus infinity, unless the coder keeps its ratio from zero', () => {
  const [flat, reference] = [Float32Array.of(1, 1, 1, 1), Float32Array.of(1, 1, 2, 2)];
  assert.equal(encodeBoxes(flat, reference, plain)[2], Number.NEGATIVE_INFINITY);
  assert.equal(encodeBoxes(flat, reference, { ...plain, minRatio: 1e-6 })[2], Math.fround(Math.log(1e-6)));
  assert.equal(encodeBoxes(flat, reference, { ...plain, ratioOffset: 1e-5 })[2], Math.fround(Math.log(1e-5)));
});

test('clipping is by axis and keeps what lies inside', () => {
  const boxes = Float32Array.of(-5, -6, 300, 250, 1, 2, 3, 4);
  assert.deepEqual([...clipBoxes(boxes, 200, 100)], [0, 0, 200, 100, 1, 2, 3, 4]);
});

test('lists of different lengths are refused', () => {
  assert.throws(() => encodeBoxes(new Float32Array(8), new Float32Array(4), plain), { code: 'shape' });
  assert.throws(() => decodeBoxes(new Float32Array(8), new Float32Array(4), plain), { code: 'shape' });
});

test("Cascade R-CNN zoo's coding, with widths of x2 − x1 + 1", needs('golden/cascade-rcnn-zoo'), async () => {
  const golden = await openGolden('cascade-rcnn-zoo/box_coding.safetensors');
  const anchors = toCentres(golden.floats('anchors'), true);
  for (const [name, stds] of [
    ['std1', [1, 1, 1, 1]],
    ['std01', [0.1, 0.1, 0.2, 0.2]],
  ] as const) {
    const coder: BoxCoder = { stds, order: 'xywh', plusOne: true, maxLogRatio: Math.log(1000 / 16) };
    assertClose(encodeBoxes(golden.floats('gt'), anchors, coder), golden.floats(`encode.${name}`), 1e-5, 3e-5);
    const decoded = decodeBoxes(golden.floats(`delta.${name}`), anchors, coder);
    assertClose(clipBoxes(decoded, 320, 192), golden.floats(`decode.${name}`), 1e-5, 1e-4);
  }
});

test(
  "mmdetection's coding at the stds of RPN and of the three stages",
  needs('golden/cascade-rcnn-paper'),
  async () => {
    const golden = await openGolden('cascade-rcnn-paper/units.safetensors');
    const references = toCentres(golden.floats('coder.boxes'));
    const boxes = columns(golden.floats('coder.gt'), 4, 0, 4);
    for (const [i, [centre, side]] of [
      [1, 1],
      [0.1, 0.2],
      [0.05, 0.1],
      [0.033, 0.067],
    ].entries()) {
      const coder: BoxCoder = {
        stds: [centre, centre, side, side],
        order: 'xywh',
        maxLogRatio: Math.log(1000 / 16),
      };
      assertClose(encodeBoxes(boxes, references, coder), golden.floats(`coder.${i}.encoded`), 1e-4, 1e-4);
      const decoded = decodeBoxes(golden.floats(`coder.${i}.deltas`), references, coder);
      assertClose(clipBoxes(decoded, 300, 200), golden.floats(`coder.${i}.decoded`), 1e-5, 1e-4);
    }
  },
);
