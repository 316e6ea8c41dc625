import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CanvasSize,
  canvasFor,
  canvasOf,
  chooseCanvases,
  fitted,
  frameOf,
  type KeepRatioRule,
} from '../../src/models/canvas.js';
import { uniforms } from '../boxes/random-boxes.js';

const published: KeepRatioRule = { kind: 'keep-ratio', long: 1333, short: 800, multiple: 32 };
const zoo: KeepRatioRule = { ...published, long: 1280, short: 768, fixed: { height: 768, width: 1280 } };
const size = (width: number, height: number): CanvasSize => ({ height, width });

// Picture, its size after each resize, its tightest canvas; by hand from the rule.
const fits: [KeepRatioRule, CanvasSize, CanvasSize[], CanvasSize][] = [
  [published, size(640, 480), [size(1067, 800)], size(1088, 800)],
  [published, size(480, 640), [size(800, 1067)], size(800, 1088)],
  [published, size(500, 500), [size(800, 800)], size(800, 800)],
  [published, size(4000, 3000), [size(1067, 800)], size(1088, 800)],
  [published, size(2000, 500), [size(1333, 333)], size(1344, 352)],
  [published, size(1, 1), [size(800, 800)], size(800, 800)],
  [published, size(1, 1000), [size(1, 1333)], size(32, 1344)],
  // 5000 to 1333 would make the other side a quarter of a pixel.
  [published, size(5000, 1), [size(1333, 1)], size(1344, 32)],
  [zoo, size(640, 480), [size(1024, 768)], size(1280, 768)],
  [zoo, size(424, 640), [size(768, 1159), size(509, 768)], size(1280, 768)],
  [zoo, size(1, 1000), [size(1, 1280), size(1, 768)], size(1280, 768)],
  [zoo, size(1000, 1), [size(1280, 1)], size(1280, 768)],
];

test('Sides follow the rule, each picture with its steps and its canvas', () => {
  for (const [rule, picture, steps, canvas] of fits) {
    const frame = fitted(rule, picture.width, picture.height);
    assert.deepEqual(frame.steps, steps);
    assert.deepEqual({ height: frame.height, width: frame.width }, steps[steps.length - 1]);
    assert.deepEqual(canvasOf(rule, picture.width, picture.height), canvas);
    assert.deepEqual(frameOf(rule, canvas, picture), frame);
  }
});

test('Scales are the quotients of the sides, and on a fixed canvas what was asked for', () => {
  const frame = fitted(published, 640, 480);
  assert.deepEqual([frame.scaleY, frame.scaleX], [800 / 480, 1067 / 640]);
  const portrait = fitted(zoo, 424, 640);
  const product = (768 / 424) * (768 / 1159);
  assert.deepEqual([portrait.scaleY, portrait.scaleX], [product, product]);
  const square = frameOf({ kind: 'stretch', size: 320 }, size(320, 320), size(640, 480));
  assert.deepEqual([square.width, square.height, square.scaleX, square.scaleY], [320, 320, 320 / 640, 320 / 480]);
});

test('What does not fit a canvas is shrunk into it, and a canvas is the one where a picture is largest', () => {
  const landscape = size(1088, 800);
  const crop = frameOf(published, landscape, size(300, 600));
  assert.deepEqual([crop.width, crop.height, crop.scaleX, crop.scaleY], [400, 800, 4 / 3, 4 / 3]);
  const wide = frameOf(published, landscape, size(600, 200));
  assert.deepEqual([wide.width, wide.height], [1088, 363]);
  const canvases = [landscape, size(800, 1088), size(1344, 1344)];
  assert.equal(canvasFor(published, canvases, size(640, 480)), 0);
  assert.equal(canvasFor(published, canvases, size(480, 640)), 1);
  assert.equal(canvasFor(published, canvases, size(640, 400)), 2, 'the largest is the only one that contains it');
  assert.equal(canvasFor(published, canvases.slice(0, 2), size(640, 400)), 0, 'shrunk, but least there');
});

test('Equal pictures have one tight canvas, other data sets a few that contain them all', () => {
  assert.deepEqual(chooseCanvases(published, [size(640, 480), size(640, 480)]), [size(1088, 800)]);
  assert.deepEqual(chooseCanvases(zoo, [size(640, 480), size(480, 640)]), [size(1280, 768)]);
  assert.deepEqual(chooseCanvases({ kind: 'stretch', size: 320 }, [size(640, 480), size(1, 9)]), [size(320, 320)]);
  assert.deepEqual(chooseCanvases(published, [size(480, 640), size(640, 480)]), [size(1088, 800), size(800, 1088)]);
  const uniform = uniforms(3);
  const pictures = Array.from({ length: 300 }, () =>
    size(1 + Math.floor(900 * uniform()), 1 + Math.floor(900 * uniform())),
  );
  for (const most of [1, 2, 3, 5]) {
    const canvases = chooseCanvases(published, pictures, most);
    assert.equal(canvases.length, most);
    for (const picture of pictures) {
      const canvas = canvases[canvasFor(published, canvases, picture)];
      assert.deepEqual(frameOf(published, canvas, picture), fitted(published, picture.width, picture.height));
    }
    assert.deepEqual(chooseCanvases(published, [...pictures].reverse(), most), canvases, 'whatever the order');
  }
});

test('The pair merges that adds the least padding, counted by pictures', () => {
  const rule: KeepRatioRule = { kind: 'keep-ratio', long: 320, short: 320, multiple: 32 };
  const [narrow, middle, wide] = [size(320, 96), size(320, 160), size(320, 256)];
  const many = (picture: CanvasSize, count: number) => Array<CanvasSize>(count).fill(picture);
  // 96 to 160 costs 64 rows a picture, 160 to 256 costs 96.
  const alike = [...many(narrow, 5), ...many(middle, 5), ...many(wide, 5)];
  assert.deepEqual(chooseCanvases(rule, alike, 2), [middle, wide]);
  const fewMiddle = [...many(narrow, 50), ...many(middle, 1), ...many(wide, 5)];
  assert.deepEqual(chooseCanvases(rule, fewMiddle, 2), [narrow, wide]);
});
