import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDataset, openDataset } from '../../src/data/index.js';
import { temporaryFolder } from '../temporary-folder.js';
import { plainJpeg, vocObject, vocXml, writeFiles } from './folders.js';

const shape = (label: string, points: readonly unknown[], more: object = {}) => ({
  label,
  points,
  shape_type: 'rectangle',
  ...more,
});
const labelMe = (shapes: readonly unknown[], more: object = {}) =>
  JSON.stringify({ imagePath: 'a.jpg', imageWidth: 40, imageHeight: 30, shapes, ...more });

test('LabelMe: corners in any order, polygons by group, circles, difficult, size from the picture, Windows paths', async (t) => {
  const root = await temporaryFolder(t);
  const shapes = [
    shape('cat', [
      [30, 20],
      [10, 5],
    ]),
    shape(
      'cat',
      [
        [1, 1],
        [5, 1],
        [5, 5],
      ],
      { shape_type: 'polygon', group_id: 1, flags: { difficult: true } },
    ),
    shape(
      'cat',
      [
        [8, 8],
        [9, 8],
        [9, 12],
      ],
      { shape_type: 'polygon', group_id: 1 },
    ),
    shape(
      'dog',
      [
        [20, 10],
        [20, 15],
      ],
      { shape_type: 'circle' },
    ),
  ];
  const text = labelMe(shapes, { imagePath: '..\\pictures\\a.jpg', imageWidth: null });
  await writeFiles(root, { 'a.json': text, 'images/a.jpg': await plainJpeg() });
  const { images, classes } = await openDataset(root);
  assert.deepEqual(classes, ['cat', 'dog']);
  assert.deepEqual([images[0].width, images[0].height], [40, 30]);
  assert.deepEqual(
    images[0].objects.map(({ box, label, difficult }) => [box, label, difficult]),
    [
      [[10, 5, 30, 20], 0, undefined],
      [[1, 1, 9, 12], 0, true],
      [[15, 5, 25, 15], 1, undefined],
    ],
  );
});

test('LabelMe and CreateML in folders of parts have one class list', async (t) => {
  const root = await temporaryFolder(t);
  const createMl = (label: string) =>
    JSON.stringify([{ image: 'a.jpg', annotations: [{ label, coordinates: { x: 5, y: 5, width: 4, height: 4 } }] }]);
  for (const [part, label] of [
    ['train', 'cat'],
    ['valid', 'ape'],
  ]) {
    await writeFiles(root, {
      [`labelme/${part}/a.json`]: labelMe([
        shape(label, [
          [1, 1],
          [5, 5],
        ]),
      ]),
      [`labelme/${part}/a.jpg`]: await plainJpeg(),
      [`createml/${part}/_annotations.createml.json`]: createMl(label),
      [`createml/${part}/a.jpg`]: await plainJpeg(),
    });
  }
  for (const format of ['labelme', 'createml']) {
    const found = await findDataset(`${root}/${format}`);
    assert.deepEqual([found.format, found.parts], [format, ['train', 'valid']]);
    const { images, classes } = await openDataset(`${root}/${format}`, { part: 'val' });
    assert.deepEqual(classes, ['ape', 'cat']);
    assert.deepEqual(
      images[0].objects.map(({ label }) => label),
      [0],
    );
    assert.equal(images[0].path, `${root}/${format}/valid/a.jpg`);
    const whole = await openDataset(`${root}/${format}`);
    assert.equal(new Set(whole.images.map(({ id }) => id)).size, 2, 'two pictures of one name have ids of their own');
  }
});

test('A folder whose name ends like a list is none', async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, { 'old.txt/notes': 'x', 'boxes.txt': 'a.jpg 1,2,3,4,cat', 'a.jpg': await plainJpeg() });
  const { format, parts } = await findDataset(root);
  assert.deepEqual([format, parts], ['text', []]);
});

test('CSV: says which columns were taken, has a column of parts, background rows, quotes over lines', async (t) => {
  const root = await temporaryFolder(t);
  const header = 'Image Name,Width,Height,Class,X Min,Y_min,xmax,YMAX,split,is_crowd\r\n';
  const rows = [
    'a.jpg,40,30,"cat, ""big""",1,2,11,12,TRAIN,1',
    'a.jpg,40,30,"two\nlines",1,2,12,12,TRAIN,0',
    'b.jpg,40,30,,,,,,VALIDATION,',
  ];
  const picture = await plainJpeg();
  await writeFiles(root, { 'boxes.csv': header + rows.join('\r\n'), 'a.jpg': picture, 'b.jpg': picture });
  assert.deepEqual((await findDataset(root)).parts, ['train', 'val']);
  const { images, classes, note } = await openDataset(root, { part: 'train' });
  assert.deepEqual(classes, ['cat, "big"', 'two\nlines']);
  assert.deepEqual(
    images.map(({ objects }) => objects.map(({ box, crowd }) => [box, crowd])),
    [
      [
        [[1, 2, 11, 12], true],
        [[1, 2, 12, 12], false],
      ],
    ],
  );
  const columns =
    'columns picture = Image Name, x1 = X Min, y1 = Y_min, x2 = xmax, y2 = YMAX, label = Class, part = split, crowd = is_crowd, width = Width, height = Height';
  assert.ok(note?.includes(columns), note);
  const val = await openDataset(root, { part: 'val' });
  assert.deepEqual(
    val.images.map(({ name, objects }) => [name, objects.length]),
    [['b.jpg', 0]],
  );
});

