import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDataset, openDataset } from '../../src/data/index.js';
import { temporaryFolder } from '../temporary-folder.js';
import { plainJpeg, writeFiles } from './folders.js';

const yaml = 'path: ../somewhere/else\ntrain: images/train\nval: images/val\nnames:\n  0: cat\n  1: "dog: big"\n';

test('Ultralytics: parts, names by index, pictures without label file, polygons, pictures in folders below', async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, {
    'data.yaml': yaml,
    'images/train/a.jpg': await plainJpeg(40, 20),
    'images/train/deep/b.png': await plainJpeg(),
    'images/val/c.jpg': await plainJpeg(),
    'labels/train/a.txt': '1 0.5 0.5 0.5 0.5\n0 0.1 0.2 0.3 0.2 0.3 0.6\n',
    'labels/val/c.txt': '',
  });
  const found = await findDataset(root);
  assert.deepEqual([found.format, found.parts], ['yolo', ['train', 'val']]);
  const { classes, images, note } = await openDataset(root, { part: 'train' });
  assert.deepEqual(classes, ['cat', 'dog: big']);
  assert.deepEqual(
    images.map(({ name, width, height, objects }) => [name, width, height, objects.map(({ label }) => label)]),
    [
      ['images/train/a.jpg', 40, 20, [1, 0]],
      ['images/train/deep/b.png', 40, 30, []],
    ],
  );
  assert.deepEqual(images[0].objects[0].box, [10, 5, 30, 15]);
  const polygon = images[0].objects[1].box;
  [4, 4, 12, 12].forEach((side, i) => {
    assert.ok(Math.abs(polygon[i] - side) < 1e-9, `${polygon}`);
  });
  assert.match(note as string, /1 pictures without label file are background/);
  assert.equal((await openDataset(root)).images.length, 3);
  assert.equal((await openDataset(root, { part: 'trainval' })).images.length, 3);
  await assert.rejects(openDataset(root, { part: 'test' }), /there is no part 'test'; its parts are train, val/);
});

test('Exporting services: paths with steps up, names as a list, valid as val; a list of files; a classes.txt', async (t) => {
  const root = await temporaryFolder(t);
  const label = '0 0.5 0.5 0.2 0.2\n';
  await writeFiles(root, {
    'service/data.yaml': 'train: ../train/images\nval: ../valid/images\ntest: ../test/images\nnc: 1\nnames: [cell]\n',
    'service/train/images/a.jpg': await plainJpeg(),
    'service/train/labels/a.txt': label,
    'service/valid/images/b.jpg': await plainJpeg(),
    'service/valid/labels/b.txt': label,
    'lists/mine.yaml': 'train: train.txt\nnames: [cell]\n',
    'lists/train.txt': './images/a.jpg\n./images/b.jpg\n',
    'lists/images/a.jpg': await plainJpeg(),
    'lists/images/b.jpg': await plainJpeg(),
    'lists/labels/a.txt': label,
    'lists/labels/b.txt': label,
    'plain/classes.txt': 'cell\n\n',
    'plain/images/a.jpg': await plainJpeg(),
    'plain/images/b.jpg': await plainJpeg(),
    'plain/labels/a.txt': label,
    'plain/labels/b.txt': label,
  });
  assert.deepEqual((await findDataset(`${root}/service`)).parts, ['train', 'val']);
  assert.deepEqual((await openDataset(`${root}/service`, { part: 'val' })).images[0].name, 'valid/images/b.jpg');
  assert.equal((await openDataset(`${root}/lists/mine.yaml`, { part: 'train' })).images.length, 2);
  assert.equal((await openDataset(`${root}/plain`)).images.length, 2);
  assert.equal((await openDataset(`${root}/plain`, { part: 'val' })).images.length, 1, 'split by the seed');
});

