import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import sharp from 'sharp';
import { randomStream } from '../../src/data/augment/random.js';
import {
  type Batch,
  BatchLoader,
  type BatchLoaderOptions,
  type DataProblem,
  type Dataset,
  openDataset,
} from '../../src/data/index.js';
import { canvasFor, fitted, type KeepRatioRule } from '../../src/models/canvas.js';
import { paperCascadeRcnn } from '../../src/models/cascade-rcnn/recipes.js';
import { encodeRpnTargets } from '../../src/models/cascade-rcnn/targets.js';
import { temporaryFolder } from '../temporary-folder.js';
import { vocObject, vocXml, writeFiles } from './folders.js';

const rule: KeepRatioRule = { kind: 'keep-ratio', long: 96, short: 64, multiple: 32 };
const fixedRule: KeepRatioRule = { ...rule, fixed: { height: 64, width: 96 } };

/** Landscape, upright, square, larger than the long side, extreme ratios, single pixels: [width, height]. */
const sizes = [
  ...[
    [40, 30],
    [30, 40],
    [40, 30],
    [41, 30],
    [30, 42],
    [40, 30],
    [30, 41],
    [33, 33],
  ],
  ...[
    [300, 200],
    [1, 1000],
    [1000, 1],
    [1, 1],
    [2, 3],
    [44, 30],
    [40, 29],
  ],
];

/** A picture each of the sizes, with a box that is all of it and, where there is room, one in its middle. */
async function mixed(root: string, wanted = sizes): Promise<Dataset> {
  for (const [i, [width, height]] of wanted.entries()) {
    // The format counts from 1.
    const whole = vocObject('dog', [1, 1, width + 1, height + 1]);
    const middle = width > 20 && height > 20 ? [vocObject('cat', [10, 8, width - 8, height - 9])] : [];
    const data = Uint8Array.from({ length: width * height * 3 }, (_, at) => 1 + ((at * (i + 3)) % 255));
    const picture = await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
    const name = String(i).padStart(2, '0');
    const xml = vocXml([whole, ...middle], { width, height });
    await writeFiles(root, { [`${name}.xml`]: xml, [`${name}.png`]: picture });
  }
  return openDataset(root);
}

async function withLoader<T>(options: BatchLoaderOptions, use: (loader: BatchLoader) => Promise<T>): Promise<T> {
  const loader = new BatchLoader(options);
  try {
    return await use(loader);
  } finally {
    await loader.dispose();
  }
}

/** What a batch holds, as a line that two equal batches share. */
function digest({ images, boxes, labels, frames, sourceSizes, targets, files, canvas, replaced }: Batch): string {
  const hash = createHash('sha256').update(images);
  for (const { buffer } of [boxes, labels, frames, sourceSizes]) hash.update(new Uint8Array(buffer));
  for (const name of Object.keys(targets).sort()) hash.update(name).update(new Uint8Array(targets[name].data.buffer));
  return `${canvas.width}×${canvas.height} ${files.join()} ${replaced.join()} ${hash.digest('hex')}`;
}

async function digests(options: BatchLoaderOptions, epochs = 2): Promise<string[]> {
  return withLoader(options, async (loader) => {
    const all: string[] = [];
    for (let epoch = 0; epoch < epochs; epoch++) {
      for await (const batch of loader.epoch(epoch)) {
        all.push(digest(batch));
        batch.release();
      }
    }
    return all;
  });
}

const { targets } = paperCascadeRcnn('resnet18', 2);
const augmentation = {
  crop: { modes: ['whole', 'free'], condition: 'any', tries: 5, afterTries: 'whole' },
  flip: true,
} as const;

test('Batches of canvases are the same whatever the workers and the place an epoch is entered', async (t) => {
  const dataset = await mixed(await temporaryFolder(t));
  const options: BatchLoaderOptions = { dataset, batchSize: 2, resize: rule, seed: 4, augmentation, targets };
  const expected = await digests({ ...options, workers: 0 });
  assert.equal(new Set(expected).size, expected.length);
  assert.ok(new Set(expected.map((line) => line.split(' ')[0])).size === 3, 'three canvases take part');
  assert.deepEqual(await digests({ ...options, workers: 1 }), expected);
  assert.deepEqual(await digests({ ...options, workers: 2, prefetch: 4 }), expected);
  assert.notDeepEqual(await digests({ ...options, seed: 5, workers: 0 }), expected);
  await withLoader({ ...options, workers: 2 }, async (loader) => {
    const perEpoch = loader.batchesPerEpoch;
    assert.equal(expected.length, 2 * perEpoch);
    for (const start of [1, perEpoch - 1]) {
      const resumed: string[] = [];
      for await (const batch of loader.epoch(1, start)) {
        assert.equal(batch.index, start + resumed.length);
        resumed.push(digest(batch));
        batch.release();
      }
      assert.deepEqual(resumed, expected.slice(perEpoch + start));
    }
  });
});

