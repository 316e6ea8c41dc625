import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Dataset, openDataset } from '../../src/data/index.js';
import { needs, shared } from '../shared.js';
import { temporaryFolder } from '../temporary-folder.js';
import { plainJpeg, vocObject, vocXml, writeFiles } from './folders.js';

function countByClass({ classes, images }: Dataset): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { label } of images.flatMap(({ objects }) => objects))
    counts[classes[label]] = (counts[classes[label]] ?? 0) + 1;
  return counts;
}

test(
  'BCCD has its published counts, and its two boxes of zero size are dropped by name',
  needs('data/bccd'),
  async () => {
    const path = shared('data/bccd') as string;
    const whole = await openDataset(path);
    assert.equal(whole.format, 'voc');
    assert.deepEqual(whole.classes, ['Platelets', 'RBC', 'WBC']);
    assert.deepEqual(countByClass(whole), { RBC: 4155 - 2, WBC: 372, Platelets: 361 });
    assert.deepEqual(
      whole.problems.map(({ file, action }) => [file, action]),
      [
        ['BloodImage_00338.xml', 'dropped'],
        ['BloodImage_00343.xml', 'dropped'],
      ],
    );
    assert.match(whole.problems[0].what, /\[504, 337, 504, 337\] has zero or negative size/);
    const counts: number[] = [];
    const names = new Set<string>();
    for (const part of ['train', 'val', 'test']) {
      const { images, classes } = await openDataset(path, { part });
      assert.deepEqual(classes, whole.classes);
      counts.push(images.length);
      for (const { name } of images) names.add(name);
    }
    assert.deepEqual(counts, [205, 87, 72]);
    assert.equal(names.size, 364);
  },
);

test('VOC2012 gives the same boxes as VOC xml and as COCO json', needs('data/voc2012-100'), async () => {
  const root = shared('data/voc2012-100') as string;
  const voc = await openDataset(root, { firstPixel: 0 });
  assert.equal(voc.images.flatMap(({ objects }) => objects).filter(({ difficult }) => difficult).length, 38);
  // The conversions to COCO took VOC's numbers as they are, hence firstPixel 0.
  const byPicture = (dataset: Dataset) => {
    const boxes = dataset.images.map(({ name, width, height, objects }) => {
      const lines = objects.map(({ box, label }) => `${dataset.classes[label]} ${box.join(' ')}`);
      return [name, [`${width}×${height}`, ...lines.sort()]] as const;
    });
    return new Map(boxes.sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  const expected = byPicture(voc);
  assert.equal(expected.size, 100);
  for (const file of ['coco_format_v1/instances_default.json', 'coco_format_v2/instances_v2.json']) {
    const coco = await openDataset(`${root}/labels/${file}`, { pictures: `${root}/JPEGImages` });
    assert.deepEqual(byPicture(coco), expected, file);
  }
  const shifted = await openDataset(root);
  const [first] = voc.images[0].objects;
  assert.deepEqual(
    shifted.images[0].objects[0].box,
    first.box.map((side) => side - 1),
  );
});

test('Difficult and truncated are kept, parts and list lines with a sign are read, classes come from all parts', async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, {
    'Annotations/a.xml': vocXml([vocObject('dog', [2, 3, 11, 12], '<difficult>1</difficult><truncated>1</truncated>')]),
    'Annotations/b.xml': vocXml([vocObject('cat', [1, 1, 40, 30])]),
    'JPEGImages/a.jpg': await plainJpeg(),
    'JPEGImages/b.png': await plainJpeg(),
    'ImageSets/Main/train.txt': 'a  1\r\n\r\n',
    'ImageSets/Main/val.txt': 'b\n',
  });
  const { classes, images } = await openDataset(root, { part: 'train' });
  assert.deepEqual(classes, ['cat', 'dog']);
  assert.deepEqual(images, [
    {
      id: 'a',
      path: `${root}/JPEGImages/a.jpg`,
      name: 'a.jpg',
      width: 40,
      height: 30,
      objects: [{ box: [1, 2, 10, 11], label: 1, difficult: true, truncated: true }],
    },
  ]);
  const val = await openDataset(root, { part: 'valid' });
  assert.equal(val.images[0].name, 'b.png');
  await assert.rejects(openDataset(root, { part: 'test' }), /there is no part 'test'; its parts are train, val/);
  await assert.rejects(openDataset(root, { classes: ['dog'] }), /class 'cat' is not among the 1 expected/);
  assert.deepEqual((await openDataset(root, { classes: ['dog', 'cat', 'cow'] })).classes, ['dog', 'cat', 'cow']);
});

test('A folder without lists is split by the seed, the same each time, without overlap', async (t) => {
  const root = await temporaryFolder(t);
  const picture = await plainJpeg();
  for (let i = 0; i < 10; i++) {
    await writeFiles(root, { [`${i}.xml`]: vocXml([vocObject('dog', [1, 1, 9, 9])]), [`${i}.jpg`]: picture });
  }
  const names = async (part: string, seed?: number) =>
    (await openDataset(root, { part, seed })).images.map(({ name }) => name);
  const train = await names('train');
  const val = await names('val');
  assert.equal(train.length, 8);
  assert.equal(new Set([...train, ...val]).size, 10);
  assert.deepEqual(await names('train'), train);
  assert.notDeepEqual(await names('val', 1), val);
  assert.equal((await names('trainval')).length, 10);
  await assert.rejects(names('test'), /only train, val and trainval can be split off/);
});

