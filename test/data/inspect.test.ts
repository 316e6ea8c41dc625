import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import sharp from 'sharp';
import { dataCard, inspectDataset, openDataset, repairDataset, writeDataset } from '../../src/data/index.js';
import { needs, shared } from '../shared.js';
import { temporaryFolder } from '../temporary-folder.js';
import { plainJpeg, vocObject, vocXml, writeFiles } from './folders.js';

/** Every file below a folder with a digest of its content. */
async function filesOf(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => `${parentPath}/${name}`);
  const digests = files.map(
    async (path) =>
      `${path} ${createHash('sha1')
        .update(await readFile(path))
        .digest('hex')}`,
  );
  return (await Promise.all(digests)).sort();
}

/** One of everything that can be wrong, as YOLO. */
async function spoilt(root: string): Promise<void> {
  const [grey, red, blue] = await Promise.all(
    ['#808080', '#ff0000', '#0000ff'].map((colour) => plainJpeg(40, 30, colour)),
  );
  await writeFiles(root, {
    'data.yaml': 'train: images/train\nval: images/val\nnames: [cat, dog, cow]\n',
    'images/train/a.jpg': grey,
    'labels/train/a.txt': [
      '0 0.5 0.5 0.5 0.5',
      '0 0.5 0.5 0 0.5',
      '0 0.5 0.5 -0.1 0.5',
      '0 1.5 0.5 0.2 0.2',
      '0 1.0 0.5 0.5 0.5',
      '0 nan 0.5 0.5 0.5',
      '9 0.5 0.5 0.5 0.5',
      '0 0.5 0.5 0.5 0.5',
      '1 0.5 0.5 0.5 0.5',
      '0 0.5',
    ].join('\n'),
    'images/train/b.jpg': red,
    'labels/train/b.txt': '0 0.5 0.5 0.5 0.5',
    // The same pixels in another file.
    'images/train/c.png': await sharp(Buffer.from(red)).png().toBuffer(),
    'labels/train/c.txt': '',
    'images/train/d.jpg': (await plainJpeg(400, 300)).slice(0, -200),
    'images/train/h.jpg': 'no picture',
    'labels/train/d.txt': '',
    'labels/train/gone.txt': '0 0.5 0.5 0.5 0.5',
    'images/val/e.jpg': grey,
    'labels/val/e.txt': '0 0.5 0.5 0.5 0.5',
    'images/val/f.jpg': blue,
    'labels/val/f.txt': '1 0.5 0.5 0.5 0.5',
  });
}

test('Every kind of problem is found, with file and line', async (t) => {
  const root = await temporaryFolder(t);
  await spoilt(root);
  const inspection = await inspectDataset(root);
  const found = inspection.problems.map(({ kind, file, line, part }) =>
    `${part} ${kind}: ${file.replace(root, '')} ${line ?? ''}`.trim(),
  );
  assert.deepEqual(found.sort(), [
    'train beyond: labels/train/a.txt 5',
    'train broken picture: images/train/d.jpg',
    'train broken picture: images/train/h.jpg',
    'train duplicate box: labels/train/a.txt 8',
    'train duplicate box: labels/train/a.txt 9',
    'train duplicate picture: images/train/c.png',
    'train missing picture:',
    'train no size: labels/train/a.txt 2',
    'train no size: labels/train/a.txt 3',
    'train not a number: labels/train/a.txt 6',
    'train outside: labels/train/a.txt 4',
    'train unknown class: labels/train/a.txt 7',
    'train unusable: labels/train/a.txt 10',
    'undefined unused class:',
    'val leak: images/val/e.jpg',
  ]);
  const texts = inspection.problems.map(({ what }) => what);
  assert.ok(
    texts.includes("box [10,7.5,30,22.5] of 'dog' is there already, of class 'cat' (line 1)"),
    texts.join('\n'),
  );
  assert.ok(texts.includes("the picture is the same as images/train/a.jpg of part 'train'"));
  assert.ok(texts.includes("class 'cow' has no object"));
});

