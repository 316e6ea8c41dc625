// Weights of other projects, in their own formats, through `Detector.load` and the command line.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Tensor } from '../../src/graph/tensor.js';
import { Detector, type LoadOptions } from '../../src/predict/detector.js';
import { readSafetensors, writeSafetensors } from '../../src/weights/formats/safetensors.js';
import { cascadeRcnnDetectron2 } from '../../src/weights/loading/maps/cascade-rcnn-detectron2.js';
import { cascadeRcnnMmdetection } from '../../src/weights/loading/maps/cascade-rcnn-mmdetection.js';
import { type NameMap, sourceName } from '../../src/weights/loading/maps/name-map.js';
import { runCli } from '../cli/run-cli.js';
import { temporaryFolder } from '../temporary-folder.js';
import { detectron2File, pytorchFile } from '../weights/torch-writer.js';
import { pixels, png, tinyCheckpoint, tinyClasses, tinyModelFile } from './tiny-detector.js';

const model = 'cascade-rcnn-tiny';
const checkpoint = tinyCheckpoint(model);
const picture = pixels(150, 100);

/** The tiny cascade's weights under another project's names. */
function named(map: NameMap): Map<string, Tensor> {
  return new Map([...checkpoint.parameters].map(([name, tensor]) => [sourceName(map, name)!, tensor]));
}

async function fileOf(t: TestContext, name: string, parts: readonly Uint8Array[]): Promise<string> {
  const path = join(await temporaryFolder(t), name);
  await writeFile(path, parts);
  return path;
}

async function detections(path: string, options: LoadOptions = {}) {
  await using detector = await Detector.load(path, { minScore: 0.05, ...options });
  return { note: detector.note, ...(await detector.detect(picture)) };
}

for (const format of ['zip', 'legacy'] as const) {
  test(`mmdetection's names in PyTorch's ${format} format detect what our checkpoint does`, async (t) => {
    const parts = pytorchFile(format, named(cascadeRcnnMmdetection), { wrapper: 'state_dict' });
    const path = await fileOf(t, 'epoch_12.pth', parts);
    const { note, ...found } = await detections(path, { model, classes: tinyClasses });
    const { note: none, ...own } = await detections(await tinyModelFile(t, checkpoint));
    assert.ok(own.detections.length > 0);
    assert.deepEqual(found.detections, own.detections);
    assert.equal(none, undefined);
    assert.match(note!, /^106 parameters from .*epoch_12\.pth \(mmdetection's Cascade R-CNN\)\.$/);
  });
}

test("detectron2's pickle goes into the published model with other pixels and deviations", async (t) => {
  const path = await fileOf(t, 'model_final.pkl', detectron2File(named(cascadeRcnnDetectron2)));
  const { note, detections: found } = await detections(path, { model, classes: tinyClasses });
  assert.ok(found.length > 0);
  assert.match(
    note!,
    /106 parameters from .*model_final\.pkl \(detectron2's Cascade R-CNN\); .*standard deviations; .*BGR to RGB/,
  );
});

test('the command line takes such files, says what they were taken for, and needs what they do not say', async (t) => {
  const folder = await temporaryFolder(t);
  const path = await fileOf(
    t,
    'epoch_12.pth',
    pytorchFile('zip', named(cascadeRcnnMmdetection), { wrapper: 'state_dict' }),
  );
  const [photo, onnx, back] = ['photo.png', 'tiny.onnx', 'tiny.safetensors'].map((name) => join(folder, name));
  await writeFile(photo, await png(150, 100));
  const unnamed = await runCli('detect', path, photo);
  assert.equal(unnamed.code, 1);
  assert.match(
    unnamed.stderr,
    /epoch_12\.pth: fits no model as a whole\. To see why, name the model that it was made for/,
  );
  const choice = ['--model', model, '--classes', tinyClasses.join(',')];
  const found = await runCli('detect', path, photo, '--json', '--min-score', '0.05', ...choice);
  assert.equal(found.code, 0, found.stderr);
  assert.match(found.stderr, /106 parameters from .*mmdetection's Cascade R-CNN/);
  const own = await runCli('detect', await tinyModelFile(t, checkpoint), photo, '--json', '--min-score', '0.05');
  assert.equal(found.stdout, own.stdout);

  const exported = await runCli('export', path, onnx, ...choice);
  assert.equal(exported.code, 0, exported.stderr);
  await using detector = await Detector.load(onnx);
  assert.deepEqual([detector.model, detector.classes], [model, tinyClasses]);
  await assert.rejects(Detector.load(onnx, { model }), { code: 'config', message: /says itself which/ });

  const converted = await runCli('convert', path, back, ...choice, '--json');
  assert.equal(converted.code, 0, converted.stderr);
  const { note, ...written } = JSON.parse(converted.stdout);
  assert.deepEqual(written, { kind: 'weights', path: back, model, classes: tinyClasses, tensors: 106 });
  assert.match(note, /106 parameters from .*mmdetection's Cascade R-CNN/);
  const { tensors } = await readSafetensors(back);
  for (const [name, tensor] of checkpoint.parameters) assert.deepEqual(tensors.get(name), tensor, name);
});

test('a checkpoint without our metadata needs a model where several fit', async (t) => {
  const path = join(await temporaryFolder(t), 'bare.safetensors');
  await writeSafetensors(path, checkpoint.parameters);
  const { detections: found } = await detections(path, { classes: tinyClasses });
  assert.ok(found.length > 0, 'one model fits');
  await assert.rejects(Detector.load(path), { code: 'config', message: /does not name its classes, which are 3/ });
});
