import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { BoxwrightError } from '../../src/errors.js';
import { exportOnnx } from '../../src/export/export-onnx.js';
import { cachePlace } from '../../src/hub/cache.js';
import { type Card, cards, type PullProgress } from '../../src/hub/index.js';
import { Detector } from '../../src/predict/detector.js';
import { openModel } from '../../src/predict/model-source.js';
import { writeMindspore } from '../../src/weights/formats/mindspore-writer.js';
import { cardFor, cardMarkdown, ownCache, sendFile, serve } from '../hub/file-server.js';
import { temporaryFolder } from '../temporary-folder.js';
import { assertSameDetections, pixels, tinyCheckpoint, tinyClasses, tinyModelFile } from './tiny-detector.js';

/** A tiny detector's file behind a card, and a cache of the test's own. */
async function scene(t: TestContext, more: Partial<Card> = { model: 'refinedet-tiny-64', classes: tinyClasses }) {
  const model = await tinyModelFile(t);
  const content = await readFile(model);
  const server = await serve(t, (request, response) => sendFile(request, response, content));
  const cache = await ownCache(t);
  return { model, server, cache, card: cardFor(`${server.url}/tiny.safetensors`, content, more) };
}

const picture = pixels(70, 50);

async function detections(source: Parameters<typeof Detector.load>[0]) {
  await using detector = await Detector.load(source, { minScore: 0 });
  return (await detector.detect(picture)).detections;
}

test('a card detects what its file does; it is downloaded once, with progress', async (t) => {
  const { model, server, card } = await scene(t);
  const steps: PullProgress[] = [];
  await using detector = await Detector.load(card, { minScore: 0, onProgress: (step) => steps.push(step) });
  assert.deepEqual([detector.model, detector.classes], ['refinedet-tiny-64', tinyClasses]);
  assert.equal(steps.at(-1)?.kind, 'done');
  const expected = await detections(model);
  assert.ok(expected.length > 0);
  assertSameDetections((await detector.detect(picture)).detections, expected, 70);
  assertSameDetections(await detections(card), expected, 70);
  assert.equal(server.requests.length, 1);
});

test("a card's file is a MindSpore checkpoint like the published ones", async (t) => {
  const cache = await ownCache(t);
  const { model, classes, parameters } = tinyCheckpoint();
  const path = join(cache, 'tiny.ckpt');
  await writeMindspore(path, new Map([...parameters].map(([name, tensor]) => [`network.${name}`, tensor])));
  const content = await readFile(path);
  const server = await serve(t, (request, response) => sendFile(request, response, content));
  const found = await detections(cardFor(`${server.url}/tiny.ckpt`, content, { model, classes }));
  assertSameDetections(found, await detections(await tinyModelFile(t)), 70);
});

test('a card exports', async (t) => {
  const { model, card, cache } = await scene(t);
  const path = join(cache, 'out.onnx');
  const report = await exportOnnx(card, path);
  assert.deepEqual([report.model, report.classes], ['refinedet-tiny-64', tinyClasses]);
  assertSameDetections(await detections(path), await detections(model), 70);
});

test('a card whose network is not known says where its file is', async (t) => {
  const { card, cache } = await scene(t, {});
  const path = join(cache, 'unknown.md');
  await writeFile(path, cardMarkdown(card));
  for (const source of [path, pathToFileURL(path), card]) {
    await assert.rejects(Detector.load(source), (error) => {
      assert.ok(error instanceof BoxwrightError && error.code === 'model', String(error));
      assert.match(error.message, /names no model that boxwright has.*tiny\.safetensors/);
      return true;
    });
  }
});

test('a card whose file is of another model is refused', async (t) => {
  const { card } = await scene(t, { model: 'refinedet-tiny-64', classes: ['one', 'two'] });
  await assert.rejects(Detector.load(card), { name: 'BoxwrightError', code: 'weights' });
});

test('names are those of cards, unless a file or folder has that name', async (t) => {
  const { cache } = await scene(t);
  for (const card of cards()) {
    const { folder, file } = cachePlace(cache, card);
    await mkdir(folder, { recursive: true });
    await writeFile(file, 'another file');
    await assert.rejects(Detector.load(card.name), (error) => {
      assert.ok(error instanceof BoxwrightError && error.code === 'weights', String(error));
      assert.ok(error.message.includes(file) && error.message.includes(card.asset.sha256));
      return true;
    });
  }
  const here = process.cwd();
  process.chdir(await temporaryFolder(t));
  t.after(() => process.chdir(here));
  await mkdir('refinedet_coco2017');
  await assert.rejects(Detector.load('refinedet_coco2017'), { code: 'io', message: /the folder has neither/ });
});

test('a name that is nearly a card is told of', async () => {
  await assert.rejects(Detector.load('refinedet_coco2071'), {
    code: 'io',
    message: /Did you mean the card refinedet_coco2017\?/,
  });
});

test('the signal ends the download of a card', async (t) => {
  const { card } = await scene(t);
  await assert.rejects(openModel(card, { signal: AbortSignal.abort() }), { code: 'aborted' });
});
