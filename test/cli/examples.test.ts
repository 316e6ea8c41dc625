// The programs of examples/ import the package by its name, which is what `npm run build` made in dist/.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writeCheckpoint } from '../../src/weights/checkpoint.js';
import { pixels, png, tinyCheckpoint, tinyClasses, tinyModelFile } from '../predict/tiny-detector.js';
import { temporaryFolder } from '../temporary-folder.js';
import { withShapes } from '../train/runs.js';
import { runCli } from './run-cli.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const options = { skip: existsSync(join(root, 'dist/index.js')) ? false : 'needs dist/: npm run build' };

async function example(name: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(process.execPath, [join(root, 'examples', name), ...args]);
}

test('count-objects counts over a folder and passes over a broken picture', options, async (t) => {
  const folder = await temporaryFolder(t);
  const model = await tinyModelFile(t);
  for (let i = 0; i < 3; i++) await writeFile(join(folder, `${i}.png`), await png(70, 50, i));
  await writeFile(join(folder, 'broken.png'), 'text');
  const { stdout, stderr } = await example('count-objects.mjs', model, folder);
  assert.match(stderr, /broken\.png.*cannot be decoded/);
  for (const name of tinyClasses) assert.match(stdout, new RegExp(`${name}: \\d+`));
});

test('evaluate-anything gives what eval gives', options, async (t) => {
  const folder = await temporaryFolder(t);
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

test('plain-training-loop learns to read', options, async () => {
  const { stdout } = await example('plain-training-loop.mjs');
  const right = Number(/right: (\d+) of 500/.exec(stdout)?.[1]);
  assert.ok(right > 250, stdout); // 50 by guessing
});

test('active-learning puts the doubtful pictures first', options, async (t) => {
  const folder = await temporaryFolder(t);
  const model = await tinyModelFile(t);
  for (let i = 0; i < 4; i++) await writeFile(join(folder, `${i}.png`), await png(70, 50, i));
  const { stdout } = await example('active-learning.mjs', model, folder, '3');
  const doubts = [...stdout.matchAll(/^ +(\d+\.\d+) {2}.*\d\.png$/gm)].map(([, doubt]) => Number(doubt));
  assert.equal(doubts.length, 3, stdout);
  assert.deepEqual(
    doubts,
    doubts.toSorted((a, b) => b - a),
  );
});

test('fine-tune trains from weights, judges and exports', options, () =>
  withShapes(async (folder, data) => {
    const weights = join(folder, 'start.safetensors');
    await writeCheckpoint(weights, tinyCheckpoint());
    const out = join(folder, 'run');
    const { stdout } = await example('fine-tune.mjs', data, weights, 'refinedet-tiny-64', out, '1');
    assert.match(stdout, /^epoch 1: AP -?\d+\.\d, AP50 -?\d+\.\d$/m);
    assert.match(stdout, /model\.onnx: AP50/);
    assert.ok(existsSync(join(out, 'model.onnx')));
  }),
);

test(
  'service answers pictures with detections, other things with the reason, and ends on SIGTERM',
  options,
  async (t) => {
    const model = await tinyModelFile(t);
    const service = spawn(process.execPath, [join(root, 'examples/service.mjs'), model, '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => service.kill('SIGKILL'));
    const [line] = await once(service.stdout, 'data');
    const url = String(line).trim();
    const post = (body: string | Uint8Array) =>
      fetch(url, { method: 'POST', body: Uint8Array.from(Buffer.from(body)) });
    const found = await post(await png(70, 50));
    assert.equal(found.status, 200);
    const { width, height, detections } = (await found.json()) as Record<string, unknown>;
    assert.deepEqual([width, height, Array.isArray(detections)], [70, 50, true]);
    const refused = await post('no picture');
    assert.equal(refused.status, 400);
    assert.match(JSON.stringify(await refused.json()), /cannot be decoded/);
    assert.equal((await fetch(url)).status, 404);
    service.kill('SIGTERM');
    assert.deepEqual(await once(service, 'exit'), [0, null]);
  },
);

test('video-frames cuts piped pixels into frames', options, async (t) => {
  const model = await tinyModelFile(t);
  const film = spawn(process.execPath, [join(root, 'examples/video-frames.mjs'), model, '-', '40x30'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const bytes = Buffer.concat([0, 1, 2].map((seed) => pixels(40, 30, seed).data));
  // In pieces that end anywhere but with a frame.
  for (let at = 0; at < bytes.length; at += 1000) film.stdin.write(bytes.subarray(at, at + 1000));
  film.stdin.end();
  let text = '';
  for await (const chunk of film.stdout) text += chunk;
  const found = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { frame: number; detections: unknown });
  const folder = await temporaryFolder(t);
  for (const seed of [0, 1, 2]) await writeFile(join(folder, `${seed}.png`), await png(40, 30, seed));
  const { stdout } = await runCli('detect', model, folder, '--json', '--min-score', '0.5');
  const expected = stdout
    .trim()
    .split('\n')
    .map((line, frame) => ({ frame, detections: (JSON.parse(line) as { detections: unknown[] }).detections }))
    .filter(({ detections }) => detections.length > 0);
  assert.ok(expected.length > 0);
  assert.deepEqual(
    found.map(({ frame }) => frame),
    expected.map(({ frame }) => frame),
  );
  const boxes = (all: readonly { detections: unknown }[]) =>
    all.flatMap(({ detections }) =>
      (detections as { box: number[]; label: string; score: number }[]).map(({ box, label, score }) => ({
        box,
        label,
        score,
      })),
    );
  assert.deepEqual(boxes(found), boxes(expected));
});

test("new-operator: the gradient is the function's", options, async () => {
  const { stdout } = await example('new-operator.mjs');
  const lines = [...stdout.matchAll(/slope (-?[\d.]+), by differences (-?[\d.]+)/g)];
  assert.equal(lines.length, 5);
  for (const [line, slope, difference] of lines)
    assert.ok(Math.abs(Number(slope) - Number(difference)) < 1e-3, `${line} in ${stdout}`);
});

test('new-backbone learns and writes a file', options, async (t) => {
  const path = join(await temporaryFolder(t), 'shapes.onnx');
  const { stdout } = await example('new-backbone.mjs', path);
  const right = Number(/right: (\d+) of 300/.exec(stdout)?.[1]);
  assert.ok(right > 200, stdout); // 100 by guessing
  assert.ok(existsSync(path));
});

test('new-head finds objects and writes a file that does', options, async (t) => {
  const path = join(await temporaryFolder(t), 'discs.onnx');
  const { stdout } = await example('new-head.mjs', path);
  const [, hit, objects, boxes] = /found (\d+) of (\d+) discs .* with (\d+) boxes/.exec(stdout) ?? [];
  // Two thirds found, and most boxes one of an object's: untrained it finds none.
  assert.ok(Number(hit) > (2 / 3) * Number(objects) && Number(boxes) < 1.5 * Number(objects), stdout);
  assert.ok(existsSync(path));
});
