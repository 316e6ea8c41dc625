import assert from 'node:assert/strict';
import { test } from 'node:test';
import { augmentPicture, planAugmentation } from '../../src/data/augment/augment.js';
import { jitterColours } from '../../src/data/augment/jitter.js';
import type { PictureObjects } from '../../src/data/augment/objects.js';
import type { Photometric } from '../../src/data/augment/photometric.js';
import { type Random, randomStream, shuffledOrder } from '../../src/data/augment/random.js';
import {
  type AugmentationRecipe,
  noAugmentation,
  paperAugmentation,
  zooAugmentation,
} from '../../src/data/augment/recipe.js';
import { renderPlaced } from '../../src/data/augment/render.js';
import type { Picture } from '../../src/data/picture.js';
import { resizeBytes, wholeRegion } from '../../src/data/resize.js';
import type { CanvasSize } from '../../src/models/canvas.js';

const width = 60;
const height = 40;
const size = { width: 32, height: 24 };

/** A picture that is black but for a white box. */
function pictureOf([x1, y1, x2, y2]: readonly number[]) {
  const data = new Uint8Array(width * height * 3);
  for (let y = y1; y < y2; y++) data.fill(255, (y * width + x1) * 3, (y * width + x2) * 3);
  return { data, width, height };
}

function objectsOf(...boxes: number[][]) {
  return { boxes: Float64Array.from(boxes.flat()), labels: Int32Array.from(boxes, (_, i) => i + 1) };
}

const box = [12, 8, 40, 30];

/** Augments a picture stretched to a size. */
function stretched(
  recipe: AugmentationRecipe,
  picture: Picture,
  objects: PictureObjects,
  canvas: CanvasSize,
  random: Random,
  out: Uint8ClampedArray,
): PictureObjects {
  const target = { resize: { kind: 'stretch', size: canvas.width }, canvas } as const;
  return augmentPicture(recipe, picture, objects, target, random, out).objects;
}

test('Without augmentation a picture is resized and its boxes are normalised', () => {
  const picture = pictureOf(box);
  const out = new Uint8ClampedArray(size.width * size.height * 3);
  const { boxes, labels } = stretched(noAugmentation, picture, objectsOf(box), size, randomStream(0, 0, 0), out);
  const expected = new Uint8Array(out.length);
  resizeBytes(picture.data, width, wholeRegion(picture), size, expected);
  assert.deepEqual(Uint8Array.from(out), expected);
  assert.deepEqual([...boxes], [12 / 60, 8 / 40, 40 / 60, 30 / 40]);
  assert.deepEqual([...labels], [1]);
});

// Where the steps that keep colours put the box must be where the picture is white: pixels and boxes go together.
const geometries: Record<string, AugmentationRecipe> = {
  'the paper': { expand: { maxRatio: 4, fill: [0, 0, 0] }, crop: paperAugmentation.crop, flip: true },
  'the zoo': { crop: zooAugmentation.crop, flip: true },
};

for (const [name, recipe] of Object.entries(geometries)) {
  test(`The geometry of ${name} moves boxes and pixels together`, () => {
    const large = { width: 240, height: 160 };
    const out = new Uint8ClampedArray(large.width * large.height * 3);
    const seen = new Set<string>();
    for (let run = 0; run < 200; run++) {
      const { boxes } = stretched(recipe, pictureOf(box), objectsOf(box), large, randomStream(1, 0, run), out);
      assert.equal(boxes.length, 4, 'a crop keeps at least one box');
      const [x1, y1, x2, y2] = [...boxes].map((side, i) => side * (i % 2 === 0 ? large.width : large.height));
      seen.add(boxes.join());
      const whiteAt = (x: number, y: number) => out[(Math.floor(y) * large.width + Math.floor(x)) * 3];
      assert.ok(whiteAt((x1 + x2) / 2, (y1 + y2) / 2) > 250, `run ${run}: the box's centre is not white`);
      let sum = 0;
      for (let i = 0; i < out.length; i += 3) sum += out[i] / 255;
      const area = (x2 - x1) * (y2 - y1);
      // Every edge may be blurred over one source pixel, which the resize may have made up to 14 wide.
      assert.ok(Math.abs(sum - area) <= 0.1 * area + 60, `run ${run}: ${sum} white pixels, but a box of ${area}`);
    }
    assert.ok(seen.size > 100, 'the draws differ');
  });
}

test('A numbered crop keeps an overlap of at least its number, unlike the reference that never checks', () => {
  const crop = { ...paperAugmentation.crop, modes: [0.7], condition: 'any', tries: 50, afterTries: 'redraw' } as const;
  const iouOfCrop = (condition: 'any' | 'none', run: number) => {
    const plan = planAugmentation(
      { crop: { ...crop, condition } },
      { width, height },
      objectsOf(box),
      randomStream(2, 0, run),
    );
    const { left, top, right, bottom } = plan.crop;
    const w = Math.min(right, box[2]) - Math.max(left, box[0]);
    const h = Math.min(bottom, box[3]) - Math.max(top, box[1]);
    return (w * h) / ((right - left) * (bottom - top) + 28 * 22 - w * h);
  };
  const runs = Array.from({ length: 100 }, (_, run) => run);
  assert.ok(runs.every((run) => iouOfCrop('any', run) >= 0.7));
  assert.ok(runs.some((run) => iouOfCrop('none', run) < 0.5));
});