const bad: readonly { what: string; files: Record<string, string>; message: RegExp }[] = [
  {
    what: 'a cut line',
    files: { 'labels/train/a.txt': '0 0.5 0.5 0.2' },
    message: /labels\/train\/a\.txt, line 1: 4 values, but/,
  },
  {
    what: 'scores',
    files: { 'labels/train/a.txt': '\n0 0.5 0.5 0.2 0.2 0.9' },
    message: /a\.txt, line 2: 6 values.*these are detections/,
  },
  {
    what: 'an unknown class',
    files: { 'labels/train/a.txt': '2 0.5 0.5 0.2 0.2' },
    message: /a\.txt, line 1: class 2 is not among the 2 classes/,
  },
  {
    what: 'a class that is no whole number',
    files: { 'labels/train/a.txt': 'cat 0.5 0.5 0.2 0.2' },
    message: /line 1: class cat is not/,
  },
  {
    what: 'NaN',
    files: { 'labels/train/a.txt': '0 nan 0.5 0.2 0.2' },
    message: /a\.txt, line 1: its box is \[0, NaN, 0\.5, 0\.2, 0\.2\]/,
  },
  {
    what: 'pixels',
    files: { 'labels/train/a.txt': '0 100 100 20 20' },
    message: /a\.txt, line 1: .*has shares of width and height/,
  },
  {
    what: 'a label without picture',
    files: { 'labels/train/z.txt': '0 0.5 0.5 0.2 0.2' },
    message: /1 of 2 annotated pictures are missing: labels\/train\/z\.txt/,
  },
  {
    what: 'no labels',
    files: { 'data.yaml': 'train: other\nnames: [a]', 'other/a.jpg': 'x' },
    message: /none of 1 pictures has a label file; looked for instance for .*other\/a\.txt/,
  },
  { what: 'yaml that is cut', files: { 'data.yaml': 'names: [a' }, message: /data\.yaml: not valid YAML/ },
  {
    what: 'another count of names',
    files: { 'data.yaml': `${yaml}nc: 3\n` },
    message: /data\.yaml: 'nc' is 3, but 'names' has 2/,
  },
  {
    what: 'a gap in names',
    files: { 'data.yaml': 'train: images/train\nnames: {0: a, 2: b}' },
    message: /no usable name for class 1/,
  },
  {
    what: 'paths of nothing',
    files: { 'data.yaml': 'train: nowhere\nnames: [a]' },
    message: /data\.yaml: none of train: nowhere is there/,
  },
];

for (const { what, files, message } of bad) {
  test(`YOLO with ${what} is an error that says where`, async (t) => {
    const root = await temporaryFolder(t);
    const picture = await plainJpeg();
    const good = { 'data.yaml': yaml, 'images/train/a.jpg': picture, 'labels/train/a.txt': '0 0.5 0.5 0.2 0.2' };
    await writeFiles(root, { ...good, ...files });
    await assert.rejects(openDataset(root), { name: 'BoxwrightError', code: 'data', message });
  });
}

test('Darknet: an absent list, an absent label and a missing picture are errors that say where', async (t) => {
  const root = await temporaryFolder(t);
  const base = {
    'obj.data': 'train = data/train.txt\nnames = data/obj.names\n',
    'obj.names': 'cat\n',
    'train.txt': 'data/img/a.jpg\ndata/img/b.jpg\n',
  };
  await writeFiles(root, { ...base, 'img/a.jpg': await plainJpeg(), 'img/a.txt': '0 0.5 0.5 0.2 0.2' });
  await assert.rejects(openDataset(root), {
    code: 'data',
    message: /data\/train\.txt, line 2: data\/img\/b\.jpg has no label file/,
  });
  await writeFiles(root, { 'img/b.txt': '1 0.5 0.5 0.2 0.2' });
  await assert.rejects(openDataset(root), {
    code: 'data',
    message: /img\/b\.txt, line 1: class 1 is not among the 1 classes/,
  });
  await writeFiles(root, { 'img/b.txt': '' });
  await assert.rejects(openDataset(root), {
    code: 'data',
    message: /1 of 2 annotated pictures are missing: data\/img\/b\.jpg/,
  });
  await writeFiles(root, { 'img/b.jpg': await plainJpeg() });
  assert.equal((await openDataset(`${root}/obj.data`)).images.length, 2);
  await writeFiles(root, { 'obj.data': 'train = data/gone.txt\nnames = data/obj.names\n' });
  await assert.rejects(openDataset(root), {
    code: 'data',
    message: /obj\.data: the list data\/gone\.txt is not there/,
  });
});
