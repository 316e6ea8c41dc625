import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { augmentMixed, type PictureTarget } from '../../src/data/augment/augment.js';
import { composeMosaic, type LabelledPicture, rotateQuarters } from '../../src/data/augment/compose.js';
import { randomStream } from '../../src/data/augment/random.js';
import {
  type AugmentationRecipe,
  BatchLoader,
  type BatchLoaderOptions,
  type Dataset,
  openDataset,
  paperAugmentation,
  withExtras,
} from '../../src/data/index.js';
import { temporaryFolder } from '../temporary-folder.js';
import { vocObject, vocXml, writeFiles } from './folders.js';

type Colour = readonly [number, number, number];

const red: Colour = [255, 0, 0];
const green: Colour = [0, 255, 0];
const blue: Colour = [0, 0, 255];
const white: Colour = [255, 255, 255];

/** A black picture with one filled rectangle, which is its object. */
function marked(
  width: number,
  height: number,
  box: readonly [number, number, number, number],
  colour: Colour,
): LabelledPicture {
  const data = new Uint8Array(width * height * 3);
  for (let y = box[1]; y < box[3]; y++) for (let x = box[0]; x < box[2]; x++) data.set(colour, (y * width + x) * 3);
  return { picture: { data, width, height }, objects: { boxes: Float64Array.from(box), labels: Int32Array.of(1) } };
}

/** The extent of pixels that have this colour at full or nearly, in pixels. */
function extentOf(data: ArrayLike<number>, width: number, colour: Colour, least = 128): number[] | undefined {
  let box: number[] | undefined;
  for (let i = 0; i < data.length; i += 3) {
    if (!colour.every((value, c) => (value > 0 ? data[i + c] >= least : data[i + c] < least))) continue;
    const [x, y] = [(i / 3) % width, Math.floor(i / 3 / width)];
    box = box
      ? [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x + 1), Math.max(box[3], y + 1)]
      : [x, y, x + 1, y + 1];
  }
  return box;
}

function requireNear(
  box: ArrayLike<number>,
  seen: readonly number[] | undefined,
  tolerance: number,
  what: string,
): void {
  assert.ok(seen, `${what}: nothing is seen`);
  seen.forEach((side, i) => {
    assert.ok(Math.abs(side - box[i]) <= tolerance, `${what}: ${Array.from(box)} is annotated, ${seen} is seen`);
  });
}

function augmented(
  recipe: AugmentationRecipe,
  own: LabelledPicture,
  seed: number,
  other?: LabelledPicture,
  side = 120,
) {
  const target: PictureTarget = { resize: { kind: 'stretch', size: side }, canvas: { width: side, height: side } };
  const out = new Uint8ClampedArray(side * side * 3);
  const { objects } = augmentMixed(recipe, own, { other, maxBoxes: 10 }, target, randomStream(seed, 0, 0), out);
  return { out, boxes: Array.from(objects.boxes, (value) => value * side), labels: [...objects.labels] };
}

test('Turning by quarters moves pixels and boxes alike, and four quarters are none', () => {
  for (const own of [marked(7, 5, [1, 2, 4, 3], red), marked(70, 45, [1, 2, 66, 43], red)]) turnAround(own);
});

function turnAround(own: LabelledPicture): void {
  const [x1, y1, x2, y2] = own.objects.boxes;
  let turned = own;
  const seen: number[][] = [];
  for (let quarter = 1; quarter <= 4; quarter++) {
    turned = rotateQuarters(turned, 1);
    const { picture, objects } = turned;
    assert.deepEqual(extentOf(picture.data, picture.width, red), [...objects.boxes]);
    const atOnce = rotateQuarters(own, quarter % 4);
    assert.deepEqual(atOnce.picture, picture);
    assert.deepEqual(atOnce.objects.boxes, objects.boxes);
    seen.push([...objects.boxes]);
  }
  // Clockwise: what was at the left is at the top.
  const { height } = own.picture;
  assert.deepEqual(seen[0], [height - y2, x1, height - y1, x2]);
  assert.deepEqual(turned.picture, own.picture);
}