test('Pictures without objects, or of one pixel, are augmented too', () => {
  const out = new Uint8ClampedArray(size.width * size.height * 3);
  for (const recipe of [paperAugmentation, zooAugmentation]) {
    for (let run = 0; run < 50; run++) {
      const { labels } = stretched(recipe, pictureOf(box), objectsOf(), size, randomStream(3, 0, run), out);
      assert.equal(labels.length, 0);
      const dot = { data: Uint8Array.of(9, 9, 9), width: 1, height: 1 };
      stretched(recipe, dot, objectsOf([0, 0, 1, 1]), size, randomStream(3, 1, run), out);
    }
  }
});

test('A stream depends on each of seed, epoch and index, and an order is a permutation', () => {
  const first = (seed: number, epoch: number, index: number) => randomStream(seed, epoch, index).uniform(0, 1);
  const values = [first(0, 0, 0), first(1, 0, 0), first(0, 1, 0), first(0, 0, 1), first(1, 1, 0)];
  assert.equal(new Set(values).size, values.length);
  assert.equal(first(5, 6, 7), first(5, 6, 7));
  assert.deepEqual(
    [...shuffledOrder(50, 1, 2)].sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, i) => i),
  );
  assert.notDeepEqual(shuffledOrder(50, 1, 2), shuffledOrder(50, 1, 3));
  const mean = Array.from({ length: 4000 }, (_, i) => first(9, 9, i)).reduce((sum, value) => sum + value, 0) / 4000;
  assert.ok(Math.abs(mean - 0.5) < 0.02, `mean of first draws ${mean}`);
});

const neutral: Photometric = {
  brightness: 0,
  contrast: 1,
  contrastFirst: false,
  saturation: 1,
  hue: 0,
  channels: [0, 1, 2],
};

const distortions: readonly { what: string; drawn: Partial<Photometric>; from: number[]; to: number[] }[] = [
  { what: 'nothing', drawn: {}, from: [10, 20, 30], to: [10, 20, 30] },
  { what: 'brightness, beyond 0', drawn: { brightness: -15 }, from: [10, 20, 30], to: [-5, 5, 15] },
  {
    what: 'contrast first',
    drawn: { brightness: 10, contrast: 1.5, contrastFirst: true },
    from: [10, 20, 30],
    to: [30, 45, 60],
  },
  { what: 'contrast last, beyond 255', drawn: { contrast: 1.5 }, from: [200, 20, 30], to: [300, 30, 45] },
  { what: 'half the saturation', drawn: { saturation: 0.5 }, from: [255, 0, 0], to: [255, 127.5, 127.5] },
  { what: 'hue from red towards yellow', drawn: { hue: 18 }, from: [255, 0, 0], to: [255, 76.5, 0] },
  { what: 'hue from red towards magenta', drawn: { hue: -18 }, from: [255, 0, 0], to: [255, 0, 76.5] },
  { what: 'hue from cyan towards blue', drawn: { hue: 15 }, from: [0, 200, 200], to: [0, 150, 200] },
  { what: 'hue of grey', drawn: { hue: 15 }, from: [80, 80, 80], to: [80, 80, 80] },
  { what: 'another order of channels', drawn: { channels: [2, 0, 1] }, from: [10, 20, 30], to: [30, 10, 20] },
];

for (const { what, drawn, from, to } of distortions) {
  test(`Photometric distortion: ${what}`, () => {
    const out = new Float32Array(3);
    const picture = { data: Uint8Array.from(from), width: 1, height: 1 };
    const whole = { left: 0, top: 0, fill: [0, 0, 0] as const, crop: wholeRegion(picture), flip: false };
    renderPlaced(picture, { ...whole, photometric: { ...neutral, ...drawn } }, picture, out);
    for (let c = 0; c < 3; c++) assert.ok(Math.abs(out[c] - to[c]) < 1e-4, `${[...out]}, expected ${to}`);
  });
}

test('Colour jitter mixes with black, the mean grey and each grey, rounded and clipped', () => {
  const jittered = (factors: readonly [brightness: number, contrast: number, saturation: number], pixels: number[]) => {
    // With these draws the steps keep their order, so the factors come one after the other.
    const left = [...factors];
    const random: Random = { int: (n) => n - 1, choice: (n) => n - 1, uniform: () => left.shift() as number };
    const rgb = Uint8ClampedArray.from(pixels);
    jitterColours({ brightness: 0.4, contrast: 0.4, saturation: 0.4 }, rgb, random);
    return [...rgb];
  };
  assert.deepEqual(jittered([1.4, 1, 1], [200, 100, 11, 0, 0, 0]), [255, 140, 15, 0, 0, 0]);
  // Greys 100 and 0: their mean is 50.
  assert.deepEqual(jittered([1, 0.6, 1], [100, 100, 100, 0, 0, 0]), [80, 80, 80, 20, 20, 20]);
  // Grey of pure red: 255 × 4899 / 16384 = 76.
  assert.deepEqual(jittered([1, 1, 0.6], [255, 0, 0]), [183, 30, 30]);
});
