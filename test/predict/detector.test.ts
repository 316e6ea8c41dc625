import assert from 'node:assert/strict';
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { BoxwrightError } from '../../src/errors.js';
import { Detector } from '../../src/predict/detector.js';
import type { PictureDetections } from '../../src/predict/formats/index.js';
import { writeCheckpoint } from '../../src/weights/checkpoint.js';
import { writeSafetensors } from '../../src/weights/formats/safetensors.js';
import { serve } from '../hub/file-server.js';
import { temporaryFolder } from '../temporary-folder.js';
import { pixels, png, tinyCheckpoint, tinyClasses, tinyModelFile } from './tiny-detector.js';

const all = { minScore: 0 };
const fails = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof BoxwrightError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
};

test('every way to give a picture gives the same detections', async (t) => {
  const path = await tinyModelFile(t);
  await using detector = await Detector.load(path);
  const folder = await temporaryFolder(t);
  const file = join(folder, 'picture.png');
  const raw = pixels(90, 70);
  await writeFile(file, await png(90, 70));
  const expected = await detector.detect(file, all);
  assert.equal(expected.source, file);
  assert.deepEqual([expected.width, expected.height], [90, 70]);
  assert.ok(expected.detections.length > 5, `${expected.detections.length} detections`);
  const rgba = await sharp(file).ensureAlpha().raw().toBuffer();
  const inputs = [
    pathToFileURL(file),
    await readFile(file),
    new Uint8Array(await readFile(file)),
    raw,
    { data: new Uint8ClampedArray(rgba), width: 90, height: 70 },
    sharp(file),
  ];
  const found = await detector.detect(inputs, all);
  assert.deepEqual(
    found.map(({ source }) => source),
    [file, 'picture 1', 'picture 2', 'picture 3', 'picture 4', 'picture 5'],
  );
  for (const { detections } of found) assert.deepEqual(detections, expected.detections);
  assert.equal(raw.data.length, 90 * 70 * 3, 'the caller keeps its pixels');
});

test('a picture on the web is downloaded, or refused with what the server said', async (t) => {
  await using detector = await Detector.load(await tinyModelFile(t), all);
  const bytes = await png(90, 70);
  const { url } = await serve(t, ({ url: path }, response) => {
    response.writeHead(path === '/picture.png' ? 200 : 404).end(path === '/picture.png' ? bytes : 'none');
  });
  const found = await detector.detect(new URL('/picture.png', url));
  assert.equal(found.source, `${url}/picture.png`);
  assert.deepEqual(found.detections, (await detector.detect(bytes)).detections);
  await assert.rejects(
    detector.detect(new URL('/other.png', url)),
    fails('data', /other\.png: .* answered 404 Not Found/),
  );
  await assert.rejects(detector.detect(new URL('http://127.0.0.1:1/a.png')), fails('data', /cannot be downloaded/));
  await assert.rejects(detector.detect(`${url}/picture.png`), fails('data', /no such file/));
});

test('grey pixels count as three equal channels', async (t) => {
  await using detector = await Detector.load(await tinyModelFile(t), all);
  const grey = Uint8Array.from({ length: 40 * 30 }, (_, i) => (i * 7) % 256);
  const rgb = Uint8Array.from({ length: 3 * 40 * 30 }, (_, i) => grey[Math.floor(i / 3)]);
  const [one, three] = await detector.detect([
    { data: grey, width: 40, height: 30, channels: 1 },
    { data: rgb, width: 40, height: 30, channels: 3 },
  ]);
  assert.deepEqual(one.detections, three.detections);
});

test('detections are sorted, named, above the score asked for, and in pixels of the source', async (t) => {
  await using detector = await Detector.load(await tinyModelFile(t), { minScore: 0.4 });
  assert.deepEqual([...detector.classes], tinyClasses);
  assert.equal(detector.model, 'refinedet-tiny-64');
  const large = pixels(640, 480);
  const every = await detector.detect(large, all);
  const some = await detector.detect(large);
  assert.ok(some.detections.length > 0 && some.detections.length < every.detections.length);
  assert.deepEqual(
    some.detections,
    every.detections.filter(({ score }) => score >= 0.4),
  );
  every.detections.forEach(({ label, labelIndex, score }, i) => {
    assert.equal(label, tinyClasses[labelIndex]);
    assert.ok(i === 0 || score <= every.detections[i - 1].score);
  });
  assert.ok(
    every.detections.some(({ box }) => box[2] - box[0] > 100),
    'boxes are as large as the picture is',
  );
});

