import assert from 'node:assert/strict';
import { test } from 'node:test';
import { augmentPicture, type PlacedPicture } from '../../src/data/augment/augment.js';
import { type Random, randomStream } from '../../src/data/augment/random.js';
import {
  type AugmentationRecipe,
  cascadeAugmentation,
  cascadeZooAugmentation,
  noAugmentation,
  paperAugmentation,
  zooAugmentation,
} from '../../src/data/augment/recipe.js';
import type { Picture } from '../../src/data/picture.js';
import { resizeBytes, wholeRegion } from '../../src/data/resize.js';
import { type CanvasSize, canvasOf, type KeepRatioRule } from '../../src/models/canvas.js';

const rule: KeepRatioRule = { kind: 'keep-ratio', long: 240, short: 160, multiple: 32 };
const fixedRule: KeepRatioRule = { ...rule, fixed: { height: 160, width: 240 } };

/** A picture that is black but for a white box. */
function pictureOf(width: number, height: number, [x1, y1, x2, y2]: readonly number[]): Picture {
  const data = new Uint8Array(width * height * 3);
  for (let y = y1; y < y2; y++) data.fill(255, (y * width + x1) * 3, (y * width + x2) * 3);
  return { data, width, height };
}

function objectsOf(...boxes: (readonly number[])[]) {
  return { boxes: Float64Array.from(boxes.flat()), labels: Int32Array.from(boxes, (_, i) => i + 1) };
}

function augment(
  recipe: AugmentationRecipe,
  resize: KeepRatioRule,
  picture: Picture,
  boxes: readonly (readonly number[])[],
  random: Random,
): PlacedPicture & { out: Uint8ClampedArray; canvas: CanvasSize } {
  const canvas = canvasOf(resize, picture.width, picture.height);
  // A former picture in the array.
  const out = new Uint8ClampedArray(canvas.width * canvas.height * 3).fill(200);
  return { ...augmentPicture(recipe, picture, objectsOf(...boxes), { resize, canvas }, random, out), canvas, out };
}

const geometries: [string, AugmentationRecipe, KeepRatioRule][] = [
  ['the published flip', cascadeAugmentation, rule],
  ['the zoo on its fixed canvas', cascadeZooAugmentation, fixedRule],
  ['a canvas that is mirrored', { flip: 'canvas' }, rule],
  ['crops in bytes', { crop: zooAugmentation.crop, flip: true }, rule],
  ['crops and expansion in float32', { ...paperAugmentation, photometric: undefined }, rule],
  ['crops and expansion in bytes', { expand: cascadeZooAugmentation.expand, crop: paperAugmentation.crop }, rule],
  ['float32 under a mirrored canvas', { ...paperAugmentation, photometric: undefined, flip: 'canvas' }, fixedRule],
];

for (const [name, full, resize] of geometries) {
  const recipe = full.expand ? { ...full, expand: { ...full.expand, fill: [0, 0, 0] } } : full;
  for (const [width, height, box] of [
    [60, 40, [12, 8, 40, 30]],
    [40, 60, [8, 12, 30, 40]],
  ] as const) {
    test(`${name} moves boxes and pixels together, ${width}×${height}`, () => {
      const picture = pictureOf(width, height, box);
      const seen = new Set<string>();
      for (let run = 0; run < 60; run++) {
        const placed = augment(recipe as AugmentationRecipe, resize, picture, [box], randomStream(1, 0, run));
        const { canvas, out, frame } = placed;
        const inset = recipe.pixelBoxes ? 1 : 0;
        const [x1, y1, x2, y2] = placed.objects.boxes;
        seen.add(`${x1}, ${y1}, ${x2}, ${y2}`);
        assert.ok(x1 >= 0 && y1 >= 0 && x2 <= canvas.width - inset && y2 <= frame.height - inset, `run ${run}`);
        const whiteAt = (x: number, y: number) => out[(Math.floor(y) * canvas.width + Math.floor(x)) * 3];
        assert.ok(whiteAt((x1 + x2) / 2, (y1 + y2) / 2) > 250, `run ${run}: the box's centre is not white`);
        let sum = 0;
        for (let i = 0; i < out.length; i += 3) sum += out[i] / 255;
        const area = (x2 - x1) * (y2 - y1);
        // Every edge may be blurred over one source pixel, which the resize may have made up to 14 wide.
        assert.ok(Math.abs(sum - area) <= 0.1 * area + 60 + 200 * inset, `run ${run}: ${sum} white, a box of ${area}`);
      }
      const still = recipe.crop === undefined && recipe.expand === undefined;
      assert.ok(still ? seen.size === 2 : seen.size > 20, `${seen.size} different boxes`);
    });
  }
}

test('The canvas around a picture is zero whatever acts on the picture', () => {
  const grey = { data: new Uint8Array(50 * 20 * 3).fill(120), width: 50, height: 20 };
  const recipes: AugmentationRecipe[] = [noAugmentation, paperAugmentation, zooAugmentation, cascadeAugmentation];
  for (const recipe of recipes) {
    for (let run = 0; run < 20; run++) {
      const { out, canvas, frame } = augment(recipe, rule, grey, [[10, 5, 30, 15]], randomStream(2, 0, run));
      assert.ok(frame.width <= canvas.width && frame.height <= canvas.height);
      for (let y = 0; y < canvas.height; y++) {
        const filled = y < frame.height ? frame.width * 3 : 0;
        const padding = out.subarray(y * canvas.width * 3 + filled, (y + 1) * canvas.width * 3);
        assert.ok(
          padding.every((value) => value === 0),
          `run ${run}, row ${y}`,
        );
      }
      assert.ok(out[0] > 0, 'the picture itself is not black');
    }
  }
});

