import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';
import sharp from 'sharp';
import {
  type Batch,
  BatchLoader,
  type BatchLoaderOptions,
  type DataProblem,
  type Dataset,
  decodePicture,
  openDataset,
  paperAugmentation,
  resizeBytes,
} from '../../src/data/index.js';
import { paperTargets, zooTargets } from '../../src/models/refinedet/targets.js';
import { temporaryFolder } from '../temporary-folder.js';
import { plainJpeg, vocObject, vocXml, writeFiles } from './folders.js';

const size = { width: 64, height: 64 };
const resize = { kind: 'stretch', size: 64 } as const;

/** Eleven pictures of different colours, each with one to three boxes. */
async function colours(root: string): Promise<Dataset> {
  for (let i = 0; i < 11; i++) {
    const objects = Array.from({ length: 1 + (i % 3) }, (_, k) =>
      vocObject(k % 2 ? 'cat' : 'dog', [1 + k, 2, 20 + i, 25]),
    );
    const name = String(i).padStart(2, '0');
    const background = { r: i * 20, g: 255 - i * 20, b: 90 };
    const picture = await sharp({ create: { width: 40, height: 30, channels: 3, background } })
      .png()
      .toBuffer();
    await writeFiles(root, { [`${name}.xml`]: vocXml(objects), [`${name}.png`]: picture });
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
function digest({ images, boxes, labels, frames, sourceSizes, targets, files }: Batch): string {
  const hash = createHash('sha256').update(images);
  for (const { buffer } of [boxes, labels, frames, sourceSizes]) hash.update(new Uint8Array(buffer));
  for (const name of Object.keys(targets).sort()) hash.update(name).update(new Uint8Array(targets[name].data.buffer));
  return `${files.join()} ${hash.digest('hex')}`;
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

test('Batches are the same whatever the workers, the prefetch and the place an epoch is entered', async (t) => {
  const dataset = await colours(await temporaryFolder(t));
  const options = {
    dataset,
    batchSize: 3,
    resize,
    seed: 4,
    augmentation: paperAugmentation,
    targets: paperTargets(64),
  };
  const expected = await digests({ ...options, workers: 0 });
  assert.equal(expected.length, 6);
  assert.equal(new Set(expected).size, 6);
  assert.deepEqual(await digests({ ...options, workers: 1 }), expected);
  assert.deepEqual(await digests({ ...options, workers: 3, prefetch: 5 }), expected);
  assert.notDeepEqual(await digests({ ...options, seed: 5, workers: 1 }), expected);
  await withLoader({ ...options, workers: 2 }, async (loader) => {
    const resumed: string[] = [];
    for await (const batch of loader.epoch(1, 1)) resumed.push(digest(batch));
    assert.deepEqual(resumed, expected.slice(4));
    for await (const _ of loader.epoch(1, 3)) assert.fail('an epoch entered at its end is over');
    await assert.rejects(loader.epoch(1, 4).next(), { code: 'config', message: /an epoch has 3 batches/ });
  });
});

test('A validation epoch keeps order and every picture, pads the last batch and tells source sizes', async (t) => {
  const dataset = await colours(await temporaryFolder(t));
  const options = { dataset, batchSize: 4, resize, shuffle: false, workers: 2, targets: zooTargets(64) };
  await withLoader(options, async (loader) => {
    assert.equal(loader.batchesPerEpoch, 3);
    assert.equal(loader.maxBoxes, 3);
    const batches: Batch[] = [];
    for await (const batch of loader.epoch(0)) batches.push(batch);
    assert.deepEqual(
      batches.flatMap(({ pictures }) => pictures),
      dataset.images.map((_, i) => i),
    );
    assert.deepEqual(
      batches.map(({ count }) => count),
      [4, 4, 3],
    );
    const [first, , last] = batches;
    assert.deepEqual([...first.labels], [2, 0, 0, 2, 1, 0, 2, 1, 2, 2, 0, 0]);
    assert.deepEqual(
      [...first.boxes.subarray(0, 8)].map(Math.fround),
      [0, 1 / 30, 19 / 40, 24 / 30, 0, 0, 0, 0].map(Math.fround),
    );
    assert.deepEqual([...last.sourceSizes], [40, 30, 40, 30, 40, 30, 0, 0]);
    const pixels = 64 * 64 * 3;
    assert.ok(last.images.subarray(3 * pixels).every((value) => value === 0));
    assert.ok(last.labels.subarray(9).every((label) => label === 0));
    const { labels, deltas, matched } = last.targets;
    assert.deepEqual([labels.shape[0], deltas.shape.length, deltas.shape[2], matched.shape], [4, 3, 4, [4]]);
    assert.equal(matched.data[3], 0);
    for (let i = 0; i < 3; i++) assert.ok(Number(matched.data[i]) > 0);
    const { path, name } = dataset.images[8];
    const picture = await decodePicture(path, { name });
    const resized = new Uint8Array(pixels);
    resizeBytes(picture.data, 40, { left: 0, top: 0, right: 40, bottom: 30 }, size, resized);
    assert.deepEqual(last.images.subarray(0, pixels), resized);
  });
});

test('Released arrays are used again and kept ones stay as they are', async (t) => {
  const dataset = await colours(await temporaryFolder(t));
  await withLoader({ dataset, batchSize: 3, resize, workers: 1, prefetch: 1 }, async (loader) => {
    const kept: { batch: Batch; digest: string }[] = [];
    for (let epoch = 0; epoch < 3; epoch++) {
      for await (const batch of loader.epoch(epoch)) {
        if (batch.index === 1) kept.push({ batch, digest: digest(batch) });
        else batch.release();
      }
    }
    for (const { batch, digest: before } of kept) assert.equal(digest(batch), before);
  });
});

test('In training a broken picture is replaced, said once, and the batches stay the same', async (t) => {
  const root = await temporaryFolder(t);
  const dataset = await colours(root);
  await writeFile(`${root}/03.png`, 'broken');
  await writeFile(`${root}/07.png`, (await plainJpeg(90, 90)).subarray(0, 300));
  const problems: DataProblem[] = [];
  const options = {
    dataset,
    batchSize: 3,
    resize,
    seed: 1,
    augmentation: paperAugmentation,
    targets: paperTargets(64),
  };
  const expected = await digests({ ...options, workers: 0 }, 3);
  const told = await digests({ ...options, workers: 2, onProblem: (problem) => problems.push(problem) }, 3);
  assert.deepEqual(told, expected);
  assert.ok(!told.some((line) => /03\.png|07\.png/.test(line)));
  assert.deepEqual(problems.map(({ file, action }) => `${file} ${action}`).sort(), [
    '03.png replaced',
    '07.png replaced',
  ]);
  assert.match(problems[0].what, /cannot be decoded/);
  const resumed = await withLoader({ ...options, workers: 1 }, async (loader) => {
    const lines: string[] = [];
    for await (const batch of loader.epoch(2, 1)) lines.push(digest(batch));
    return lines;
  });
  assert.deepEqual(resumed, expected.slice(7));
});

test('In validation a broken picture ends the epoch with its name; so does a data set of broken pictures', async (t) => {
  const root = await temporaryFolder(t);
  const dataset = await colours(root);
  await rm(`${root}/05.png`);
  for (const workers of [0, 2]) {
    await withLoader({ dataset, batchSize: 2, resize, shuffle: false, workers }, async (loader) => {
      let seen = 0;
      const epoch = async () => {
        for await (const batch of loader.epoch(0)) seen += batch.count;
      };
      await assert.rejects(epoch(), { name: 'BoxwrightError', code: 'data', message: /^05\.png: .*cannot be decoded/ });
      assert.equal(seen, 4, 'the batches before it arrive');
    });
  }
  for (const { path } of dataset.images) await writeFile(path, 'broken');
  await withLoader({ dataset, batchSize: 2, resize, workers: 1 }, async (loader) => {
    const message = /pictures cannot be decoded, too many to go on; the first: \d\d\.png/;
    await assert.rejects(loader.epoch(0).next(), { code: 'data', message });
  });
});

test('Leaving an epoch cancels it, disposing ends what waits', async (t) => {
  const dataset = await colours(await temporaryFolder(t));
  const loader = new BatchLoader({ dataset, batchSize: 2, resize, workers: 2 });
  for await (const _ of loader.epoch(0)) break;
  const again = await loader.epoch(1).next();
  assert.equal(again.value?.index, 0);
  const waiting = loader.epoch(2).next();
  await Promise.all([assert.rejects(waiting, { code: 'aborted' }), loader.dispose()]);
  await assert.rejects(loader.epoch(3).next(), { code: 'aborted' });
  await loader[Symbol.asyncDispose]();
});

test('A process that stops halfway through an epoch ends by itself', async (t) => {
  const root = await temporaryFolder(t);
  await colours(root);
  const script = `
    import { BatchLoader, openDataset } from ${JSON.stringify(new URL('../../src/data/index.js', import.meta.url).href)};
    const dataset = await openDataset(${JSON.stringify(root)});
    const loader = new BatchLoader({ dataset, batchSize: 2, resize: { kind: 'stretch', size: 64 }, workers: 2 });
    const { value } = await loader.epoch(0).next();
    console.log(value.count);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    timeout: 20_000,
  });
  assert.equal(stdout, '2\n');
});

test('Difficult objects and crowds are left out unless asked for', async (t) => {
  const root = await temporaryFolder(t);
  const objects = [vocObject('dog', [1, 1, 9, 9], '<difficult>1</difficult>'), vocObject('dog', [5, 5, 20, 20])];
  await writeFiles(root, { 'a.xml': vocXml(objects), 'a.jpg': await plainJpeg() });
  const dataset = await openDataset(root);
  const count = (include: BatchLoaderOptions['include']) =>
    withLoader({ dataset, batchSize: 1, resize, workers: 0, maxBoxes: 4, include }, async (loader) => {
      const { value } = await loader.epoch(0).next();
      return value?.labels.filter((label) => label > 0).length;
    });
  assert.equal(await count(undefined), 1);
  assert.equal(await count({ difficult: true }), 2);
});

test('Pictures without a box are handed out unless they are not wanted', async (t) => {
  const root = await temporaryFolder(t);
  const picture = await plainJpeg();
  const labelled = vocXml([vocObject('dog', [5, 5, 20, 20])]);
  await writeFiles(root, { 'a.xml': vocXml([]), 'a.jpg': picture, 'b.xml': labelled, 'b.jpg': picture });
  const dataset = await openDataset(root);
  const handedOut = (empty?: boolean) =>
    withLoader({ dataset, batchSize: 2, resize, workers: 0, shuffle: false, include: { empty } }, async (loader) => {
      const { value } = await loader.epoch(0).next();
      return [value?.pictures, value?.files];
    });
  assert.deepEqual(await handedOut(), [
    [0, 1],
    ['a.jpg', 'b.jpg'],
  ]);
  assert.deepEqual(await handedOut(false), [[1], ['b.jpg']]);
});

test('Settings that do not fit are errors with both numbers', async (t) => {
  const dataset = await colours(await temporaryFolder(t));
  const make = (more: Partial<BatchLoaderOptions>) => () =>
    new BatchLoader({ dataset, batchSize: 2, resize, workers: 0, ...more });
  assert.throws(make({ batchSize: 12 }), { code: 'config', message: /11 pictures do not fill a batch of 12/ });
  assert.throws(make({ maxBoxes: 2 }), { code: 'config', message: /02\.png: it has 3 boxes, but maxBoxes is 2/ });
  assert.throws(make({ batchSize: 0 }), { code: 'config', message: /batchSize is 0/ });
  assert.throws(make({ workers: -1 }), { code: 'config', message: /workers is -1/ });
  assert.throws(make({ resize: { kind: 'stretch', size: 1.5 } }), { code: 'config', message: /size is 1.5/ });
});
