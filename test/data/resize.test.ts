import assert from 'node:assert/strict';
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

/** The formula of the recorded outputs' description, one value at a time. */
function resizedValue(source: Uint8Array, from: number[], to: number[], x: number, y: number, channel: number): number {
  const along = (i: number, n: number, length: number) => {
    const f = Math.fround((i + 0.5) * (n / length) - 0.5);
    const k = Math.floor(f);
    if (k < 0) return { k: 0, next: 0, share: 0 };
    return k >= n - 1 ? { k: n - 1, next: n - 1, share: 0 } : { k, next: k + 1, share: Math.fround(f - k) };
  };
  const column = along(x, from[0], to[0]);
  const row = along(y, from[1], to[1]);
  const at = (cx: number, cy: number) => source[(cy * from[0] + cx) * 3 + channel];
  const mixed = (cy: number) =>
    at(column.k, cy) * Math.round(2048 * (1 - column.share)) + at(column.next, cy) * Math.round(2048 * column.share);
  const part = (weight: number, value: number) => Math.floor((weight * Math.floor(value / 16)) / 65536);
  const sum =
    part(Math.round(2048 * (1 - row.share)), mixed(row.k)) + part(Math.round(2048 * row.share), mixed(row.next));
  return Math.floor((sum + 2) / 4);
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
