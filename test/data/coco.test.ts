import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { openDataset } from '../../src/data/index.js';
import { needs, shared } from '../shared.js';
import { temporaryFolder } from '../temporary-folder.js';
import { plainJpeg, writeFiles } from './folders.js';

interface CocoParts {
  readonly images?: readonly object[];
  readonly annotations?: readonly object[];
  readonly categories?: readonly object[];
}

const image = { id: 7, file_name: 'a.jpg', width: 40, height: 30 };
const categories = [
  { id: 18, name: 'dog' },
  { id: 3, name: 'car' },
];

function cocoJson({ images = [image], annotations = [], ...rest }: CocoParts): string {
  return JSON.stringify({ images, annotations, categories: rest.categories ?? categories });
}

function annotation(bbox: unknown, more: object = {}) {
  return { id: 1, image_id: 7, category_id: 18, bbox, iscrowd: 0, area: 5, ...more };
}

test('COCO itself: counts, crowds, category gaps and boxes as the file has them', needs('data/coco-mini'), async () => {
  const root = shared('data/coco-mini') as string;
  const train = await openDataset(root, { part: 'train' });
  const val = await openDataset(root, { part: 'val2017' });
  const count = ({ images }: typeof train) => images.reduce((sum, { objects }) => sum + objects.length, 0);
  const crowds = ({ images }: typeof train) =>
    images.flatMap(({ objects }) => objects).filter(({ crowd }) => crowd).length;
  assert.deepEqual([train.images.length, count(train), crowds(train)], [80, 739, 8]);
  assert.deepEqual([val.images.length, count(val), crowds(val)], [79, 624, 5]);
  assert.equal(train.classes.length, 80);
  assert.deepEqual(train.classes, val.classes);
  assert.deepEqual(train.categoryIds?.slice(9, 13), [10, 11, 13, 14]);
  const json = JSON.parse(await readFile(`${root}/annotations/instances_train2017.json`, 'utf8'));
  const [first] = json.annotations;
  const read = train.images.flatMap(({ objects }) => objects).find(({ id }) => id === first.id);
  const [x, y, w, h] = first.bbox;
  assert.deepEqual(read?.box, [x, y, x + w, y + h]);
  assert.equal(read?.area, first.area);
  assert.equal(train.categoryIds?.[read?.label ?? -1], first.category_id);
});

test('Each layout of COCO is recognised', async (t) => {
  const picture = await plainJpeg();
  const json = cocoJson({ annotations: [annotation([1, 2, 10, 10])] });
  const layouts: Record<string, Record<string, string | Uint8Array>> = {
    'annotations with part folders': { 'annotations/instances_train2017.json': json, 'train2017/a.jpg': picture },
    'annotations with images': { 'annotations/instances_train.json': json, 'images/a.jpg': picture },
    'annotations with images by part': { 'annotations/instances_train.json': json, 'images/train/a.jpg': picture },
    'an export by part': {
      'train/_annotations.coco.json': json,
      'train/a.jpg': picture,
      'valid/_annotations.coco.json': json,
      'valid/a.jpg': picture,
    },
  };
  for (const [name, files] of Object.entries(layouts)) {
    const root = await temporaryFolder(t);
    await writeFiles(root, files);
    const { images, classes, categoryIds } = await openDataset(root, { part: 'train' });
    assert.deepEqual(classes, ['car', 'dog'], name);
    assert.deepEqual(categoryIds, [3, 18], name);
    assert.deepEqual(images[0].objects, [{ box: [1, 2, 11, 12], label: 1, crowd: false, area: 5, id: 1 }], name);
  }
  const root = await temporaryFolder(t);
  await writeFiles(root, { 'labels.json': json, 'a.jpg': picture });
  assert.equal((await openDataset(`${root}/labels.json`)).images[0].path, `${root}/a.jpg`);
});

test('All parts have one class list, and contradicting parts are an error', async (t) => {
  const root = await temporaryFolder(t);
  const picture = await plainJpeg();
  await writeFiles(root, {
    'train/_annotations.coco.json': cocoJson({ categories: [{ id: 18, name: 'dog' }] }),
    'train/a.jpg': picture,
    'valid/_annotations.coco.json': cocoJson({}),
    'valid/a.jpg': picture,
  });
  assert.deepEqual((await openDataset(root, { part: 'train' })).classes, ['car', 'dog']);
  assert.deepEqual((await openDataset(root, { part: 'val' })).classes, ['car', 'dog']);
  await assert.rejects(openDataset(root), /say which part is meant; its parts are train, valid/);
  await assert.rejects(openDataset(root, { part: 'test' }), /there is no part 'test'/);
  await writeFiles(root, { 'valid/_annotations.coco.json': cocoJson({ categories: [{ id: 18, name: 'cat' }] }) });
  await assert.rejects(openDataset(root, { part: 'train' }), /category 18 is 'cat', but 'dog' in/);
});