test('The size comes from the picture where the xml gives none', async (t) => {
  const root = await temporaryFolder(t);
  const xml = vocXml([vocObject('dog', [1, 1, 9, 9])]).replace(/<size>.*<\/size>/, '');
  await writeFiles(root, { 'a.xml': xml, 'a.jpg': await plainJpeg(50, 20) });
  const [{ width, height }] = (await openDataset(root)).images;
  assert.deepEqual([width, height], [50, 20]);
});

test('Boxes beyond the picture are clipped or dropped, and said so', async (t) => {
  const root = await temporaryFolder(t);
  const objects = [
    vocObject('dog', [-4, 5, 9, 9]),
    vocObject('dog', [60, 5, 70, 9]),
    vocObject('dog', [20, 5, 10, 9]),
    vocObject('dog', [31, 21, 40, 30]),
  ];
  await writeFiles(root, { 'a.xml': vocXml(objects), 'a.jpg': await plainJpeg() });
  const { images, problems } = await openDataset(root);
  assert.deepEqual(
    images[0].objects.map(({ box }) => box),
    [
      [0, 4, 8, 8],
      [30, 20, 39, 29],
    ],
  );
  assert.deepEqual(
    problems.map(({ file, index, action }) => [file, index, action]),
    [
      ['a.xml', 0, 'clipped'],
      ['a.xml', 1, 'dropped'],
      ['a.xml', 2, 'dropped'],
    ],
  );
});

const badFiles: readonly { what: string; xml: string; message: RegExp }[] = [
  {
    what: 'a coordinate that is no number',
    xml: vocXml([vocObject('dog', ['abc', 1, 9, 9])]),
    message: /a\.xml, object 0: its box is \[NaN, 1, 9, 9\]/,
  },
  {
    what: 'an empty coordinate',
    xml: vocXml([vocObject('dog', [1, 1, 9, 9]), vocObject('dog', [1, '', 9, 9])]),
    message: /a\.xml, object 1: its box is \[1, NaN, 9, 9\]/,
  },
  {
    what: 'an infinite coordinate',
    xml: vocXml([vocObject('dog', [1, 1, 'Infinity', 9])]),
    message: /a\.xml, object 0: its box/,
  },
  {
    what: 'an object without a name',
    xml: vocXml([vocObject('', [1, 1, 9, 9])]),
    message: /a\.xml, object 0: it has no <name>/,
  },
  {
    what: 'an object without a box',
    xml: vocXml(['<object><name>dog</name></object>']),
    message: /a\.xml, object 0 \(dog\): it has no <bndbox>/,
  },
  { what: 'broken xml', xml: '<annotation>\n<object></annotation>', message: /a\.xml, line 2: not well-formed XML/ },
  { what: 'another xml', xml: '<html></html>', message: /a\.xml: no <annotation> element/ },
  {
    what: 'a size of nonsense',
    xml: vocXml([vocObject('dog', [1, 1, 9, 9])], { width: -3 }),
    message: /a\.xml: the picture's size is given as -3×30/,
  },
  { what: 'no object at all', xml: vocXml([]), message: /no class is named anywhere/ },
];

for (const { what, xml, message } of badFiles) {
  test(`A VOC file with ${what} is an error that names it`, async (t) => {
    const root = await temporaryFolder(t);
    await writeFiles(root, { 'a.xml': xml, 'a.jpg': await plainJpeg() });
    await assert.rejects(openDataset(root), { name: 'BoxwrightError', code: 'data', message });
  });
}

test('A picture of a format that cannot be decoded is not called missing', async (t) => {
  const root = await temporaryFolder(t);
  const xml = vocXml([vocObject('dog', [1, 1, 9, 9])], { filename: 'a.bmp' });
  await writeFiles(root, { 'a.xml': xml, 'a.bmp': 'BM' });
  const message = /a\.bmp: pictures of this format cannot be decoded \(\.jpg/;
  await assert.rejects(openDataset(root), { code: 'data', message });
});

test('Missing pictures and list lines without annotation are errors with names and counts', async (t) => {
  const root = await temporaryFolder(t);
  const xml = vocXml([vocObject('dog', [1, 1, 9, 9])], { filename: 'gone.jpg' });
  for (let i = 0; i < 7; i++) await writeFiles(root, { [`Annotations/${i}.xml`]: xml });
  await writeFiles(root, { 'JPEGImages/0.jpg': await plainJpeg(), 'ImageSets/Main/train.txt': '0\nnone\n' });
  const missing = /6 of 7 annotated pictures are missing: gone\.jpg, .*…\. Looked in/;
  await assert.rejects(openDataset(root), { code: 'data', message: missing });
  const line = /train\.txt, line 2: 'none' has no annotation/;
  await assert.rejects(openDataset(root, { part: 'train' }), { code: 'data', message: line });
});