test('Jitter takes its mean from the picture, not from the padding', () => {
  const jitter = { brightness: 0, contrast: 0.4, saturation: 0 };
  const grey = { data: new Uint8Array(50 * 20 * 3).fill(120), width: 50, height: 20 };
  for (let run = 0; run < 10; run++) {
    // A plain picture is its own mean: contrast changes nothing.
    const { out } = augment({ jitter }, rule, grey, [], randomStream(3, 0, run));
    assert.deepEqual([...out.subarray(0, 3)], [120, 120, 120]);
  }
});

test('Jitter acts on a picture that does not cover its canvas', () => {
  const jitter = { brightness: 0.4, contrast: 0, saturation: 0 };
  const grey = { data: new Uint8Array(50 * 20 * 3).fill(120), width: 50, height: 20 };
  const seen = [0, 1, 2, 3].map((run) => augment({ jitter }, rule, grey, [], randomStream(3, 1, run)).out[0]);
  assert.equal(new Set(seen).size, 4);
  assert.ok(seen.every((value) => value >= 72 && value <= 168));
});

/** Plays back whole draws and uniform ones. */
function playBack(...draws: number[]): Random {
  const next = () => draws.shift() ?? assert.fail('one draw too many');
  return { uniform: next, int: next, choice: next };
}

test('An expansion in bytes is the resize of the expanded bytes', () => {
  const data = Uint8Array.from({ length: 30 * 20 * 3 }, (_, i) => Math.imul(i, 2654435761) >>> 24);
  const expand = { maxRatio: 4, fill: [7, 8, 9], bytes: true } as const;
  // Expanded (0), 2.5 times, 11.9 right and 4.2 down.
  const random = playBack(0, 2.5, 11.9, 4.2);
  const { out, frame, canvas, objects } = augment(
    { expand },
    rule,
    { data, width: 30, height: 20 },
    [[3, 4, 13, 14]],
    random,
  );
  assert.deepEqual([frame.width, frame.height], [240, 160]);
  const expanded = Uint8Array.from({ length: 75 * 50 * 3 }, (_, i) => 7 + (i % 3));
  for (let y = 0; y < 20; y++) expanded.set(data.subarray(y * 90, y * 90 + 90), ((y + 4) * 75 + 11) * 3);
  const expected = new Uint8Array(240 * 160 * 3);
  resizeBytes(expanded, 75, wholeRegion({ width: 75, height: 50 }), frame, expected);
  for (let y = 0; y < 160; y++) {
    const row = out.subarray(y * canvas.width * 3, y * canvas.width * 3 + 720);
    assert.deepEqual(Uint8Array.from(row), expected.subarray(y * 720, y * 720 + 720), `row ${y}`);
  }
  const scale = Math.fround(240 / 75);
  assert.deepEqual(
    [...objects.boxes],
    [14, 8, 24, 18].map((side) => Math.fround(side * scale)),
  );
});

test('Boxes that count pixels are truncated and end at the last pixel, mirrored too', () => {
  const picture = pictureOf(60, 30, [0, 0, 60, 30]);
  const boxes = [
    [0, 0, 60, 30],
    [10.9, 5.2, 20.7, 9.99],
  ];
  const still = augment(cascadeZooAugmentation, fixedRule, picture, boxes, playBack(1, 0));
  assert.deepEqual([...still.objects.boxes], [0, 0, 239, 119, 40, 20, 80, 36]);
  const smaller = pictureOf(60, 60, [0, 0, 60, 60]);
  const square = [
    [0, 0, 60, 60],
    [15, 0, 30, 60],
  ];
  const mirrored = augment(cascadeZooAugmentation, fixedRule, smaller, square, playBack(1, 1));
  assert.deepEqual([mirrored.frame.width, mirrored.canvas.width], [160, 240]);
  assert.deepEqual([...mirrored.objects.boxes], [80, 0, 239, 159, 159, 0, 199, 159]);
});

test('A crop of another ratio is fitted into the canvas of its picture', () => {
  const white = { data: new Uint8Array(60 * 40 * 3).fill(255), width: 60, height: 40 };
  const crop = { modes: ['free'], condition: 'any', tries: 1, afterTries: 'whole' } as const;
  // The only mode; 18 wide and 36 high from (20, 2).
  const { frame, objects, canvas } = augment({ crop }, rule, white, [[22, 4, 30, 30]], playBack(0, 18, 36, 20, 2));
  assert.deepEqual(canvas, { height: 160, width: 256 });
  // By the rule alone it would be 120 × 240.
  assert.deepEqual([frame.width, frame.height], [80, 160]);
  const scale = Math.fround(160 / 36);
  assert.deepEqual(
    [...objects.boxes],
    [2, 2, 10, 28].map((side) => Math.fround(side * scale)),
  );
});

test('Single pixels and lines keep a pixel at least, and their boxes an area', () => {
  for (const [width, height] of [
    [1, 1],
    [1, 1000],
    [1000, 1],
    [3, 2000],
  ]) {
    const picture = { data: new Uint8Array(width * height * 3).fill(77), width, height };
    for (const resize of [rule, fixedRule]) {
      for (const recipe of [noAugmentation, paperAugmentation, cascadeZooAugmentation]) {
        for (let run = 0; run < 5; run++) {
          const boxes = [[0, 0, width, height]];
          const { objects, frame } = augment(recipe, resize, picture, boxes, randomStream(4, 0, run));
          assert.ok(frame.width >= 1 && frame.height >= 1);
          const inset = recipe.pixelBoxes ? 1 : 0;
          const [x1, y1, x2, y2] = objects.boxes;
          assert.ok(x2 - x1 + inset > 0 && y2 - y1 + inset > 0, `${width}×${height}: ${[x1, y1, x2, y2]}`);
        }
      }
    }
  }
});
