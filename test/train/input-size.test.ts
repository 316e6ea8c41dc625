import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DatasetImage } from '../../src/data/dataset.js';
import { modelRecipe } from '../../src/models/model.js';
import { chooseModel, chooseSize, requireModel } from '../../src/train/input-size.js';

/** `small` of 100 square pictures with an object of `side` pixels, the others with one of half the picture. */
function pictures(width: number, height: number, side: number, small: number) {
  const images = Array.from({ length: 100 }, (_, id): DatasetImage => {
    const [w, h] = id < small ? [side, side] : [width / 2, height / 2];
    return { id, path: '', name: '', width, height, objects: [{ box: [0, 0, w, h], label: 0 }] };
  });
  return { images };
}

/** The same pictures so many times, but those with small objects only once. */
function few({ images }: ReturnType<typeof pictures>, times: number): ReturnType<typeof pictures> {
  return { images: [...images, ...Array.from({ length: times - 1 }, () => images.slice(1)).flat()] };
}

const name = 'refinedet-resnet18';

test('large objects are left at the usual size, however large the pictures are', () => {
  assert.deepEqual(chooseSize(name, pictures(1920, 1080, 200, 30)), {
    size: 320,
    why: 'no object is smaller than 16×16 pixels at 320',
  });
  assert.match(chooseSize(name, few(pictures(640, 640, 30, 1), 3)).why, /^less than 1 % of the objects are smaller/);
  // 15 pixels at 320: as many as may be small without a word.
  assert.equal(chooseSize(name, pictures(640, 640, 30, 30)).size, 320);
});

test('many small objects take the larger one, and it is said what it brings', () => {
  const { size, why } = chooseSize(name, pictures(640, 640, 30, 41));
  assert.equal(size, 512);
  assert.equal(
    why,
    '41 % of the objects are smaller than 16×16 pixels at 320, 0 % at 512 (--model refinedet-resnet18-320 for less than half of the area)',
  );
});

test('a larger one that hardly helps is not taken', () => {
  const { size, why } = chooseSize(name, pictures(1600, 1600, 20, 90)); // 4 and 6.4 pixels
  assert.equal(size, 320);
  assert.match(why, /^90 % .* at 320, 90 % at 512, which is not worth its time$/);
});

test('no larger than the pictures: they are not enlarged but to the least size', () => {
  assert.equal(chooseSize(name, pictures(400, 300, 15, 80)).size, 448, 'a multiple of 64 that has all their pixels');
  assert.deepEqual(chooseSize(name, pictures(250, 200, 10, 80)), {
    size: 256,
    why: "enough for the pictures: the middle one's longer side has 250 pixels",
  });
  assert.equal(chooseSize(name, pictures(96, 96, 30, 10)).size, 192);
  assert.equal(chooseSize(name, { images: [] }).size, 320);
});

test('a model is taken as it is asked for; a RefineDet without a size gets one', () => {
  const data = pictures(640, 640, 30, 80);
  assert.deepEqual(chooseModel('refinedet-vgg16-320', undefined, data), { model: 'refinedet-vgg16-320' });
  assert.deepEqual(chooseModel('cascade-rcnn-tiny', undefined, data), { model: 'cascade-rcnn-tiny' });
  assert.equal(chooseModel(undefined, undefined, data).model, 'refinedet-resnet18-512');
  assert.equal(chooseModel('refinedet-vgg16-luuuyi', undefined, data).model, 'refinedet-vgg16-512-luuuyi');
  for (const model of ['refinedet-tiny', 'refinedet-resnet101-zoo']) {
    const chosen = chooseModel(model, undefined, data).model;
    assert.equal(modelRecipe(chosen, 3).kind, 'refinedet', chosen);
  }
});

test('the model of the weights decides where nothing is asked for, and its size where that is not', () => {
  const data = pictures(640, 640, 200, 0);
  const recorded = 'refinedet-tiny-448';
  assert.equal(chooseModel(undefined, recorded, data).model, recorded);
  assert.equal(chooseModel('refinedet-tiny', recorded, data).model, recorded);
  assert.equal(chooseModel('refinedet-resnet18', recorded, data).model, 'refinedet-resnet18-320', 'another backbone');
  assert.equal(chooseModel('refinedet-tiny-64', recorded, data).model, 'refinedet-tiny-64');
  assert.equal(chooseModel(undefined, 'cascade-rcnn-resnet101-zoo', data).model, 'cascade-rcnn-resnet101-zoo');
});

test('names that are none are refused, with the nearest', () => {
  for (const known of [undefined, 'refinedet-tiny', 'refinedet-tiny-192', 'cascade-rcnn-tiny']) requireModel(known);
  assert.throws(() => requireModel('refinedet-resnet19'), {
    code: 'model',
    message: /Did you mean "refinedet-resnet18/,
  });
  assert.throws(() => requireModel('refinedet-resnet18-zoo'), { code: 'model' }, 'no such backbone in the zoo');
});