test('A single file is split by the seed and keeps only the problems of its part', async (t) => {
  const root = await temporaryFolder(t);
  const images = Array.from({ length: 10 }, (_, i) => ({ id: i, file_name: `${i}.jpg`, width: 40, height: 30 }));
  const annotations = images.map(({ id }) => annotation([1, 1, 0, 5], { id, image_id: id }));
  await writeFiles(root, { 'annotations/instances_default.json': cocoJson({ images, annotations }) });
  for (const { file_name } of images) await writeFiles(root, { [`images/${file_name}`]: await plainJpeg() });
  const train = await openDataset(root, { part: 'train' });
  const val = await openDataset(root, { part: 'val' });
  assert.deepEqual([train.images.length, train.problems.length], [8, 8]);
  assert.deepEqual([val.images.length, val.problems.length], [2, 2]);
  assert.match(val.problems[0].file, new RegExp(`image ${val.images[0].name}`));
});

const bad: readonly { what: string; json: string; message: RegExp }[] = [
  {
    what: 'an unknown category',
    json: cocoJson({ annotations: [annotation([1, 1, 5, 5], { category_id: 99 })] }),
    message: /annotation 0 \(id 1\): category_id 99 is not among/,
  },
  {
    what: 'an unknown image',
    json: cocoJson({ annotations: [annotation([1, 1, 5, 5], { image_id: 99 })] }),
    message: /annotation 0 \(id 1\): image_id 99 is not among/,
  },
  {
    what: 'NaN as Python writes it',
    json: cocoJson({ annotations: [annotation([1, 1, 5, 5])] }).replace('[1,', '[NaN,'),
    message: /not valid JSON .*NaN or Infinity/,
  },
  {
    what: 'null in a box',
    json: cocoJson({ annotations: [annotation([null, 1, 5, 5])] }),
    message: /a\.jpg, object 0: its box is \[NaN, 1, 5, 5\]/,
  },
  { what: 'no box', json: cocoJson({ annotations: [annotation(undefined)] }), message: /a\.jpg, object 0: its box/ },
  { what: 'a truncated file', json: cocoJson({}).slice(0, -9), message: /not valid JSON/ },
  { what: 'no images', json: '{"annotations": [], "categories": []}', message: /no list 'images'/ },
  {
    what: 'one id twice',
    json: cocoJson({ images: [image, image] }),
    message: /image 1 \(a\.jpg\): id 7 is already taken/,
  },
  {
    what: 'an image without size',
    json: cocoJson({ images: [{ ...image, width: undefined }] }),
    message: /image a\.jpg: the picture's size is given as undefined×30/,
  },
  {
    what: 'two categories of one name',
    json: cocoJson({
      categories: [
        { id: 1, name: 'dog' },
        { id: 2, name: 'dog' },
      ],
    }),
    message: /class 'dog' is listed twice/,
  },
  {
    what: 'a missing picture',
    json: cocoJson({ images: [image, { ...image, id: 8, file_name: 'b.jpg' }] }),
    message: /1 of 2 annotated pictures are missing: b\.jpg\. Looked in/,
  },
  { what: 'no picture', json: cocoJson({ images: [] }), message: /has no picture/ },
];

for (const { what, json, message } of bad) {
  test(`A COCO file with ${what} is an error that says where`, async (t) => {
    const root = await temporaryFolder(t);
    await writeFiles(root, { 'train.json': json, 'a.jpg': await plainJpeg() });
    await assert.rejects(openDataset(`${root}/train.json`), { name: 'BoxwrightError', code: 'data', message });
  });
}

test('What only another format has a use for is refused', async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, {
    'a.jpg': await plainJpeg(),
    'annotations.json': cocoJson({ annotations: [annotation([1, 1, 9, 9])] }),
  });
  const file = `${root}/annotations.json`;
  assert.equal((await openDataset(file)).images.length, 1);
  await assert.rejects(openDataset(file, { firstPixel: 0 }), {
    code: 'config',
    message: /what the first pixel is called is for Pascal VOC, and this is read as coco; leave it out/,
  });
  await assert.rejects(openDataset(file, { boxOrder: 'yxyx' }), { code: 'config', message: /is for text lists/ });
});

test('A folder without annotations is an error that lists the layouts looked for', async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, { 'a.jpg': await plainJpeg() });
  await assert.rejects(openDataset(root), {
    code: 'data',
    message: /no annotations found[\s\S]*Pascal VOC[\s\S]*COCO/,
  });
  await assert.rejects(openDataset(`${root}/nowhere`), { code: 'data', message: /there is no such folder/ });
});