test('Every picture is handed out once, on the smallest canvas that contains it, and the rest is zero', async (t) => {
  const dataset = await mixed(await temporaryFolder(t));
  const options: BatchLoaderOptions = { dataset, batchSize: 4, resize: rule, shuffle: false, workers: 1, targets };
  await withLoader(options, async (loader) => {
    assert.ok(loader.canvases.length > 1 && loader.canvases.length <= 3);
    const seen: number[] = [];
    // Twice, so that arrays are filled again.
    for (const epoch of [0, 1]) {
      let batches = 0;
      let full = true;
      for await (const batch of loader.epoch(epoch)) {
        checkBatch(batch, dataset, loader.canvases);
        assert.ok(full || batch.count < 4, 'what is left comes last');
        full = batch.count === 4;
        seen.push(...batch.pictures);
        batches++;
        batch.release();
      }
      assert.equal(batches, loader.batchesPerEpoch);
    }
    const all = [...sizes.keys()];
    assert.deepEqual(
      seen.slice(0, all.length).sort((a, b) => a - b),
      all,
    );
    assert.deepEqual(seen.slice(all.length), seen.slice(0, all.length));
  });
});

function checkBatch(batch: Batch, dataset: Dataset, canvases: BatchLoader['canvases']): void {
  const { canvas, images, frames, boxes, labels, count, pictures } = batch;
  const stride = canvas.width * 3;
  const part = canvas.height * stride;
  const places = batch.sourceSizes.length / 2;
  const most = labels.length / places;
  assert.deepEqual(
    batch.replaced,
    pictures.map(() => false),
  );
  for (let i = 0; i < count; i++) {
    const { width, height, name } = dataset.images[pictures[i]];
    assert.deepEqual(canvas, canvases[canvasFor(rule, canvases, { width, height })], name);
    const frame = fitted(rule, width, height);
    const row = [frame.height, frame.width, frame.height / height, frame.width / width];
    assert.deepEqual([...frames.subarray(i * 4, i * 4 + 4)], row.map(Math.fround), name);
    const scaled = (side: number, to: number) => Math.min(Math.fround(side * Math.fround(to / side)), to);
    const whole = [0, 0, scaled(width, frame.width), scaled(height, frame.height)];
    assert.deepEqual([...boxes.subarray(i * most * 4, i * most * 4 + 4)], whole, name);
    assert.equal(labels[i * most], 2);
    const pixels = images.subarray(i * part, (i + 1) * part);
    for (let y = 0; y < canvas.height; y++) {
      const filled = y < frame.height ? frame.width * 3 : 0;
      const line = pixels.subarray(y * stride, (y + 1) * stride);
      assert.ok(
        line.subarray(0, filled).every((value) => value > 0),
        `${name}, row ${y}`,
      );
      assert.ok(
        line.subarray(filled).every((value) => value === 0),
        `${name}, row ${y}: padding`,
      );
    }
  }
  for (let i = count; i < places; i++) {
    assert.deepEqual([...frames.subarray(i * 4, i * 4 + 4)], [0, 0, 1, 1], 'an empty place');
    assert.ok(images.subarray(i * part).every((value) => value === 0));
    assert.ok(labels.subarray(i * most).every((value) => value === 0));
  }
  const { rpn_anchors } = batch.targets;
  assert.equal(rpn_anchors.shape[0], places);
}

