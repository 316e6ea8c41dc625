// The WebGPU provider, on whatever GPU there is, or on SwiftShader, a GPU in software that comes with Chromium. It is slow:
// this shows that results are right, not that they are quick.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { renderShapes } from '../../src/cli/demo/demo-data.js';
import { evaluationGraph, modelRecipe } from '../../src/models/model.js';
import { initialValues } from '../../src/nn/parameters.js';
import { readCheckpoint } from '../../src/weights/checkpoint.js';
import { mainFile } from '../cli/run-cli.js';
import { writeFiles } from '../data/folders.js';
import { assertSameDetections, png, tinyModelFile } from '../predict/tiny-detector.js';
import { temporaryFolder } from '../temporary-folder.js';

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';
const software = !process.env.VK_ICD_FILENAMES && existsSync(swiftShader) ? { VK_ICD_FILENAMES: swiftShader } : {};
// Vulkan drivers may print an error where no such folder is named.
const env = { XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? tmpdir(), ...software };

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/** Runs Node.js where WebGPU finds its device. */
function runNode(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env, ...more } });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}

const engine = new URL('../../src/engine/engine.js', import.meta.url).href;
const graph = new URL('../../src/graph/index.js', import.meta.url).href;
const probe = `
  const { Engine } = await import(${JSON.stringify(engine)});
  const { input, relu, writeOnnx } = await import(${JSON.stringify(graph)});
  const own = await Engine.start({ provider: 'webgpu' });
  await own.load(writeOnnx({ name: 'probe', outputs: { y: relu(input('x', 'float32', [2])) } }).bytes);
  await own.dispose();`;
const { code, output } = await runNode(['--input-type=module', '-e', probe]);
const options = {
  skip: code === 0 ? false : `needs a GPU for WebGPU, or Chromium's SwiftShader: ${output.trim().slice(-300)}`,
};

const folder = fileURLToPath(new URL('../graph/', import.meta.url));
for (const file of readdirSync(folder).filter((name) => name.endsWith('.test.js')))
  test(`operators and their gradients on WebGPU: ${file}`, options, async () => {
    const run = await runNode(['--test', join(folder, file)], {
      BOXWRIGHT_TEST_PROVIDER: 'webgpu',
      NODE_TEST_CONTEXT: '',
    });
    assert.equal(run.code, 0, run.output.slice(-4000));
  });

const providers = ['cpu', 'webgpu'] as const;

test('detections on WebGPU are those of the CPU', options, async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, { 'picture.png': await png(96, 64) });
  const model = await tinyModelFile(t);
  const [cpu, webgpu] = await Promise.all(
    providers.map(async (provider) => {
      const line = ['detect', model, join(root, 'picture.png'), '--min-score', '0', '--json', '--provider', provider];
      const run = await runNode([mainFile, ...line]);
      assert.equal(run.code, 0, run.output);
      return JSON.parse(/^\{.*\}$/m.exec(run.output)![0]).detections;
    }),
  );
  assert.ok(cpu.length > 10);
  assertSameDetections(webgpu, cpu, 96);
});

/** The parameters behind one step of plain SGD, for each provider. */
async function steps(root: string, model: string, batch: number) {
  const data = join(root, 'shapes');
  await renderShapes(data, { pictures: { train: batch, val: 1 }, size: 64, seed: 3 });
  const settings = `--epochs 1 --batch ${batch} --optimizer sgd --lr 0.01 --weight-decay 0 --warmup 0 --clip 0 --average 0`;
  return Promise.all(
    providers.map(async (provider) => {
      const out = join(root, provider);
      const given = ['--data', data, '--model', model, '--out', out, '--augment', 'none', '--provider', provider];
      const run = await runNode([mainFile, 'train', ...given, ...settings.split(' '), '--evaluate-every', '0']);
      assert.equal(run.code, 0, run.output);
      return (await readCheckpoint(join(out, 'last.safetensors'))).parameters;
    }),
  );
}

const length = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

// RefineDet's deepest map is 1×1 here: batch norm over two pictures would be all rounding.
for (const [model, batch] of [
  ['refinedet-tiny-64', 8],
  ['cascade-rcnn-tiny', 2],
] as const)
  test(`a training step of ${model} on WebGPU moves every parameter as on the CPU`, options, async (t) => {
    const [cpu, webgpu] = await steps(await temporaryFolder(t), model, batch);
    const start = initialValues(evaluationGraph(modelRecipe(model, 4)).p.specs.values(), 0);
    let moved = 0;
    for (const [name, { data: before }] of start) {
      const change = (after: typeof cpu) =>
        (after.get(name)!.data as Float32Array).map((value, i) => value - before[i]);
      const expected = change(cpu);
      const apart = length(change(webgpu).map((value, i) => value - expected[i]));
      if (length(expected) > 0) moved++;
      // A difference of float32 numbers has their rounding, not its own.
      const rounding = 1e-7 * length(before);
      assert.ok(apart <= 1e-3 * length(expected) + rounding, `${name}: ${apart} apart of ${length(expected)}`);
    }
    assert.ok(moved > 0.8 * start.size, `${moved} of ${start.size} parameters moved`);
  });
