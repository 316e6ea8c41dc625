import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { exportOnnx } from '../../src/export/export-onnx.js';
import { Detector } from '../../src/predict/detector.js';
import { lowestScores } from '../../src/predict/lowest-scores.js';
import { readCheckpoint, writeCheckpoint } from '../../src/weights/checkpoint.js';
import { writeSafetensors } from '../../src/weights/formats/safetensors.js';
import { runCli } from '../cli/run-cli.js';
import { temporaryFolder } from '../temporary-folder.js';
import { pixels, png, tinyCheckpoint, tinyClasses, tinyModelFile } from './tiny-detector.js';

const scoreThresholds = { [tinyClasses[0]]: 0.45 };

test('a detector keeps of each class what its file suggests, exported too', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'tiny.safetensors');
  await writeCheckpoint(path, { ...tinyCheckpoint(), scoreThresholds });
  assert.deepEqual((await readCheckpoint(path)).scoreThresholds, scoreThresholds);
  const exported = join(folder, 'tiny.onnx');
  await exportOnnx(path, exported);
  for (const file of [path, exported]) {
    await using detector = await Detector.load(file, { minScore: 'suggested' });
    assert.deepEqual(detector.suggestedThresholds, scoreThresholds);
    const { detections } = await detector.detect(pixels(90, 70));
    const { detections: every } = await detector.detect(pixels(90, 70), { minScore: 0 });
    const lowest = (label: string) => (label === tinyClasses[0] ? 0.45 : 0.3);
    const expected = every.filter(({ label, score }) => score >= lowest(label));
    assert.deepEqual(detections, expected);
    assert.ok(expected.length > 0 && expected.length < every.length, `${expected.length} of ${every.length}`);
  }
  const picture = join(folder, 'picture.png');
  await writeFile(picture, await png(90, 70));
  const { code, stdout } = await runCli('detect', path, picture, '--json', '--min-score', 'suggested');
  assert.equal(code, 0);
  await using detector = await Detector.load(path);
  const found = await detector.detect(picture, { minScore: 'suggested' });
  assert.equal(JSON.parse(stdout).detections.length, found.detections.length);
});

test('a class may be called as what every object has', () => {
  assert.deepEqual(lowestScores('suggested', ['constructor', 'ship'], { ship: 0.6 }), [0.3, 0.6]);
});

test('where nothing is suggested, or what is no score, it is said', async (t) => {
  const path = await tinyModelFile(t);
  await assert.rejects(Detector.load(path, { minScore: 'suggested' }), {
    code: 'config',
    message: /suggests no scores.*give a number/,
  });
  const none = await runCli('detect', path, path, '--min-score', 'much');
  assert.equal(none.code, 2);
  assert.match(none.stderr, /--min-score is much; give a number from 0 to 1, or suggested/);
  for (const wrong of [
    '[0.5',
    '{"unicorn":0.5}',
    `{"${tinyClasses[0]}":2}`,
    `{"${tinyClasses[0]}":null}`,
    '[]',
    'null',
  ]) {
    const { model, parameters } = tinyCheckpoint();
    const file = join(await temporaryFolder(t), 'wrong.safetensors');
    const metadata = { format: 'boxwright', model, classes: JSON.stringify(tinyClasses), score_thresholds: wrong };
    await writeSafetensors(file, new Map(parameters), metadata);
    await assert.rejects(readCheckpoint(file), { code: 'weights', message: /"score_thresholds" is .*expected a JSON/ });
  }
});