test('In training a canvas with few pictures lends them to the next best, and what is left of one is dropped', async (t) => {
  const wanted = [...Array<number[]>(7).fill([40, 30]), [30, 40]];
  const dataset = await mixed(await temporaryFolder(t), wanted);
  await withLoader({ dataset, batchSize: 3, resize: rule, workers: 0 }, async (loader) => {
    assert.equal(loader.canvases.length, 2);
    assert.equal(loader.batchesPerEpoch, 2);
    const seen = new Set<number>();
    for (let epoch = 0; epoch < 6; epoch++) {
      let count = 0;
      for await (const batch of loader.epoch(epoch)) {
        assert.deepEqual(batch.canvas, { height: 64, width: 96 });
        assert.equal(batch.count, 3);
        count += batch.count;
        for (const [i, picture] of batch.pictures.entries()) {
          seen.add(picture);
          // 30×40 would be 64×85 by the rule alone.
          if (picture === 7) assert.deepEqual([...batch.frames.subarray(i * 4, i * 4 + 2)], [64, 48]);
        }
      }
      assert.equal(count, 6, 'two of eight are left out');
    }
    assert.deepEqual([...seen].sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

test('A broken picture is replaced by one of its canvas, and by any other if its canvas has none', async (t) => {
  const root = await temporaryFolder(t);
  const wanted = [...Array<number[]>(5).fill([40, 30]), ...Array<number[]>(4).fill([30, 40]), [1000, 10]];
  const dataset = await mixed(root, wanted);
  await writeFile(`${root}/06.png`, 'broken');
  await writeFile(`${root}/09.png`, 'broken');
  const problems: DataProblem[] = [];
  const options: BatchLoaderOptions = {
    dataset,
    batchSize: 2,
    resize: rule,
    shuffle: false,
    broken: 'replace',
    onProblem: (problem) => problems.push(problem),
  };
  const expected = await digests({ ...options, workers: 0 });
  assert.deepEqual(problems.map(({ file }) => file).sort(), ['06.png', '09.png']);
  assert.deepEqual(await digests({ ...options, workers: 2 }), expected);
  await withLoader({ ...options, workers: 0 }, async (loader) => {
    assert.equal(loader.canvases.length, 3);
    const replaced: number[] = [];
    const own: number[] = [];
    for await (const batch of loader.epoch(0)) {
      for (const [i, picture] of batch.pictures.entries()) {
        if (!batch.replaced[i]) own.push(picture);
        else replaced.push(picture);
        if (batch.replaced[i] && batch.canvas.height > batch.canvas.width) assert.ok([5, 7, 8].includes(picture));
      }
    }
    assert.equal(replaced.length, 2);
    assert.deepEqual(
      own.sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 7, 8],
    );
  });
});

test('Targets are made on the canvas within the picture, and within a whole fixed canvas', async (t) => {
  const dataset = await mixed(await temporaryFolder(t), [
    [40, 30],
    [300, 300],
    [33, 20],
  ]);
  for (const resize of [rule, fixedRule]) {
    const options: BatchLoaderOptions = { dataset, batchSize: 1, resize, shuffle: false, seed: 9, workers: 0, targets };
    await withLoader(options, async (loader) => {
      for await (const { canvas, boxes, labels, frames, pictures, ...batch } of loader.epoch(2)) {
        const frame = { height: frames[0], width: frames[1] };
        const own = boxes.subarray(0, 4 * labels.filter((label) => label > 0).length);
        const random = randomStream(9, 2, pictures[0]);
        const draw = () => random.uniform(0, 1);
        const expected = encodeRpnTargets(targets, canvas, resize.fixed ?? frame, own, draw);
        for (const [name, { data }] of Object.entries(expected)) assert.deepEqual(batch.targets[name].data, data, name);
      }
    });
  }
});

test('On a fixed canvas batches are the order cut into pieces', async (t) => {
  const dataset = await mixed(await temporaryFolder(t));
  const options: BatchLoaderOptions = { dataset, batchSize: 4, resize: fixedRule, shuffle: false, workers: 0 };
  await withLoader(options, async (loader) => {
    const seen: number[] = [];
    for await (const batch of loader.epoch(0)) {
      assert.deepEqual(batch.canvas, fixedRule.fixed);
      seen.push(...batch.pictures);
    }
    assert.deepEqual(seen, [...sizes.keys()]);
  });
});

test('Canvases may be given; bad ones are errors with the number', async (t) => {
  const dataset = await mixed(await temporaryFolder(t), [
    [40, 30],
    [30, 40],
  ]);
  const make = (more: Partial<BatchLoaderOptions>) => () =>
    new BatchLoader({ dataset, batchSize: 1, resize: rule, workers: 0, ...more });
  const square = { height: 96, width: 96 };
  await withLoader({ dataset, batchSize: 2, resize: rule, canvases: [square], workers: 0 }, async (loader) => {
    for await (const batch of loader.epoch(0)) assert.deepEqual(batch.canvas, square);
  });
  assert.throws(make({ canvases: [{ height: 0, width: 32 }] }), { code: 'config', message: /height is 0/ });
  assert.throws(make({ canvases: [] }), { code: 'config', message: /canvases/ });
  assert.throws(make({ resize: { ...rule, long: 0.5 } }), { code: 'config', message: /long is 0.5/ });
});
