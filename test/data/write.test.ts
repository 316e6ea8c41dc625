import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { type Dataset, openDataset, type WrittenFormat, writeDataset } from '../../src/data/index.js';
import { needs, shared } from '../shared.js';
import { temporaryFolder } from '../temporary-folder.js';
import { plainJpeg, writeFiles } from './folders.js';

/** What every format keeps, in an order of its own. */
function contentOf({ images, classes }: Dataset) {
  return images
    .map(({ name, width, height, objects }) => ({
      name: name.replace(/^.*\//, ''),
      size: [width, height],
      boxes: objects.map(({ box, label }) => [classes[label], ...box.map((side) => Math.round(side * 1e5) / 1e5)]),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const formats: readonly WrittenFormat[] = ['coco', 'voc', 'yolo'];

for (const format of formats) {
  test(`VOC2012 written as ${format} and read again is the same`, needs('data/voc2012-100'), async (t) => {
    const root = await temporaryFolder(t);
    const dataset = await openDataset(shared('data/voc2012-100') as string);
    const { pictures, boxes } = await writeDataset(dataset, `${root}/out`, { format, pictures: 'link' });
    assert.deepEqual([pictures, boxes], [100, 273]);
    const again = await openDataset(`${root}/out`);
    assert.equal(again.format, format);
    assert.deepEqual(contentOf(again), contentOf(dataset));
    assert.deepEqual(again.classes, dataset.classes);
    const difficult = again.images.flatMap(({ objects }) => objects).filter((object) => object.difficult).length;
    assert.equal(difficult, format === 'yolo' ? 0 : 38);
  });

  test(`COCO's parts, ids and crowds written as ${format}`, needs('data/coco-mini'), async (t) => {
    const root = await temporaryFolder(t);
    const open = (part: string) => openDataset(shared('data/coco-mini') as string, { part });
    const parts = [
      { name: 'train', dataset: await open('train') },
      { name: 'val', dataset: await open('val') },
    ];
    const { notes } = await writeDataset(parts, `${root}/out`, { format, pictures: 'link' });
    for (const { name, dataset } of parts) {
      const again = await openDataset(`${root}/out`, { part: name, classes: dataset.classes });
      const isKept = ({ crowd }: { crowd?: boolean }) => format !== 'yolo' || !crowd;
      const images = dataset.images.map((image) => ({ ...image, objects: image.objects.filter(isKept) }));
      assert.deepEqual(contentOf(again), contentOf({ ...dataset, images }));
      if (format !== 'coco') continue;
      assert.deepEqual(again.categoryIds, dataset.categoryIds);
      assert.deepEqual(
        again.images.map(({ id }) => id),
        dataset.images.map(({ id }) => id),
      );
      const areas = ({ images }: Dataset) =>
        images.map(({ objects }) => objects.map(({ id, area, crowd }) => [id, area, crowd]));
      assert.deepEqual(areas(again), areas(dataset));
    }
    const crowds = { coco: /^$/, voc: /13 crowd boxes are marked difficult/, yolo: /13 crowd boxes are left out/ };
    assert.match(notes.join('\n'), crowds[format]);
  });

  test(`Names that need care, two pictures of one name, and a picture without boxes survive ${format}`, async (t) => {
    const root = await temporaryFolder(t);
    const names = ['<&> "cat"', 'yes', 'Ümlaut: x', '# no'].sort();
    const row = (file: string, i: number) => `${file},${i},1,${i + 5.25},9,"${names[i].replaceAll('"', '""')}"`;
    const files = ['one/a.jpg', 'two/a.jpg', 'b & c.jpg', 'd.jpg'];
    await writeFiles(root, { 'in/boxes.csv': `path,x1,y1,x2,y2,label\n${files.map(row).join('\n')}\ne.jpg,,,,,\n` });
    for (const file of [...files, 'e.jpg']) await writeFiles(root, { [`in/${file}`]: await plainJpeg() });
    const dataset = await openDataset(`${root}/in`);
    await writeDataset(dataset, `${root}/out`, { format });
    const again = await openDataset(`${root}/out`);
    assert.deepEqual(again.classes, names);
    const boxes = (of: Dataset) =>
      of.images
        .map(({ objects }) =>
          objects.map(({ box, label }) => [label, ...box.map((side) => Math.round(side * 1e5) / 1e5)]),
        )
        .sort();
    assert.deepEqual(boxes(again), boxes(dataset));
    assert.deepEqual(
      contentOf(again).map(({ name }) => name),
      ['a-2.jpg', 'a.jpg', 'b & c.jpg', 'd.jpg', 'e.jpg'],
    );
  });
}

test('Nothing is overwritten, and nothing half-written is left', async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, {
    'in/boxes.csv': 'path,x1,y1,x2,y2,label\na.jpg,1,1,5,5,cat\n',
    'in/a.jpg': await plainJpeg(),
    'out/mine.txt': 'kept',
  });
  const dataset = await openDataset(`${root}/in`);
  const write = (changed: Dataset, folder = 'out', signal?: AbortSignal) =>
    writeDataset(changed, `${root}/${folder}`, { format: 'coco', signal });
  await assert.rejects(write(dataset), {
    code: 'io',
    message: /out: the folder is not empty, and nothing is overwritten/,
  });
  await assert.rejects(write(dataset, 'in/a.jpg'), { code: 'io' });
  const [image] = dataset.images;
  const gone = { ...dataset, images: [image, { ...image, path: `${root}/in/gone.jpg` }] };
  await assert.rejects(write(gone, 'new'), { code: 'io', message: /cannot write .*new/ });
  await assert.rejects(write(dataset, 'new', AbortSignal.abort()), { code: 'aborted' });
  assert.deepEqual((await readdir(root)).sort(), ['in', 'out']);
  assert.equal(await readFile(`${root}/out/mine.txt`, 'utf8'), 'kept');
  await write(dataset, 'new');
  assert.ok(existsSync(`${root}/new/images/a.jpg`));
});
