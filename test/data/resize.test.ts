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
