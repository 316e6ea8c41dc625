import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { BoxwrightError } from '../../src/errors.js';
import { type ExportOptions, exportOnnx } from '../../src/export/export-onnx.js';
import { readOnnx } from '../../src/graph/onnx/read.js';
import { Detector } from '../../src/predict/detector.js';
import { version } from '../../src/version.js';
import { assertSameDetections, pixels, tinyCheckpoint, tinyClasses, tinyModelFile } from '../predict/tiny-detector.js';
import { temporaryFolder } from '../temporary-folder.js';

const fails = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof BoxwrightError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
};

async function exported(t: TestContext, options: ExportOptions = {}) {
  const source = await tinyModelFile(t);
  const path = join(await temporaryFolder(t), 'tiny.onnx');
  return { source, path, report: await exportOnnx(source, path, options) };
}

for (const fold of [true, false]) {
  test(`an exported file ${fold ? 'with folded batch norm ' : ''}detects what its checkpoint does`, async (t) => {
    const { source, path, report } = await exported(t, { fold });
    assert.deepEqual([report.model, report.classes], ['refinedet-tiny-64', tinyClasses]);
    assert.equal(report.folded > 10, fold, `${report.folded} norms were folded`);
    const { nodes, opsets } = readOnnx(await readFile(path), path);
    assert.deepEqual(Object.keys(opsets), [''], 'operators of ONNX itself only');
    assert.equal(
      nodes.some(({ type }) => type === 'BatchNormalization'),
      !fold,
    );
    await using original = await Detector.load(source, { minScore: 0 });
    await using copy = await Detector.load(path, { minScore: 0 });
    assert.deepEqual(copy.classes, tinyClasses);
    for (const [width, height] of [
      [64, 64],
      [200, 120],
      [33, 97],
    ]) {
      const expected = await original.detect(pixels(width, height));
      assert.ok(expected.detections.length > 5);
      const found = await copy.detect(pixels(width, height));
      assertSameDetections(found.detections, expected.detections, Math.max(width, height));
    }
  });
}

test('the file says what it is, what goes in and what comes out', async (t) => {
  const { path, report } = await exported(t, { scoreThreshold: 0.2, nmsThreshold: 0.6 });
  const { metadata, inputs, outputs, producer } = readOnnx(await readFile(path), path);
  assert.equal(producer, 'boxwright');
  assert.equal(report.bytes, (await readFile(path)).length);
  assert.deepEqual(metadata, {
    format: 'boxwright',
    boxwright_version: version,
    model: 'refinedet-tiny-64',
    classes: JSON.stringify(tinyClasses),
    network_size: '64',
    score_threshold: '0.2',
    nms_threshold: '0.6',
  });
  assert.deepEqual(
    inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    [{ name: 'images', dtype: 'uint8', shape: ['batch', 'height', 'width', 3] }],
  );
  assert.deepEqual(
    outputs.map(({ name }) => name),
    ['boxes', 'scores', 'labels', 'pictures'],
  );
  for (const { name, doc } of [...inputs, ...outputs]) assert.ok(doc.length > 10, `${name} is documented`);
  await using detector = await Detector.load(path, { minScore: 0 });
  const { detections } = await detector.detect(pixels(64, 64));
  assert.ok(detections.length > 0);
  for (const { score } of detections) assert.ok(score > 0.2);
});

test('weights may lie in a file of their own', async (t) => {
  const { source, path, report } = await exported(t, { externalData: true });
  assert.equal(report.external, `${path}.data`);
  assert.ok((await readFile(path)).length < (await readFile(report.external!)).length);
  await using original = await Detector.load(source, { minScore: 0 });
  await using copy = await Detector.load(path, { minScore: 0 });
  const expected = await original.detect(pixels(80, 60));
  assertSameDetections((await copy.detect(pixels(80, 60))).detections, expected.detections, 80);
  await rename(report.external!, `${path}.elsewhere`);
  await assert.rejects(
    Detector.load(path),
    fails('io', /its weights are in .*tiny\.onnx\.data.*keep the two files together/),
  );
});

test('nothing is overwritten without force, and nothing half-written is left behind', async (t) => {
  const source = await tinyModelFile(t);
  const folder = await temporaryFolder(t);
  const path = join(folder, 'tiny.onnx');
  await writeFile(path, 'precious');
  await assert.rejects(exportOnnx(source, path), fails('io', /exists already.*--force/));
  assert.equal(await readFile(path, 'utf8'), 'precious');
  await exportOnnx(source, path, { force: true });
  assert.ok((await readFile(path)).length > 100_000);
  await assert.rejects(exportOnnx(source, join(folder, 'tiny.pt')), fails('config', /must end in \.onnx/));
  await assert.rejects(exportOnnx(source, join(folder, 'no', 'tiny.onnx')), fails('io', /folder does not exist/));
  await assert.rejects(exportOnnx(path, join(folder, 'again.onnx')), fails('config', /exported already/));
  await assert.rejects(
    exportOnnx(source, join(folder, 'x.onnx'), { scoreThreshold: 2 }),
    fails('config', /score threshold is 2/),
  );
  await assert.rejects(
    exportOnnx(join(folder, 'tin.safetensors'), join(folder, 'x.onnx')),
    fails('io', /no such file/),
  );
  assert.deepEqual(await readdir(folder), ['tiny.onnx']);
  assert.ok(!existsSync(join(folder, 'tiny.onnx.data')));
});

test('an .onnx file of somebody else is told apart', async (t) => {
  const { path } = await exported(t);
  const { metadata } = readOnnx(await readFile(path), path);
  assert.ok(metadata.classes);
  const renamed = join(await temporaryFolder(t), 'other.onnx');
  const bytes = await readFile(path);
  // The key of the metadata entry, which stands in the file as text.
  const at = bytes.lastIndexOf('classes');
  bytes.write('klasses', at);
  await writeFile(renamed, bytes);
  await assert.rejects(Detector.load(renamed), fails('weights', /metadata lack the model and its classes/));
});

test('classes of any spelling survive', async (t) => {
  const names = ['дом', 'a "b"\n', '猫'];
  const source = await tinyModelFile(t, tinyCheckpoint('refinedet-tiny-64', names));
  const path = join(await temporaryFolder(t), 'tiny.onnx');
  await exportOnnx(source, path);
  await using detector = await Detector.load(path);
  assert.deepEqual(detector.classes, names);
});