test('batches of equal size give what single pictures give, in their order', async (t) => {
  await using detector = await Detector.load(await tinyModelFile(t), all);
  const sizes = [60, 60, 60, 90, 90, 60, 60];
  const pictures = sizes.map((size, i) => pixels(size, 50, i));
  const single: PictureDetections[] = [];
  for (const picture of pictures) single.push(await detector.detect(picture));
  const batched = [];
  for await (const found of detector.stream(pictures, { batch: 3 })) batched.push(found);
  assert.deepEqual(
    batched.map(({ source, width }) => [source, width]),
    sizes.map((size, i) => [`picture ${i}`, size]),
  );
  batched.forEach(({ detections }, i) => {
    assert.equal(detections.length, single[i].detections.length);
    detections.forEach(({ box, labelIndex, score }, d) => {
      const other = single[i].detections[d];
      assert.equal(labelIndex, other.labelIndex);
      assert.ok(Math.abs(score - other.score) < 1e-5);
      for (let side = 0; side < 4; side++) assert.ok(Math.abs(box[side] - other.box[side]) < 1e-2);
    });
  });
});

test('a stream throws at a broken picture, or reports it in its place', async (t) => {
  await using detector = await Detector.load(await tinyModelFile(t));
  const folder = await temporaryFolder(t);
  const files = ['good.png', 'cut.png', 'text.png', 'missing.png'].map((name) => join(folder, name));
  const whole = await png(300, 200);
  await writeFile(files[0], whole);
  await writeFile(files[1], whole.subarray(0, whole.length / 2));
  await writeFile(files[2], 'this is no picture');
  const seen: string[] = [];
  await assert.rejects(
    async () => {
      for await (const { source } of detector.stream(files)) seen.push(source);
    },
    fails('data', /cut\.png.*cannot be decoded/),
  );
  assert.deepEqual(seen, [files[0]]);
  const results = [];
  for await (const result of detector.stream([...files, files[0]], { broken: 'report', batch: 2 }))
    results.push(result);
  assert.deepEqual(
    results.map(({ source }) => source),
    [...files, files[0]],
  );
  const messages = results.map((result) => ('error' in result ? result.error.message : 'detections'));
  for (const [i, pattern] of [
    /^detections$/,
    /cut\.png/,
    /text\.png.*cannot be decoded/,
    /missing\.png: there is no such file/,
    /^detections$/,
  ].entries()) {
    assert.match(messages[i], pattern);
  }
});

test('a stream keeps only a few pictures in hand', async (t) => {
  await using detector = await Detector.load(await tinyModelFile(t));
  let asked = 0;
  let closed = false;
  async function* endless() {
    try {
      for (;;) yield pixels(32, 32, asked++);
    } finally {
      closed = true;
    }
  }
  let seen = 0;
  for await (const _ of detector.stream(endless())) if (++seen === 20) break;
  assert.ok(asked < 30, `${asked} pictures were read for 20 results`);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(closed, 'the source was closed');
});

test('a source that waits does not hold back what is there', async (t) => {
  await using detector = await Detector.load(await tinyModelFile(t));
  let next = () => {};
  async function* camera() {
    yield pixels(32, 32);
    await new Promise<void>((resolve) => {
      next = resolve;
    });
    yield pixels(32, 32);
  }
  const stream = detector.stream(camera());
  assert.equal((await stream.next()).value?.source, 'picture 0'); // would hang if it waited for the second
  next();
  assert.equal((await stream.next()).value?.source, 'picture 1');
  assert.equal((await stream.next()).done, true);
});

test('a signal stops a stream at once, even while its source waits', async (t) => {
  await using detector = await Detector.load(await tinyModelFile(t));
  async function* stuck() {
    yield pixels(32, 32);
    await new Promise(() => {});
  }
  const abort = new AbortController();
  const stream = detector.stream(stuck(), { signal: abort.signal });
  await stream.next();
  setTimeout(() => abort.abort(), 20);
  await assert.rejects(stream.next(), fails('aborted', /stopped/));
  await assert.rejects(detector.detect(pixels(8, 8), { signal: AbortSignal.abort() }), fails('aborted', /stopped/));
  assert.equal((await detector.detect(pixels(8, 8))).width, 8, 'the detector itself goes on');
});

