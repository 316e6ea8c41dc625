import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { augmentPicture, type PlacedPicture } from '../../src/data/augment/augment.js';
import type { PictureObjects } from '../../src/data/augment/objects.js';
import type { Random } from '../../src/data/augment/random.js';
import { type AugmentationRecipe, cascadeZooAugmentation, noAugmentation } from '../../src/data/augment/recipe.js';
import { frameRow } from '../../src/data/batches/batch.js';
import { learnableImages } from '../../src/data/batches/learnable.js';
import { decodePicture } from '../../src/data/decode.js';
import { openDataset } from '../../src/data/index.js';
import type { Picture } from '../../src/data/picture.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { type CanvasSize, canvasOf, type KeepRatioRule } from '../../src/models/canvas.js';
import { modelRecipe, resizeRule } from '../../src/models/model.js';
import { readGolden } from '../golden.js';
import { needs, shared } from '../shared.js';

const zooRule = resizeRule(modelRecipe('cascade-rcnn-resnet101-zoo', 80)) as KeepRatioRule;
/** What the published method's recorded outputs were made with. */
const smallRule: KeepRatioRule = { kind: 'keep-ratio', long: 320, short: 256, multiple: 32 };

/** Plays back whole draws; no others are taken. 1 stands for a flip, and for no expansion. */
function playBack(...draws: number[]): Random {
  const none = () => assert.fail('nothing else is drawn');
  return { uniform: none, choice: none, int: () => draws.shift() ?? none() };
}

async function labelled(part: string, id: number) {
  const dataset = await openDataset(shared('data/coco-mini') as string, { part });
  const image = learnableImages(dataset, { crowd: true }).find(({ index }) => dataset.images[index].id === id);
  assert.ok(image, `coco-mini has ${part} ${id}`);
  return { picture: await decodePicture(image.path, image), objects: image.objects };
}

/** A recorded tensor's values; fails if there is none. */
function dataOf<T>(tensors: ReadonlyMap<string, Tensor>, name: string): T {
  const tensor = tensors.get(name);
  assert.ok(tensor, `${name} is recorded`);
  return tensor.data as T;
}

const none: PictureObjects = { boxes: new Float64Array(0), labels: new Int32Array(0) };

function place(
  rule: KeepRatioRule,
  picture: Picture,
  recipe: AugmentationRecipe = noAugmentation,
  random = playBack(),
  objects = none,
): PlacedPicture & { canvas: CanvasSize; out: Uint8ClampedArray } {
  const canvas = canvasOf(rule, picture.width, picture.height);
  // Places that are not written would show.
  const out = new Uint8ClampedArray(canvas.width * canvas.height * 3).fill(99);
  return { ...augmentPicture(recipe, picture, objects, { resize: rule, canvas }, random, out), canvas, out };
}

/** Interleaved values with red and blue exchanged. */
function swapRedBlue(pixels: Uint8ClampedArray): Uint8Array {
  return Uint8Array.from(pixels, (_, i) => pixels[i + 2 - 2 * (i % 3)]);
}

test(
  'The zoo: pictures on its canvas, resized twice where they are upright',
  needs('golden/cascade-rcnn-zoo'),
  async () => {
    const { tensors } = await readGolden('cascade-rcnn-zoo/preprocess.safetensors');
    const json = await readFile(shared('golden/cascade-rcnn-zoo/preprocess.json') as string, 'utf8');
    const { images } = JSON.parse(json) as { images: { file: string; filled_rows: number; filled_cols: number }[] };
    for (const [i, { file, filled_rows, filled_cols }] of images.entries()) {
      const picture = await decodePicture(shared(`data/${file}`) as string, { name: file });
      assert.equal(Buffer.compare(picture.data, dataOf<Uint8Array>(tensors, `image${i}.decoded_rgb`)), 0);
      const { out, canvas, frame } = place(zooRule, picture);
      assert.deepEqual(canvas, { height: 768, width: 1280 });
      const [height, width, scale] = dataOf<Float32Array>(tensors, `image${i}.meta`);
      assert.deepEqual([height, width], [picture.height, picture.width]);
      assert.deepEqual(frameRow(frame).map(Math.fround), [filled_rows, filled_cols, scale, scale]);
      const bgr = swapRedBlue(out);
      const whole = tensors.get(`image${i}.canvas_bgr`)?.data as Uint8Array | undefined;
      if (whole) assert.equal(Buffer.compare(bgr, whole), 0, file);
      const rows = tensors.get(`image${i}.canvas_bgr.rows`)?.data as Uint8Array | undefined;
      for (let row = 0; rows && row < 48; row++) {
        const own = bgr.subarray(row * 16 * 3840, row * 16 * 3840 + 3840);
        assert.equal(Buffer.compare(own, rows.subarray(row * 3840, (row + 1) * 3840)), 0, `${file}, row ${row * 16}`);
      }
      assert.ok(whole ?? rows, 'something was compared');
    }
  },
);

