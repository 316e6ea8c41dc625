import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import type { DatasetImage, GroundTruth } from '../../src/data/dataset.js';
import { openDataset } from '../../src/data/open.js';
import { BoxwrightError } from '../../src/errors.js';
import { type Detections, evaluateDetections, truthOf } from '../../src/evaluate/index.js';
import { temporaryFolder } from '../temporary-folder.js';
import { byName } from './by-name.js';

const image = (id: number, objects: GroundTruth[]): DatasetImage => {
  return { id, path: `/${id}.png`, name: `${id}.png`, width: 100, height: 80, objects };
};

const dataset = {
  name: 'cells',
  classes: ['a', 'b'],
  images: [
    image(1, [
      { box: [10, 10, 30, 30], label: 0 },
      { box: [50, 50, 70, 70], label: 0, difficult: true },
    ]),
    image(2, [{ box: [0, 0, 40, 40], label: 1 }]),
  ],
};

async function* found(...detections: Detections[]) {
  for (const each of detections) yield { width: 100, height: 80, detections: each };
}

const nothing: Detections = { boxes: [], labels: [], scores: [] };
const first: Detections = { boxes: [10, 10, 30, 30, 50, 50, 70, 70], labels: [0, 0], scores: [0.8, 0.9] };
const second: Detections = { boxes: [0, 0, 40, 40], labels: [1], scores: [0.7] };

/** Precision is divided by counts plus the smallest epsilon, as in pycocotools. */
const almost = (figure: number, expected: number) => assert.ok(Math.abs(figure - expected) < 1e-9, `${figure}`);

test('perfect detections give 1, also where a difficult object is found too', async () => {
  const { coco, perClass } = await evaluateDetections(dataset, found(first, second));
  almost(coco.AP, 1);
  almost(byName(perClass).a.AP, 1);
  almost(byName(perClass).b.AP50, 1);
});

test('missing a difficult object costs nothing, missing another one does', async () => {
  const without = { boxes: [10, 10, 30, 30], labels: [0], scores: [0.8] };
  almost((await evaluateDetections(dataset, found(without, second))).coco.AP, 1);
  const missed = await evaluateDetections(dataset, found(without, nothing));
  almost(byName(missed.perClass).a.AP, 1);
  almost(byName(missed.perClass).b.AP, 0);
});

test('progress is told picture by picture', async () => {
  const done: number[] = [];
  await evaluateDetections(dataset, found(first, second), (count) => done.push(count));
  assert.deepEqual(done, [1, 2]);
});

test('pictures that do not fit the data set are refused', async () => {
  const fails = (message: RegExp) => (error: unknown) =>
    error instanceof BoxwrightError && error.code === 'data' && message.test(error.message);
  await assert.rejects(
    evaluateDetections(dataset, found(first)),
    fails(/cells: detections of 2 pictures are needed, 1 came/),
  );
  await assert.rejects(
    evaluateDetections(dataset, found(first, second, nothing)),
    fails(/2 pictures are needed, more came/),
  );
  async function* turned() {
    yield { width: 80, height: 100, detections: nothing };
  }
  await assert.rejects(
    evaluateDetections(dataset, turned()),
    fails(/1\.png: the annotations say 100×80 pixels.*80×100/),
  );
});

test('truth is what the annotation file says, also beyond the picture', async (t) => {
  const folder = await temporaryFolder(t);
  await sharp({ create: { width: 20, height: 10, channels: 3, background: '#808080' } }).toFile(join(folder, 'p.png'));
  const annotations = [
    { id: 1, image_id: 1, category_id: 1, bbox: [15, 2, 10, 5], area: 33, iscrowd: 0 },
    { id: 2, image_id: 1, category_id: 1, bbox: [1, 2, 3, 4], area: 12, iscrowd: 1 },
  ];
  const images = [{ id: 1, file_name: 'p.png', width: 20, height: 10 }];
  await writeFile(
    join(folder, 'all.json'),
    JSON.stringify({ images, annotations, categories: [{ id: 1, name: 'a' }] }),
  );
  const { images: read } = await openDataset(join(folder, 'all.json'));
  assert.deepEqual(read[0].objects[0].box, [15, 2, 20, 7], 'training sees the part inside the picture');
  assert.deepEqual(truthOf(read[0]), {
    boxes: [15, 2, 25, 7, 1, 2, 4, 6],
    labels: [0, 0],
    crowd: [0, 1],
    area: [33, 12],
  });
});

test('without an annotated area the box gives it', () => {
  const overhanging: GroundTruth = { box: [90, 0, 100, 10], annotated: [90, 0, 110, 10], label: 0 };
  assert.deepEqual(truthOf(image(1, [overhanging])).area, [200]);
});
