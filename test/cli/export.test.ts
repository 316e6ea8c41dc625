import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Detector } from '../../src/predict/detector.js';
import { tinyClasses, tinyModelFile } from '../predict/tiny-detector.js';
import { temporaryFolder } from '../temporary-folder.js';
import { runCli } from './run-cli.js';

test('export writes a file that loads, and says what it wrote', async (t) => {
  const model = await tinyModelFile(t);
  const out = join(await temporaryFolder(t), 'tiny.onnx');
  const { code, stdout, stderr } = await runCli('export', model, out);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /tiny\.onnx: refinedet-tiny-64, 3 classes, 2\.\d MB/);
  await using detector = await Detector.load(out);
  assert.deepEqual(detector.classes, tinyClasses);
});

test('--json reports what was written; an existing file needs --force', async (t) => {
  const model = await tinyModelFile(t);
  const out = join(await temporaryFolder(t), 'tiny.onnx');
  await writeFile(out, 'precious');
  const refused = await runCli('export', model, out, '--json');
  assert.equal(refused.code, 1);
  assert.equal(refused.stdout, '');
  assert.match(refused.stderr, /^error: .*tiny\.onnx: exists already; choose another name, or use --force\./);
  assert.equal(await readFile(out, 'utf8'), 'precious');
  const forced = await runCli('export', model, out, '--json', '--force', '--no-fold', '--external-data');
  assert.equal(forced.code, 0, forced.stderr);
  const report = JSON.parse(forced.stdout);
  assert.deepEqual(
    { ...report, bytes: report.bytes > 1e6 },
    {
      path: out,
      external: `${out}.data`,
      bytes: true,
      model: 'refinedet-tiny-64',
      classes: tinyClasses,
      opset: 18,
      folded: 0,
    },
  );
});