const mean = [123.675, 116.28, 103.53];
const std = [58.395, 57.12, 57.375];

test(
  'The zoo in training: boxes and pixels, mirrored with the padding too',
  needs('golden/cascade-rcnn-zoo'),
  async () => {
    const { tensors } = await readGolden('cascade-rcnn-zoo/preprocess_train.safetensors');
    const { picture, objects } = await labelled('train2017', 196393);
    const stored = dataOf<Int32Array>(tensors, 'annotation');
    const count = objects.labels.length;
    assert.equal(count, stored.length / 6);
    objects.boxes.forEach((side, i) => {
      assert.equal(Math.trunc(side), stored[Math.floor(i / 4) * 6 + (i % 4)]);
    });
    for (const [prefix, flip] of [
      ['', false],
      ['flipped.', true],
    ] as const) {
      const { out, objects: placed } = place(
        zooRule,
        picture,
        cascadeZooAugmentation,
        playBack(1, flip ? 1 : 0),
        objects,
      );
      const boxes = dataOf<Float32Array>(tensors, `${prefix}boxes`);
      assert.deepEqual(Float32Array.from(placed.boxes), boxes.slice(0, 4 * count), prefix);
      const sample = dataOf<Float32Array>(tensors, `${prefix}input.sample`);
      const [step] = dataOf<BigInt64Array>(tensors, `${prefix}input.step`);
      sample.forEach((value, i) => {
        const at = i * Number(step);
        const channel = Math.floor(at / (768 * 1280));
        const byte = out[(at % (768 * 1280)) * 3 + channel];
        assert.equal(byte - Math.round(value * std[channel] + mean[channel]), 0, `${prefix} value ${at}`);
      });
    }
  },
);

test('The published method: pictures and boxes within 320×256', needs('golden/cascade-rcnn-paper'), async () => {
  const { tensors } = await readGolden('cascade-rcnn-paper/train.safetensors');
  const json = await readFile(shared('golden/cascade-rcnn-paper/train.json') as string, 'utf8');
  const { images } = JSON.parse(json) as { images: [string, number][] };
  for (const [i, [part, id]] of images.entries()) {
    const { picture, objects } = await labelled(part, id);
    const recorded = tensors.get(`image_${i}_u8_bgr`);
    assert.ok(recorded);
    const [height, width] = recorded.shape;
    const { out, canvas, frame, objects: placed } = place(smallRule, picture, noAugmentation, playBack(), objects);
    assert.deepEqual([frame.height, frame.width], [height, width]);
    const bgr = swapRedBlue(out);
    for (let row = 0; row < canvas.height; row++) {
      const own = bgr.subarray(row * canvas.width * 3, (row + 1) * canvas.width * 3);
      const expected = new Uint8Array(canvas.width * 3);
      if (row < height) expected.set((recorded.data as Uint8Array).subarray(row * width * 3, (row + 1) * width * 3));
      assert.equal(Buffer.compare(own, expected), 0, `picture ${i}, row ${row}`);
    }
    const boxes = dataOf<Float32Array>(tensors, `boxes_${i}`);
    const corners = boxes.filter((_, k) => k % 5 < 4);
    assert.deepEqual(Float32Array.from(placed.boxes), corners, `picture ${i}`);
    const mirrored = place(smallRule, picture, { flip: true }, playBack(1), objects).objects.boxes;
    const expected = corners.map((side, k) => (k % 2 === 0 ? Math.fround(width - corners[k ^ 2]) : side));
    assert.deepEqual(Float32Array.from(mirrored), expected, `picture ${i}, mirrored`);
  }
});