test('A mosaic shows four pictures, each with its box where it is seen', () => {
  const colours = [red, green, blue, white];
  const four = colours.map((colour, i) => marked(200 - 30 * i, 100 + 40 * i, [70, 40, 100, 70], colour));
  let boxes = 0;
  for (let seed = 0; seed < 40; seed++) {
    const { picture, objects } = composeMosaic(four, randomStream(seed, 0, 0));
    assert.deepEqual([picture.width, picture.height], [200, 100]);
    for (let i = 0; i < objects.labels.length; i++) {
      const box = objects.boxes.subarray(i * 4, i * 4 + 4);
      const [x, y] = [Math.floor((box[0] + box[2]) / 2), Math.floor((box[1] + box[3]) / 2)];
      const at = (y * picture.width + x) * 3;
      const colour = colours.find((own) => own.every((value, c) => Math.abs(value - picture.data[at + c]) < 60));
      assert.ok(colour, `seed ${seed}: the centre of ${[...box]} shows ${picture.data.subarray(at, at + 3)}`);
      requireNear(box, extentOf(picture.data, picture.width, colour), 1, `seed ${seed}`);
      boxes++;
    }
  }
  assert.ok(boxes > 60, `${boxes} boxes in 40 mosaics`);
});

test('Scale jitter enlarges and shrinks, and its boxes are where the object is seen', () => {
  const own = marked(120, 120, [45, 50, 75, 70], red);
  const recipe = withExtras({ flip: true }, ['scale-jitter']);
  const widths: number[] = [];
  for (let seed = 0; seed < 60; seed++) {
    const { out, boxes } = augmented(recipe, own, seed);
    if (boxes.length === 0) continue;
    requireNear(boxes, extentOf(out, 120, red, 140), 1.5, `seed ${seed}`);
    if (boxes[0] > 0 && boxes[2] < 120) widths.push((boxes[2] - boxes[0]) / 30);
  }
  assert.ok(
    Math.min(...widths) < 0.6 && Math.max(...widths) > 1.7,
    `factors from ${Math.min(...widths)} to ${Math.max(...widths)}`,
  );
  assert.ok(widths.every((factor) => factor > 0.49 && factor < 2.02));
});

test('Mix-up shows both pictures and has both boxes, unless there is no room for them', () => {
  const recipe: AugmentationRecipe = { mixUp: { chance: 1, share: [0.4, 0.6] } };
  const own = marked(120, 120, [10, 10, 40, 30], red);
  const other = marked(60, 60, [40, 30, 55, 50], blue);
  const { out, boxes, labels } = augmented(recipe, own, 3, other);
  assert.deepEqual(labels, [1, 1]);
  requireNear(boxes.slice(0, 4), extentOf(out, 120, red, 90), 0, 'the first');
  requireNear(boxes.slice(4), extentOf(out, 120, blue, 60), 1, 'the second');
  const share = out[(20 * 120 + 20) * 3] / 255;
  assert.ok(share >= 0.39 && share <= 0.61, `${share}`);
  const many = { ...other, objects: { boxes: new Float64Array(40), labels: new Int32Array(10) } };
  const alone = augmented(recipe, own, 3, many);
  assert.deepEqual(alone.labels, [1]);
  assert.deepEqual(extentOf(alone.out, 120, red, 250), [10, 10, 40, 30]);
});