test('raw pixels that do not fit are refused with what was expected', async (t) => {
  await using detector = await Detector.load(await tinyModelFile(t));
  const data = new Uint8Array(12);
  await assert.rejects(
    detector.detect({ data, width: 2, height: 3, channels: 3 }),
    fails('data', /12 bytes, expected 2 × 3 × 3 = 18/),
  );
  await assert.rejects(detector.detect({ data, width: 0, height: 3 }), fails('data', /0 × 3/));
  await assert.rejects(detector.detect({ data, width: 2, height: 3, channels: 2 as 1 }), fails('data', /2 channels/));
  await assert.rejects(
    detector.detect({ data: new Float32Array(18) as never, width: 2, height: 3, channels: 3 }),
    fails('data', /scale/),
  );
  await assert.rejects(detector.detect(42 as never), fails('data', /number is no picture/));
  await assert.rejects(detector.detect(new URL('ftp://localhost/a.jpg')), fails('data', /file/));
  await assert.rejects(detector.detect(pixels(8, 8), { minScore: 30 }), fails('config', /0 to 1/));
});

test('a run folder gives its best checkpoint, else its last', async (t) => {
  const folder = await temporaryFolder(t);
  await assert.rejects(Detector.load(folder), fails('io', /neither best\.safetensors nor last\.safetensors/));
  await writeCheckpoint(join(folder, 'last.safetensors'), tinyCheckpoint('refinedet-tiny-64', ['last']));
  {
    await using last = await Detector.load(folder);
    assert.deepEqual([...last.classes], ['last']);
    assert.match(last.note!, /was not evaluated yet: its last checkpoint is taken/);
  }
  await writeCheckpoint(join(folder, 'best.safetensors'), tinyCheckpoint('refinedet-tiny-64', ['best']));
  await using best = await Detector.load(pathToFileURL(folder));
  assert.deepEqual([...best.classes], ['best']);
  assert.equal(best.note, undefined);
});

test('moving averages are detected with where the checkpoint has them', async (t) => {
  const averaged = tinyCheckpoint();
  const zero = new Map(
    [...averaged.parameters].map(([name, { shape, data }]) => [
      `average:${name}`,
      { dtype: 'float32', shape, data: name.endsWith('running_var') ? data : new Float32Array(data.length) } as const,
    ]),
  );
  await using detector = await Detector.load(await tinyModelFile(t, { ...averaged, state: zero }), all);
  const { detections } = await detector.detect(pixels(64, 64));
  assert.ok(detections.length > 0);
  // All weights zero: every class as likely as background.
  for (const { score } of detections) assert.ok(Math.abs(score - 1 / (tinyClasses.length + 1)) < 1e-6);
});

test('model files that cannot be used say why', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'cells.safetensors');
  await writeCheckpoint(path, tinyCheckpoint());
  await assert.rejects(
    Detector.load(join(folder, 'cell.safetensors')),
    fails('io', /no such file.*Did you mean .*cells\.safetensors/),
  );
  await assert.rejects(Detector.load(join(folder, 'no', 'cell.safetensors')), fails('io', /there is no folder/));
  await writeFile(join(folder, 'model.pt'), 'torch');
  await assert.rejects(
    Detector.load(join(folder, 'model.pt')),
    fails('weights', /model\.pt: not a file of weights that boxwright reads/),
  );
  await writeFile(join(folder, 'fake.onnx'), 'no protobuf at all');
  await assert.rejects(Detector.load(join(folder, 'fake.onnx')), fails('graph', /fake\.onnx is no ONNX model/));
  const { size } = await import('node:fs/promises').then(({ stat }) => stat(path));
  await truncate(path, Math.floor(size / 2));
  await assert.rejects(Detector.load(path), fails('weights', /cells\.safetensors/));
  await mkdir(join(folder, 'empty'));
  await assert.rejects(Detector.load(join(folder, 'empty')), fails('io', /neither/));
});

test('weights that do not fit the model are named', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'odd.safetensors');
  const { parameters, ...rest } = tinyCheckpoint();
  const [first, second] = parameters.keys();
  const without = new Map(parameters);
  without.delete(first);
  await writeCheckpoint(path, { ...rest, parameters: without });
  await assert.rejects(Detector.load(path), fails('weights', new RegExp(`lacks 1 of.*${first}`)));
  const wrong = new Map(parameters).set(second, { dtype: 'float32', shape: [1], data: new Float32Array(1) });
  await writeCheckpoint(path, { ...rest, parameters: wrong });
  await assert.rejects(Detector.load(path), fails('weights', new RegExp(`"${second}" is float32\\[1\\]`)));
  await writeSafetensors(path, parameters);
  await assert.rejects(
    Detector.load(path),
    fails('weights', /odd\.safetensors: fits refinedet-tiny-320 and refinedet-tiny-512\. Name one of them/),
  );
});

test('a disposed detector says so', async (t) => {
  const detector = await Detector.load(await tinyModelFile(t));
  await detector.warmup();
  await detector.dispose();
  await assert.rejects(detector.detect(pixels(8, 8)), fails('engine', /disposed/));
});
