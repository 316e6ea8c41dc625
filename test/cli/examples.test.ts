// The programs of examples/ import the package by its name, which is what `npm run build` made in dist/.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { png, testFolder, tinyClasses, tinyModelFile } from '../predict/tiny-detector.js';
import { runCli } from './run-cli.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const options = { skip: existsSync(join(root, 'dist/index.js')) ? false : 'needs dist/: npm run build' };

async function example(name: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(process.execPath, [join(root, 'examples', name), ...args]);
}

test('count-objects counts over a folder and passes over a broken picture', options, async (t) => {
  const folder = await testFolder(t);
  const model = await tinyModelFile(t);
  for (let i = 0; i < 3; i++) await writeFile(join(folder, `${i}.png`), await png(70, 50, i));
  await writeFile(join(folder, 'broken.png'), 'text');
  const { stdout, stderr } = await example('count-objects.mjs', model, folder);
  assert.match(stderr, /broken\.png.*cannot be decoded/);
  for (const name of tinyClasses) assert.match(stdout, new RegExp(`${name}: \\d+`));
});

test('evaluate-anything gives what eval gives', options, async (t) => {
  const folder = await testFolder(t);
  const model = await tinyModelFile(t);
  await writeFile(join(folder, 'a.png'), await png(100, 60));
  const categories = tinyClasses.map((name, i) => ({ id: i + 1, name }));
  const images = [{ id: 1, file_name: 'a.png', width: 100, height: 60 }];
  const annotations = [{ id: 1, image_id: 1, category_id: 1, bbox: [5, 5, 50, 40], area: 2000, iscrowd: 0 }];
  const truth = join(folder, 'test.json');
  await writeFile(truth, JSON.stringify({ images, annotations, categories }));
  const found = await runCli('detect', model, folder, '--json', '--min-score', '0');
  await writeFile(join(folder, 'found.jsonl'), found.stdout);
  const expected = await runCli('eval', model, '--data', truth, '--json');
  assert.equal(expected.code, 0, expected.stderr);
  const { stdout } = await example('evaluate-anything.mjs', truth, join(folder, 'found.jsonl'));
  assert.deepEqual(JSON.parse(stdout), JSON.parse(expected.stdout));
});

test('train-your-own learns', options, async () => {
  const { stdout } = await example('train-your-own.mjs');
  assert.equal(stdout.match(/^step \d+: loss \d\.\d+$/gm)?.length, 6);
  const right = Number(/right: (\d+) of 1000/.exec(stdout)?.[1]);
  assert.ok(right > 900, stdout); // two thirds by always saying no
});