test('CSV: tables of parts, and width and height that are the box where there is no second corner', async (t) => {
  const root = await temporaryFolder(t);
  const picture = await plainJpeg();
  await writeFiles(root, {
    'train_labels.csv': 'filename,x,y,width,height,label\na.jpg,1,2,10,10,cat\n',
    'test_labels.csv': 'image_id,width,height,bbox,class\nb,40,30,"[3.0, 4.0, 5.5, 6]",dog\n',
    'train/a.jpg': picture,
    'test/b.jpg': picture,
  });
  assert.deepEqual((await findDataset(root)).parts.toSorted(), ['test', 'train']);
  const train = await openDataset(root, { part: 'train' });
  assert.deepEqual(
    [train.classes, train.images[0].objects[0].box],
    [
      ['cat', 'dog'],
      [1, 2, 11, 12],
    ],
  );
  const { images } = await openDataset(root, { part: 'test' });
  assert.deepEqual([images[0].objects[0].box, images[0].width], [[3, 4, 8.5, 10], 40]);
});

test('VOCdevkit: years are read together, a part from every year that has it, classes from all', async (t) => {
  const root = await temporaryFolder(t);
  const picture = await plainJpeg();
  for (const [year, label] of [
    ['2007', 'dog'],
    ['2012', 'cat'],
  ]) {
    await writeFiles(root, {
      [`VOCdevkit/VOC${year}/Annotations/000001.xml`]: vocXml([vocObject(label, [1, 1, 9, 9])]),
      [`VOCdevkit/VOC${year}/JPEGImages/000001.jpg`]: picture,
      [`VOCdevkit/VOC${year}/ImageSets/Main/trainval.txt`]: '000001\n',
    });
  }
  await writeFiles(root, { 'VOCdevkit/VOC2007/ImageSets/Main/test.txt': '000001\n' });
  for (const path of [root, `${root}/VOCdevkit`]) {
    const { images, classes } = await openDataset(path, { part: 'trainval' });
    assert.deepEqual(classes, ['cat', 'dog']);
    assert.deepEqual(
      images.map(({ id, objects }) => [id, objects[0].label]),
      [
        ['VOC2007/000001', 1],
        ['VOC2012/000001', 0],
      ],
    );
  }
  const test = await openDataset(root, { part: 'test' });
  assert.deepEqual([test.classes, test.images.map(({ id }) => id)], [['cat', 'dog'], ['VOC2007/000001']]);
  await assert.rejects(openDataset(root, { part: 'train' }), /there is no part 'train'; its parts are test, trainval/);
});

const box = { x: 5, y: 5, width: 4, height: 4 };
const createMl = (entry: unknown) => ({
  'a.json': JSON.stringify([{ image: 'a.jpg', annotations: [{ label: 'cat', coordinates: box }] }, entry]),
});
const csv = (...rows: string[]) => ({
  'a.csv': ['filename,xmin,ymin,xmax,ymax,class', 'a.jpg,1,1,5,5,cat', ...rows].join('\n'),
});
const text = (...rows: string[]) => ({ 'a.txt': ['a.jpg 1,1,5,5,cat', ...rows].join('\n') });