test('Cut-out lays rectangles over, and objects that are hidden are no longer asked for', () => {
  const fill = [0, 255, 0] as const;
  const own = marked(120, 120, [50, 50, 70, 70], red);
  for (const count of [1, 3]) {
    const recipe: AugmentationRecipe = { cutOut: { chance: 1, count, side: [0.1, 0.5], fill, hidden: 0.6 } };
    let hidden = 0;
    for (let seed = 0; seed < 160; seed++) {
      const { out, labels } = augmented(recipe, own, seed);
      assert.ok(extentOf(out, 120, green), `seed ${seed}: no rectangle`);
      let left = 0;
      for (let i = 0; i < out.length; i += 3) if (out[i] === 255) left++;
      assert.equal(labels.length, left >= 0.4 * 400 ? 1 : 0, `up to ${count}, seed ${seed}: ${left} of 400 are seen`);
      if (labels.length === 0) hidden++;
    }
    assert.ok(hidden > 0 && hidden < 160, `${hidden} of 160 hidden`);
  }
});

async function smallSet(root: string): Promise<Dataset> {
  for (let i = 0; i < 12; i++) {
    const [width, height] = [60 + 4 * i, 50];
    const data = Uint8Array.from({ length: width * height * 3 }, (_, at) => (at * (i + 7)) % 251);
    const objects = [vocObject('dog', [5, 5, 20 + i, 30]), vocObject('cat', [25, 10, 50, 40])];
    await writeFiles(root, {
      [`${i}.png`]: await sharp(data, { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer(),
      [`${i}.xml`]: vocXml(objects, { width, height }),
    });
  }
  return openDataset(root);
}

async function epochOf(options: BatchLoaderOptions, startBatch = 0) {
  await using loader = new BatchLoader(options);
  const batches = [];
  for await (const { images, boxes, labels } of loader.epoch(1, startBatch)) batches.push({ images, boxes, labels });
  return batches;
}

test('Every addition gives the same batches for any number of workers, and from any place of an epoch', async (t) => {
  const dataset = await smallSet(await temporaryFolder(t));
  const augmentation = withExtras(paperAugmentation, ['mosaic', 'mix-up', 'scale-jitter', 'rotate90', 'cut-out']);
  const options: BatchLoaderOptions = {
    dataset,
    batchSize: 3,
    resize: { kind: 'stretch', size: 64 },
    augmentation,
    seed: 5,
  };
  const alone = await epochOf({ ...options, workers: 0 });
  assert.equal(alone.length, 4);
  assert.deepEqual(await epochOf({ ...options, workers: 3 }), alone);
  assert.deepEqual(await epochOf({ ...options, workers: 1 }, 2), alone.slice(2));
  const plain = await epochOf({ ...options, augmentation: paperAugmentation, workers: 0 });
  assert.notDeepEqual(plain[0].images, alone[0].images);
  const most = Math.max(...alone.map(({ labels }) => [...labels].filter((label) => label > 0).length / 3));
  assert.ok(most > 2, 'more boxes than a picture has of its own');
});

test('A picture that is to be mixed in and is broken is left out, the others are as before', async (t) => {
  const root = await temporaryFolder(t);
  await smallSet(root);
  await writeFiles(root, { '3.png': 'no picture' });
  const dataset = await openDataset(root);
  const augmentation = withExtras({}, ['mosaic', 'mix-up']);
  const problems: string[] = [];
  const options: BatchLoaderOptions = {
    dataset,
    batchSize: 4,
    resize: { kind: 'stretch', size: 32 },
    augmentation,
    onProblem: ({ file }) => problems.push(file),
  };
  const batches = await epochOf({ ...options, workers: 0 });
  assert.equal(batches.length, 3);
  assert.deepEqual(problems, ['3.png']);
  assert.deepEqual(await epochOf({ ...options, workers: 2 }), batches);
});

test('An unknown addition is an error that lists those there are', () => {
  const message = /no augmentation 'mosaics'; those that can be added: mosaic, mix-up, scale-jitter, rotate90, cut-out/;
  assert.throws(() => withExtras({}, ['mosaics']), { code: 'config', message });
  assert.throws(() => withExtras({}, ['toString']), { code: 'config' });
});
