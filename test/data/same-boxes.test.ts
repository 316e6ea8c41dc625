import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Dataset, findDataset, type OpenOptions, openDataset } from '../../src/data/index.js';
import { needs, shared } from '../shared.js';
import { temporaryFolder } from '../temporary-folder.js';
import { writeFiles } from './folders.js';

const folder = 'data/voc2012-100';
const root = shared(folder) as string;
const pictures = `${root}/JPEGImages`;

/** What must be equal: every picture's size and boxes with their class names, boxes in pixels. */
function boxesOf({ images, classes }: Dataset): Map<string, { size: string; boxes: [string, ...number[]][] }> {
  const entries = images.map(({ name, width, height, objects }) => {
    const boxes = objects.map(({ box, label }): [string, ...number[]] => [classes[label], ...box]);
    boxes.sort(
      (a, b) =>
        a[0].localeCompare(b[0]) ||
        Number(a[1]) - Number(b[1]) ||
        Number(a[2]) - Number(b[2]) ||
        Number(a[3]) - Number(b[3]),
    );
    return [name.replace(/^.*\//, ''), { size: `${width}×${height}`, boxes }] as const;
  });
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function requireSame(found: Dataset, expected: Dataset, tolerance: number): void {
  const [a, b] = [boxesOf(found), boxesOf(expected)];
  assert.deepEqual([...a.keys()], [...b.keys()]);
  let count = 0;
  for (const [name, { size, boxes }] of b) {
    assert.equal(a.get(name)?.size, size, name);
    assert.deepEqual(
      a.get(name)?.boxes.map(([label]) => label),
      boxes.map(([label]) => label),
      name,
    );
    boxes.forEach(([, ...sides], i) => {
      const own = a.get(name)?.boxes[i].slice(1) as number[];
      sides.forEach((side, at) => {
        assert.ok(Math.abs(own[at] - (side as number)) <= tolerance, `${name}, box ${i}: ${own} is not ${sides}`);
      });
      count++;
    });
  }
  assert.equal(count, 273);
}

/** The pictures with their boxes as whole numbers, from which the other formats are made. */
async function truth() {
  const dataset = await openDataset(root, { firstPixel: 0 });
  const { images, classes } = dataset;
  const rows = images.flatMap(({ name, objects, width, height }) =>
    objects.map(({ box, label }) => ({ name, box, label: classes[label], width, height })),
  );
  return { dataset, rows, classes };
}

const stored: readonly { what: string; path: string; options?: OpenOptions; tolerance?: number }[] = [
  { what: 'COCO of the first kind', path: 'labels/coco_format_v1/instances_default.json' },
  { what: 'COCO of the second kind', path: 'labels/coco_format_v2/instances_v2.json' },
  // Six decimals of at most 500 pixels.
  { what: 'YOLO with Darknet lists', path: 'labels/yolo_format', tolerance: 5e-4 },
  { what: 'LabelMe', path: 'labels/labelme_format' },
];

for (const { what, path, options, tolerance = 0 } of stored) {
  test(`${what}: the same boxes as Pascal VOC`, needs(folder), async () => {
    const { dataset } = await truth();
    requireSame(await openDataset(`${root}/${path}`, { pictures, ...options }), dataset, tolerance);
  });
}

test('CSV in five dialects: the same boxes as Pascal VOC', needs(folder), async (t) => {
  const { dataset, rows } = await truth();
  const place = await temporaryFolder(t);
  const shares = ({ box: [x1, y1, x2, y2], width: w, height: h }: (typeof rows)[number]) => [
    x1 / w,
    y1 / h,
    x2 / w,
    y2 / h,
  ];
  const corners = (row: (typeof rows)[number]) => {
    const [x1, y1, x2, y2] = shares(row);
    return [x1, y1, x2, y1, x2, y2, x1, y2];
  };
  const dialects: Record<string, string[]> = {
    'plain.csv': rows.map(({ name, box, label }) => `${name},${box.join(',')},${label}`),
    'tensorflow.csv': [
      'filename,width,height,class,xmin,ymin,xmax,ymax',
      ...rows.map(({ name, box, label, width, height }) => `${name},${width},${height},${label},${box.join(',')}`),
    ],
    'semicolons.csv': [
      '"Image Path";"Label";"left";"top";"w";"h"',
      ...rows.map(
        ({ name, label, box: [x1, y1, x2, y2] }) => `"some/where/${name}";"${label}";${x1};${y1};${x2 - x1};${y2 - y1}`,
      ),
    ],
    'automl.csv': rows.map((row) => `UNASSIGNED,gs://bucket/${row.name},${row.label},${corners(row).join(',')}`),
    'openimages.csv': [
      'ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded',
      ...rows.map((row) => {
        const [x1, y1, x2, y2] = shares(row);
        return `${row.name.replace('.jpg', '')},x,${row.label},1,${x1},${x2},${y1},${y2},0`;
      }),
    ],
  };
  for (const [name, lines] of Object.entries(dialects)) {
    await writeFiles(place, { [name]: `${lines.join('\r\n')}\r\n` });
    const found = await openDataset(`${place}/${name}`, { pictures });
    const withNames =
      name === 'openimages.csv'
        ? { ...found, images: found.images.map((image) => ({ ...image, name: `${image.name}.jpg` })) }
        : found;
    requireSame(withNames, dataset, 1e-9);
    assert.equal(found.format, 'csv');
  }
});

test('CreateML: the same boxes as Pascal VOC', needs(folder), async (t) => {
  const { dataset } = await truth();
  const place = await temporaryFolder(t);
  const list = dataset.images.map(({ name, objects }) => ({
    image: name,
    annotations: objects.map(({ box: [x1, y1, x2, y2], label }) => ({
      label: dataset.classes[label],
      coordinates: { x: (x1 + x2) / 2, y: (y1 + y2) / 2, width: x2 - x1, height: y2 - y1 },
    })),
  }));
  await writeFiles(place, { '_annotations.createml.json': JSON.stringify(list) });
  for (const path of [place, `${place}/_annotations.createml.json`])
    requireSame(await openDataset(path, { pictures }), dataset, 0);
});

test('Text list in both orders, apart by commas or blanks: the same boxes as Pascal VOC', needs(folder), async (t) => {
  const { dataset, classes } = await truth();
  const place = await temporaryFolder(t);
  const list = (order: readonly number[], separator: string, name: (label: number) => string | number) =>
    dataset.images
      .map((image) => {
        const boxes = image.objects.map(({ box, label }) => [...order.map((i) => box[i]), name(label)].join(separator));
        return [image.name, ...boxes].join(' ');
      })
      .join('\n');
  await writeFiles(place, {
    'readme/list.txt': list([0, 1, 2, 3], ',', (label) => classes[label]),
    'code/list.txt': list([1, 0, 3, 2], ',', (label) => label + 1),
    'code/classes.txt': ['background', ...classes].join('\n'),
    'blanks/list.txt': list([0, 1, 2, 3], ' ', (label) => classes[label]),
  });
  requireSame(await openDataset(`${place}/readme`, { pictures }), dataset, 0);
  requireSame(await openDataset(`${place}/readme/list.txt`, { pictures }), dataset, 0);
  requireSame(await openDataset(`${place}/code`, { pictures, boxOrder: 'yxyx' }), dataset, 0);
  requireSame(await openDataset(`${place}/blanks`, { pictures }), dataset, 0);
});

test('What was recognised is said, and --format overrules it', needs(folder), async () => {
  const { format, note } = await findDataset(root);
  assert.equal(format, 'voc');
  assert.match(note, /^recognised as voc: Annotations\/\*\.xml/);
  await assert.rejects(findDataset(root, 'yolo'), { code: 'data', message: /no annotations of format 'yolo' found/ });
  const dataset = await openDataset(`${root}/labels/yolo_format`, { pictures, format: 'darknet', part: 'train' });
  assert.match(dataset.note as string, /^read as darknet: obj\.data/);
});