test('A repaired copy has no problems left, and the original is as it was', async (t) => {
  const root = await temporaryFolder(t);
  await spoilt(`${root}/in`);
  const before = await filesOf(`${root}/in`);
  const { parts, done } = repairDataset(await inspectDataset(`${root}/in`));
  await writeDataset(parts, `${root}/out`, { format: 'yolo' });
  assert.deepEqual(await filesOf(`${root}/in`), before);
  const { problems } = await inspectDataset(`${root}/out`);
  const kinds = problems.map(({ kind }) => kind).sort();
  // A box of two classes is a question for a person, and so is a class without objects.
  assert.deepEqual(kinds, ['unused class']);
  // The picture that both parts had stays where it judges.
  const names = async (part: string) =>
    (await openDataset(`${root}/out`, { part })).images.map(({ name }) => name.replace(/^.*\//, ''));
  assert.deepEqual(await names('train'), ['b.jpg']);
  assert.deepEqual(await names('val'), ['e.jpg', 'f.jpg']);
  assert.deepEqual(Object.fromEntries(done.map(({ what, count }) => [what, count])), {
    'unusable annotation or picture left out': 8,
    'box cut to its picture': 1,
    'picture that is there already left out': 2,
    'picture that cannot be decoded left out': 1,
  });
});

test('Pictures of another size: boxes are scaled with a resized one, another shape is left out', async (t) => {
  const root = await temporaryFolder(t);
  const xml = (filename: string) =>
    vocXml([vocObject('dog', [5, 5, 21, 21]), vocObject('dog', [5, 5, 21, 21])], { filename });
  await writeFiles(root, {
    'a.xml': xml('a.jpg'),
    'b.xml': xml('b.jpg'),
    'a.jpg': await plainJpeg(80, 60),
    'b.jpg': await plainJpeg(30, 40),
  });
  const inspection = await inspectDataset(root);
  const found = inspection.problems
    .filter(({ kind }) => kind === 'other size')
    .map(({ file, what }) => `${file}: ${what}`);
  assert.deepEqual(found, [
    'a.jpg: the annotations say 40×30 pixels, the picture has 80×60',
    'b.jpg: the annotations say 40×30 pixels, the picture has 30×40',
  ]);
  const [{ dataset }] = repairDataset(inspection).parts;
  assert.deepEqual(
    dataset.images.map(({ name, width, objects }) => [name, width, objects.map(({ box }) => box)]),
    [['a.jpg', 80, [[8, 8, 40, 40]]]],
  );
});

test("The data card of VOC2012's 100 pictures and of BCCD", needs('data/bccd'), async () => {
  const voc = dataCard(await inspectDataset(shared('data/voc2012-100') as string));
  assert.deepEqual([voc.pictures, voc.boxes, voc.difficult, voc.perClass.length], [100, 273, 38, 20]);
  assert.equal(
    voc.perClass.reduce((sum, { boxes }) => sum + boxes, 0),
    273,
  );
  assert.equal(
    voc.sizes.reduce((sum, { count }) => sum + count, 0),
    273,
  );
  assert.equal(voc.areas.small + voc.areas.medium + voc.areas.large, 273);
  const bccd = dataCard(await inspectDataset(shared('data/bccd') as string));
  assert.deepEqual(
    bccd.parts.map(({ name, pictures }) => [name, pictures]),
    [
      ['train', 205],
      ['val', 87],
      ['test', 72],
    ],
  );
  assert.deepEqual(
    bccd.perClass.map(({ name, boxes }) => [name, boxes]),
    [
      ['Platelets', 361],
      ['RBC', 4153],
      ['WBC', 372],
    ],
  );
  assert.equal(bccd.problemCounts['no size'], 2);
  assert.deepEqual(
    bccd.problems
      .filter(({ kind }) => kind === 'no size')
      .map(({ file }) => file)
      .sort(),
    ['BloodImage_00338.xml', 'BloodImage_00343.xml'],
  );
});

test('An annotation that cannot be read is a problem of its own part, once, with its line', async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, {
    'Annotations/a.xml': vocXml([vocObject('dog', [2, 2, 9, 9])]),
    'Annotations/b.xml': '<annotation>\n<object></annotation>',
    'JPEGImages/a.jpg': await plainJpeg(),
    'JPEGImages/b.jpg': await plainJpeg(),
    'ImageSets/Main/train.txt': 'a\n',
    'ImageSets/Main/val.txt': 'a\nb\ngone\n',
  });
  const { problems } = await inspectDataset(root);
  const found = problems.map(({ kind, part, file, line, what }) => [
    kind,
    part,
    file.replace(root, ''),
    line,
    what.slice(0, 24),
  ]);
  assert.deepEqual(found, [
    ['unusable', 'val', '/ImageSets/Main/val.txt', 3, "'gone' has no annotation"],
    ['unusable', 'val', '/Annotations/b.xml', 2, 'not well-formed XML (Exp'],
    ['leak', 'val', 'a.jpg', undefined, 'the picture is the same '],
  ]);
});
