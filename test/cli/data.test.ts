import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { openDataset } from '../../src/data/index.js';
import { plainJpeg, vocObject, vocXml, writeFiles } from '../data/folders.js';
import { temporaryFolder } from '../temporary-folder.js';
import { runCli } from './run-cli.js';

/** A small Pascal VOC set with a box of no size, one beyond its picture, and a picture twice. */
async function smallSet(root: string): Promise<void> {
  const objects = [
    vocObject('&lt;dog&gt;', [2, 2, 9, 9]),
    vocObject('cat', [5, 5, 5, 9]),
    vocObject('cat', [20, 5, 60, 9]),
  ];
  await writeFiles(root, {
    'Annotations/a.xml': vocXml(objects),
    'Annotations/b.xml': vocXml([vocObject('cat', [2, 2, 30, 20], '<difficult>1</difficult>')]),
    'JPEGImages/a.jpg': await plainJpeg(),
    'JPEGImages/b.jpg': await plainJpeg(),
    'ImageSets/Main/train.txt': 'a\n',
    'ImageSets/Main/val.txt': 'b\n',
  });
}

test('data prints the card, for people and as JSON, and writes its pages and a repaired copy', async (t) => {
  const root = await temporaryFolder(t);
  await smallSet(`${root}/set`);
  const pages = ['--sheet', `${root}/sheet.html`, '--preview', `${root}/preview.html`];
  const shown = await runCli('data', `${root}/set`, ...pages, '--fix', `${root}/fixed`, '--to', 'yolo');
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /set: 2 pictures, 3 boxes, 2 classes\nrecognised as voc: Annotations\/\*\.xml, 2 lists/);
  assert.match(shown.stdout, /train {7}1 pictures, 2 boxes\nval {9}1 pictures, 1 boxes/);
  assert.match(shown.stdout, /no size: 1\n {2}a\.xml, object 1: box \[5, 5, 5, 9\] has zero or negative size/);
  assert.match(shown.stdout, /leak: 1\n {2}b\.jpg: the picture is the same as a\.jpg of part 'train'/);
  assert.match(shown.stderr, /1 difficult objects are objects like others/);
  assert.match(shown.stderr, /1 × picture that is there already left out/);
  const json = await runCli('data', `${root}/set`, '--json', '--part', 'train');
  const card = JSON.parse(json.stdout);
  assert.deepEqual([card.pictures, card.boxes, card.problemCounts], [1, 2, { 'no size': 1, beyond: 1 }]);

  const sheet = await readFile(`${root}/sheet.html`, 'utf8');
  assert.equal(sheet.match(/<figure/g)?.length, 2);
  assert.equal(sheet.match(/<rect /g)?.length, 3);
  assert.equal(sheet.match(/data:image\/jpeg;base64,/g)?.length, 2);
  assert.ok(sheet.includes('&#60;dog&#62;') && !sheet.includes('<dog>'), 'names are text');
  assert.doesNotMatch(sheet, /(src|href)="https?:/);
  const preview = await readFile(`${root}/preview.html`, 'utf8');
  for (const name of ['original', 'mosaic', 'mix-up', 'scale-jitter', 'rotate90', 'cut-out'])
    assert.ok(preview.includes(`<th scope="col">${name}</th>`), name);
  const parts = await Promise.all(['val'].map((part) => openDataset(`${root}/fixed`, { part })));
  assert.deepEqual(
    parts.map(({ format, images }) => [format, images.length]),
    [['yolo', 1]],
  );

  const all = ['--sheet', `${root}/s.html`, '--preview', `${root}/p.html`, '--fix', `${root}/again`];
  const { written } = JSON.parse((await runCli('data', `${root}/set`, '--json', ...all)).stdout);
  assert.deepEqual(
    [written.sheet, written.preview],
    [{ path: `${root}/s.html` }, { path: `${root}/p.html` }],
    'what was written is in the document',
  );
  const { path, format, pictures, boxes, repairs } = written.fix;
  assert.deepEqual([path, format, pictures, boxes], [`${root}/again`, 'voc', 1, 1]);
  assert.ok(repairs.some(({ what }: { what: string }) => what === 'picture that is there already left out'));

  const quiet = await runCli('data', `${root}/set`, '--quiet', '--sheet', `${root}/quiet.html`);
  assert.deepEqual([quiet.code, quiet.stderr], [0, ''], 'results only');
  const again = await runCli('data', `${root}/set`, '--quiet', '--sheet', `${root}/sheet.html`);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /sheet\.html: exists already/);
});

test('convert writes a data set part by part, and says what the format cannot', async (t) => {
  const root = await temporaryFolder(t);
  await smallSet(`${root}/set`);
  const { code, stdout, stderr } = await runCli('convert', `${root}/set`, `${root}/coco`, '--to', 'coco');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /coco: coco, 2 pictures \(train 1, val 1\), 3 boxes/);
  assert.match(stderr, /2 boxes were clipped or dropped/);
  const train = await openDataset(`${root}/coco`, { part: 'train' });
  assert.deepEqual(train.classes, ['<dog>', 'cat']);
  assert.ok(existsSync(`${root}/coco/train/a.jpg`));
  const yolo = await runCli('convert', `${root}/coco`, `${root}/yolo`, '--to', 'yolo', '--link', '--json');
  assert.deepEqual(JSON.parse(yolo.stdout).parts, [
    { name: 'train', pictures: 1, boxes: 2 },
    { name: 'val', pictures: 1, boxes: 1 },
  ]);
  const over = await runCli('convert', `${root}/set`, `${root}/coco`, '--to', 'voc');
  assert.equal(over.code, 1);
  assert.match(over.stderr, /coco: the folder is not empty, and nothing is overwritten/);
  const wrong = await runCli('data', `${root}/set`, '--format', 'yolo');
  assert.match(wrong.stderr, /no annotations of format 'yolo' found/);
});