const bad: readonly { what: string; files: Record<string, string>; message: RegExp }[] = [
  { what: 'LabelMe that is cut', files: { 'a.json': labelMe([]).slice(0, -1) }, message: /a\.json.*: not valid JSON/ },
  {
    what: 'LabelMe with shapes of another type',
    files: { 'a.json': labelMe([]), 'b.json': '{"imagePath":"a.jpg","shapes":3}' },
    message: /b\.json: it has no list 'shapes'/,
  },
  {
    what: 'LabelMe without a label',
    files: {
      'a.json': labelMe([
        shape('', [
          [1, 1],
          [2, 2],
        ]),
      ]),
    },
    message: /a\.json, object 0: the shape has no label/,
  },
  {
    what: 'LabelMe with a word as number',
    files: {
      'a.json': labelMe([
        shape('cat', [
          ['1', 1],
          [2, 2],
        ]),
      ]),
    },
    message: /a\.json, object 0: its box is \[NaN, 1, 2, 2\]/,
  },
  {
    what: 'LabelMe with a line',
    files: {
      'a.json': labelMe([
        shape(
          'cat',
          [
            [1, 1],
            [2, 2],
          ],
          { shape_type: 'line' },
        ),
      ]),
    },
    message: /a\.json, object 0: a shape of type 'line' with 2 points has no box/,
  },
  {
    what: 'LabelMe without its picture',
    files: {
      'a.json': labelMe(
        [
          shape('cat', [
            [1, 1],
            [2, 2],
          ]),
        ],
        { imagePath: 'gone.jpg' },
      ),
    },
    message: /1 of 1 annotated pictures are missing: gone\.jpg/,
  },
  { what: 'CreateML that is cut', files: { 'a.json': '[\n{"image":"a.jpg",' }, message: /a\.json.*: not valid JSON/ },
  {
    what: 'CreateML without a picture',
    files: createMl({ annotations: [] }),
    message: /a\.json, picture 1: it has no 'image'/,
  },
  {
    what: 'CreateML with annotations of another type',
    files: createMl({ image: 'a.jpg', annotations: 'x' }),
    message: /a\.json, picture 1: its 'annotations' are no list/,
  },
  {
    what: 'CreateML without coordinates',
    files: createMl({ image: 'a.jpg', annotations: [{ label: 'cat' }] }),
    message: /a\.json, picture 1 \(a\.jpg\), object 0: its box is \[NaN/,
  },
  {
    what: 'CreateML without a label',
    files: createMl({ image: 'a.jpg', annotations: [{ coordinates: box }] }),
    message: /picture 1 \(a\.jpg\), object 0: it has no label/,
  },
  {
    what: 'CreateML without its picture',
    files: createMl({ image: 'gone.jpg', annotations: [] }),
    message: /1 of 2 annotated pictures are missing: gone\.jpg/,
  },
  {
    what: 'CSV with a word as number',
    files: csv('a.jpg,1,x,5,5,cat'),
    message: /a\.csv, line 3: its box is \[1, NaN, 5, 5\]/,
  },
  { what: 'CSV with NaN', files: csv('a.jpg,1,nan,5,5,cat'), message: /a\.csv, line 3: its box is \[1, NaN, 5, 5\]/ },
  { what: 'CSV with a cut line', files: csv('a.jpg,1,1,5'), message: /a\.csv, line 3: it has no label/ },
  { what: 'CSV without a label', files: csv('a.jpg,1,1,5,5,'), message: /a\.csv, line 3: it has no label/ },
  { what: 'CSV without a picture', files: csv(',1,1,5,5,cat'), message: /a\.csv, line 3: it names no picture/ },
  { what: 'CSV with an open quote', files: csv('a.jpg,1,1,5,5,"cat'), message: /a\.csv, line 3: a quote is opened/ },
  { what: 'CSV without its picture', files: csv('gone.jpg,1,1,5,5,cat'), message: /missing: gone\.jpg/ },
  {
    what: 'a text list with a cut box',
    files: text('a.jpg 1,1,5,5,cat 1,1,5'),
    message: /a\.txt, line 2: box 1 is '1,1,5'/,
  },
  {
    what: 'a text list with a word as number',
    files: text('a.jpg 1,x,5,5,cat'),
    message: /a\.txt, line 2: its box is \[1, NaN, 5, 5\]/,
  },
  {
    what: 'a text list without a picture',
    files: text('1,1,5,5,cat'),
    message: /a\.txt, line 2: '1,1,5,5,cat' begins with no picture's path/,
  },
  {
    what: 'a text list of unknown classes',
    files: { ...text('a.jpg 1,1,5,5,7'), 'classes.txt': 'cat\ndog' },
    message: /a\.txt, line 2: class 7 is not among the 2 classes/,
  },
  { what: 'a text list without its picture', files: text('gone.jpg 1,1,5,5,cat'), message: /missing: gone\.jpg/ },
];

for (const { what, files, message } of bad) {
  test(`${what} is an error that says where`, async (t) => {
    const root = await temporaryFolder(t);
    await writeFiles(root, { 'a.jpg': await plainJpeg(), ...files });
    await assert.rejects(openDataset(root), { name: 'BoxwrightError', code: 'data', message });
  });
}

test('A single file that is of no format is an error that says what is needed', async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, { 'a.csv': 'one,two\n1,2\n', 'b.txt': 'words\n' });
  await assert.rejects(openDataset(`${root}/a.csv`), {
    code: 'data',
    message: /a\.csv, line 1: .*needed are a picture/,
  });
  await assert.rejects(openDataset(`${root}/b.txt`), {
    code: 'data',
    message: /b\.txt, line 1: this is no list of pictures/,
  });
});

test('A tolerant reading tells of everything at once and keeps what is sound', async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, {
    'a.jpg': await plainJpeg(),
    ...csv('a.jpg,1,x,5,5,cat', 'gone.jpg,1,1,5,5,cat', 'a.jpg,9,1,5,5,cat', 'a.jpg,1,1,5,5,'),
  });
  const { images, problems } = await openDataset(root, { tolerant: true });
  assert.deepEqual(
    images.map(({ objects }) => objects.length),
    [1],
  );
  assert.deepEqual(
    problems.map(({ kind, line }) => [kind, line]),
    [
      ['unusable', 6],
      ['missing picture', undefined],
      ['not a number', 3],
      ['no size', 5],
    ],
  );
});
