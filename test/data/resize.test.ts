import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { decodePicture } from '../../src/data/decode.js';
import { resizeBytes, wholeRegion } from '../../src/data/resize.js';
import { readGolden } from '../golden.js';
import { needs, shared } from '../shared.js';

const size = { width: 320, height: 320 };

test('Bytes are resized as OpenCV resizes them, every byte equal', needs('golden/refinedet-zoo'), async () => {
  const files = { bccd: 'bccd/JPEGImages/BloodImage_00001.jpg', coco: 'coco-mini/train2017/000000539216.jpg' };
  for (const [name, file] of Object.entries(files)) {
    const { tensors } = await readGolden(`refinedet-zoo/preprocess_${name}.safetensors`);
    const picture = await decodePicture(shared(`data/${file}`) as string, { name: file });
    const out = new Uint8Array(320 * 320 * 3);
    resizeBytes(picture.data, picture.width, wholeRegion(picture), size, out);
    assert.equal(Buffer.compare(out, tensors.get('resized')?.data as Uint8Array), 0, name);
  }
});

test('A region resizes as the same pixels cut out do, and equal size copies', () => {
  const width = 37;
  const source = Uint8Array.from({ length: width * 29 * 3 }, (_, i) => (i * 2654435761) >>> 24);
  const region = { left: 5, top: 3, right: 30, bottom: 24 };
  const cut = new Uint8Array(25 * 21 * 3);
  for (let y = 0; y < 21; y++) {
    const start = ((y + 3) * width + 5) * 3;
    cut.set(source.subarray(start, start + 25 * 3), y * 25 * 3);
  }
  const fromRegion = new Uint8Array(64 * 16 * 3);
  const fromCut = new Uint8Array(64 * 16 * 3);
  resizeBytes(source, width, region, { width: 64, height: 16 }, fromRegion);
  resizeBytes(cut, 25, wholeRegion({ width: 25, height: 21 }), { width: 64, height: 16 }, fromCut);
  assert.deepEqual(fromRegion, fromCut);
  const copy = new Uint8Array(cut.length);
  resizeBytes(cut, 25, wholeRegion({ width: 25, height: 21 }), { width: 25, height: 21 }, copy);
  assert.deepEqual(copy, cut);
  const one = new Uint8Array(4 * 4 * 3);
  resizeBytes(Uint8Array.of(10, 20, 30), 1, wholeRegion({ width: 1, height: 1 }), { width: 4, height: 4 }, one);
  assert.deepEqual(
    one,
    Uint8Array.from({ length: 48 }, (_, i) => 10 + (i % 3) * 10),
  );
});

/**
 * The formula of the recorded outputs' description, one value at a time. What it does not say: a row above the first centre
 * or below the last one is the outermost row mixed with itself.
 */
function resizedValue(source: Uint8Array, from: number[], to: number[], x: number, y: number, channel: number): number {
  const place = (i: number, n: number, length: number) => Math.fround((i + 0.5) * (n / length) - 0.5);
  const clamp = (k: number, n: number) => Math.min(Math.max(k, 0), n - 1);
  const column = Math.min(Math.max(place(x, from[0], to[0]), 0), from[0] - 1);
  const row = place(y, from[1], to[1]);
  const share = (at: number) => Math.fround(at - Math.floor(at));
  const weights = (at: number) => [Math.fround(1 - share(at)), share(at)].map((part) => halfToEven(2048 * part));
  const [left, right] = weights(column);
  const at = (cx: number, cy: number) => source[(clamp(cy, from[1]) * from[0] + clamp(cx, from[0])) * 3 + channel];
  const mixed = (cy: number) => at(Math.floor(column), cy) * left + at(Math.floor(column) + 1, cy) * right;
  const part = (weight: number, value: number) => Math.floor((weight * Math.floor(value / 16)) / 65536);
  const [upper, lower] = weights(row);
  return Math.floor((part(upper, mixed(Math.floor(row))) + part(lower, mixed(Math.floor(row) + 1)) + 2) / 4);
}

function halfToEven(value: number): number {
  return value % 1 === 0.5 ? 2 * Math.round(value / 2) : Math.round(value);
}

test('Enlarging and shrinking follow the fixed-point formula in every value', () => {
  const source = Uint8Array.from({ length: 23 * 17 * 3 }, (_, i) => Math.imul(i, 2654435761) >>> 24);
  for (const [width, height] of [
    [50, 9],
    [11, 40],
    [23, 17],
    [1, 1],
  ]) {
    const out = new Uint8Array(width * height * 3);
    resizeBytes(source, 23, wholeRegion({ width: 23, height: 17 }), { width, height }, out);
    const expected = out.map((_, i) => {
      const pixel = Math.floor(i / 3);
      return resizedValue(source, [23, 17], [width, height], pixel % width, Math.floor(pixel / width), i % 3);
    });
    assert.deepEqual(out, expected, `${width}×${height}`);
  }
});

// Made by OpenCV 4.10's resize of the same bytes: [width, height] before and after, start of the result's SHA-256.
const byOpenCv = [
  [[23, 17], [50, 40], 'baa3e48c6ea3e8b0'],
  [[23, 17], [50, 9], 'c8edd52594e20b4b'],
  [[23, 17], [11, 40], '12685b77a2d1b63e'],
  [[1, 1], [5, 4], '73dc38d73dc8053d'],
  [[9, 1], [33, 30], '39cde835e1a824ee'],
  [[1, 9], [2, 33], 'cd7a16d92709aee9'],
  [[46, 34], [23, 17], '50029d13179ec356'],
  [[1, 100], [1, 133], 'a43a7593f61ebcd3'],
  [[3, 3], [150, 150], '4a4fd72765b50abb'],
] as const;

for (const [from, to, digest] of byOpenCv) {
  test(`${from.join('×')} to ${to.join('×')} is OpenCV's`, () => {
    const source = Uint8Array.from({ length: from[0] * from[1] * 3 }, (_, i) => Math.imul(i, 2654435761) >>> 24);
    const out = new Uint8Array(to[0] * to[1] * 3);
    const picture = { width: from[0], height: from[1] };
    resizeBytes(source, from[0], wholeRegion(picture), { width: to[0], height: to[1] }, out);
    assert.equal(createHash('sha256').update(out).digest('hex').slice(0, 16), digest);
  });
}
