import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../temporary-folder.js';
import { runCli } from './run-cli.js';

test('the demo reaches AP50 0.80, draws, exports and runs the file', async (t) => {
  const folder = await temporaryFolder(t);
  const out = join(folder, 'demo');
  const { code, stdout, stderr } = await runCli('demo', '--out', out);
  assert.equal(code, 0, stderr);
  const [, ap50] = /best AP [\d.]+, AP50 ([\d.]+)/.exec(stdout) ?? [];
  assert.ok(Number(ap50) >= 80, `AP50 is ${ap50}`);
  assert.equal((await readdir(join(out, 'detected'))).length, 13);
  assert.ok(existsSync(join(out, 'model.onnx')));
  assert.match(stdout, /model\.onnx on a picture it has never seen: (circle|square|triangle|star) 0\.\d\d/);
  const again = await runCli('demo', '--out', out);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /There is a demo in .* already\. Go on with it by --resume/);
});
