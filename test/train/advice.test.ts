import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset, PixelBox } from '../../src/data/dataset.js';
import { modelRecipe } from '../../src/models/model.js';
import { adviceFor } from '../../src/train/advice.js';

/** Pictures of 640×640 with one box each, of class 0. */
function dataset(boxes: readonly PixelBox[], classes: readonly string[] = ['cell']): Dataset {
  const images = boxes.map((box, id) => {
    const objects = [{ box, label: 0 }];
    return { id, path: `${id}.png`, name: `${id}.png`, width: 640, height: 640, objects };
  });
  return { name: 'cells', format: 'voc', classes, images, problems: [] };
}

const times = (count: number, box: PixelBox) => Array.from({ length: count }, () => box);
const advise = (model: string, data: Dataset) => adviceFor(modelRecipe(model, data.classes.length), model, data);

test('nothing to say of large objects that are many', () => {
  assert.deepEqual(advise('refinedet-resnet18-320', dataset(times(30, [0, 0, 100, 100]))), []);
});

test('small objects, as the network sees them: a larger model is named', () => {
  const boxes = [...times(15, [0, 0, 30, 30]), ...times(15, [0, 0, 200, 200])]; // 15 pixels at 320
  const [message, ...more] = advise('refinedet-resnet18-320', dataset(boxes));
  assert.match(message, /^50 % of the objects .* 16×16 .* --model refinedet-resnet18-512 /);
  assert.deepEqual(more, []);
  assert.deepEqual(advise('refinedet-resnet18-512', dataset(boxes)), [], 'which has nothing to say');
  assert.match(advise('cascade-rcnn-resnet18', dataset(boxes))[0], /a model for larger pictures/);
});

test('a class that is small as a whole is named, although few objects are', () => {
  const data = dataset([...times(60, [0, 0, 200, 200]), ...times(20, [0, 0, 30, 30])], ['cell', 'platelet']);
  const images = data.images.map((image, i) => ({
    ...image,
    objects: image.objects.map((object) => ({ ...object, label: i < 60 ? 0 : 1 })),
  }));
  const [message, ...more] = advise('refinedet-resnet18-320', { ...data, images });
  assert.match(message, /^Most objects of platelet are smaller than 16×16 .* --model refinedet-resnet18-512 /);
  assert.deepEqual(more, []);
});

test('classes with few examples are named with their number', () => {
  const [message] = advise('refinedet-tiny-192', dataset(times(19, [0, 0, 300, 300]), ['cell', 'virus']));
  assert.match(message, /Fewer than 20 objects to learn from: cell \(19\), virus \(0\)\./);
});
