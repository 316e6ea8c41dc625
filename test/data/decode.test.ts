import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { decodePicture } from '../../src/data/decode.js';
import { readGolden } from '../golden.js';
import { needs, shared } from '../shared.js';
import { plainJpeg } from './folders.js';

/** A picture whose left half is red and right half blue. */
function redAndBlue(width = 8, height = 4) {
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) pixels[i * 3 + (i % width < width / 2 ? 0 : 2)] = 255;
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

function pixelAt({ data, width }: { data: Uint8Array; width: number }, x: number, y: number): number[] {
  return [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}

test('JPEG decodes to the bytes of libjpeg-turbo', needs('golden/refinedet-zoo'), async () => {
  const pictures = [
    ['refinedet-zoo/preprocess_coco', 'decoded', 'coco-mini/train2017/000000539216.jpg'],
    ['cascade-rcnn-zoo/preprocess', 'image0.decoded_rgb', 'bccd/JPEGImages/BloodImage_00002.jpg'],
    ['cascade-rcnn-zoo/preprocess', 'image1.decoded_rgb', 'coco-mini/val2017/000000000802.jpg'],
  ];
  for (const [golden, tensor, file] of pictures) {
    const expected = (await readGolden(`${golden}.safetensors`)).tensors.get(tensor);
    const { data, width, height } = await decodePicture(shared(`data/${file}`) as string, { name: file });
    assert.deepEqual([height, width, 3], expected?.shape);
    assert.equal(Buffer.compare(data, expected?.data as Uint8Array), 0, file);
  }
});

test('EXIF orientation is applied, and the size held against is the upright one', async () => {
  const turned = await redAndBlue().withMetadata({ orientation: 6 }).png().toBuffer();
  const picture = await decodePicture(turned, { name: 'turned.png', width: 4, height: 8 });
  assert.deepEqual([picture.width, picture.height], [4, 8]);
  assert.deepEqual(pixelAt(picture, 0, 0), [255, 0, 0]);
  assert.deepEqual(pixelAt(picture, 0, 7), [0, 0, 255]);
  const message = /turned\.png: the annotations say 8×4 pixels, the upright picture has 4×8; its EXIF/;
  await assert.rejects(decodePicture(turned, { name: 'turned.png', width: 8, height: 4 }), { code: 'data', message });
});

test('Greyscale, 16 bits, a palette, transparency and CMYK become 8-bit RGB', async () => {
  const grey = await sharp({ create: { width: 4, height: 4, channels: 3, background: '#646464' } })
    .toColourspace('b-w')
    .jpeg()
    .toBuffer();
  assert.equal((await sharp(grey).metadata()).channels, 1);
  assert.deepEqual(pixelAt(await decodePicture(grey, { name: 'grey' }), 1, 1), [100, 100, 100]);

  const deep = await sharp(
    Uint16Array.from({ length: 48 }, () => 0x80ff),
    { raw: { width: 4, height: 4, channels: 3 } },
  )
    .toColourspace('rgb16')
    .png()
    .toBuffer();
  assert.equal((await sharp(deep).metadata()).depth, 'ushort');
  assert.deepEqual(pixelAt(await decodePicture(deep, { name: 'deep' }), 1, 1), [128, 128, 128]);

  const palette = await redAndBlue().png({ palette: true }).toBuffer();
  assert.deepEqual(pixelAt(await decodePicture(palette, { name: 'palette' }), 0, 0), [255, 0, 0]);

  const background = { r: 255, g: 0, b: 0, alpha: 0 };
  const clear = await sharp({ create: { width: 4, height: 4, channels: 4, background } })
    .png()
    .toBuffer();
  assert.deepEqual(pixelAt(await decodePicture(clear, { name: 'clear' }), 0, 0), [255, 255, 255]);

  const cmyk = await redAndBlue(32, 32).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
  assert.equal((await sharp(cmyk).metadata()).space, 'cmyk');
  const picture = await decodePicture(cmyk, { name: 'cmyk' });
  assert.equal(picture.data.length, 32 * 32 * 3);
  const [red, green, blue] = pixelAt(picture, 4, 16);
  assert.ok(red > 180 && green < 90 && blue < 90, `red became ${[red, green, blue]}`);
});

test('Truncated, broken, empty and missing pictures are errors with the name', async () => {
  const whole = await plainJpeg(300, 200);
  const expected = { name: 'bad.jpg' };
  const error = { name: 'BoxwrightError', code: 'data', message: /^bad\.jpg: the picture cannot be decoded \(.+\)/ };
  await assert.rejects(decodePicture(whole.subarray(0, whole.length / 2), expected), error);
  await assert.rejects(decodePicture(Buffer.from('no picture'), expected), error);
  await assert.rejects(decodePicture(new Uint8Array(0), expected), error);
  await assert.rejects(decodePicture('/nowhere/bad.jpg', expected), error);
  const size = /bad\.jpg: the annotations say 200×200 pixels, the picture has 300×200/;
  await assert.rejects(decodePicture(whole, { ...expected, width: 200, height: 200 }), { code: 'data', message: size });
});
