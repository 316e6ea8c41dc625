import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { classList } from '../../src/cli/class-list.js';
import { readCheckpoint } from '../../src/weights/checkpoint.js';
import type { FileDescription } from '../../src/weights/describe-file.js';
import { readSafetensors, writeSafetensors } from '../../src/weights/formats/safetensors.js';
import { readWeightFile } from '../../src/weights/weight-readers.js';
import { tinyCheckpoint, tinyClasses, tinyModelFile } from '../predict/tiny-detector.js';
import { needs, shared } from '../shared.js';
import { temporaryFolder } from '../temporary-folder.js';
import { runCli } from './run-cli.js';

test('info names tensors, metadata and the models that a checkpoint fits', async (t) => {
  const path = await tinyModelFile(t);
  const json = await runCli('info', path, '--json');
  const [{ taken, left, unused }] = (JSON.parse(json.stdout) as FileDescription).fits;
  assert.deepEqual([taken, left, unused], [187, [], []]);
  const { code, stdout, stderr } = await runCli('info', path);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^backbone\.conv1\.weight +float32\[16, 3, 3, 3\]$/m);
  assert.match(stdout, /tiny\.safetensors: safetensors, 2\.\d MB, 187 tensors, \d+ numbers \(\d+ float32\)$/m);
  assert.match(stdout, /^ {2}classes: \["cross","disc","ring"\]$/m);
  assert.match(
    stdout,
    /^fits refinedet-tiny-320, refinedet-tiny-512 with 3 classes: 187 parameters by the names of boxwright$/m,
  );
});

test('info counts the bytes of all files that the weights are in', async (t) => {
  const folder = await temporaryFolder(t);
  const names = ['model-1.safetensors', 'model-2.safetensors', 'model.safetensors.index.json'];
  const tensor = { dtype: 'float32', shape: [100], data: new Float32Array(100) } as const;
  await writeSafetensors(join(folder, names[0]), new Map([['a', tensor]]));
  await writeSafetensors(join(folder, names[1]), new Map([['b', tensor]]));
  await writeFile(join(folder, names[2]), JSON.stringify({ weight_map: { a: names[0], b: names[1] } }));
  const sharded = await runCli('info', join(folder, names[2]), '--json');
  assert.equal((JSON.parse(sharded.stdout) as FileDescription).bytes, await bytesIn(folder, names));

  const exported = ['model.onnx', 'model.onnx.data'];
  await runCli('export', await tinyModelFile(t), join(folder, exported[0]), '--external-data');
  const onnx = await runCli('info', join(folder, exported[0]), '--json');
  assert.equal((JSON.parse(onnx.stdout) as FileDescription).bytes, await bytesIn(folder, exported));
});

async function bytesIn(folder: string, names: readonly string[]): Promise<number> {
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

const folded = 'data/checkpoints/resnet18-imagenet-folded-c4.safetensors';
test('info --json says what training can start from where no model fits', needs(folded), async () => {
  const { code, stdout, stderr } = await runCli('info', shared(folded)!, '--json');
  assert.equal(code, 0, stderr);
  const { format, tensors, elements, types, fits, starts } = JSON.parse(stdout) as FileDescription;
  assert.deepEqual([format, tensors.length, fits], ['safetensors', 30, []]);
  assert.deepEqual(types, { float32: elements });
  assert.deepEqual(
    tensors.find(({ name }) => name === 'conv1.weight'),
    { name: 'conv1.weight', type: 'float32', shape: [64, 3, 7, 7] },
  );
  assert.deepEqual(
    starts.map(({ models, taken, namesOf }) => [models[0], taken, namesOf]),
    ['cascade-rcnn-resnet18', 'refinedet-resnet18-320'].map((model) => [model, 75, "torchvision's ResNet"]),
    '15 convolutions and the norms behind them; nothing of other networks fits',
  );
});

test('info on what is no file of weights lists what is', async (t) => {
  const path = join(await temporaryFolder(t), 'notes.txt');
  await writeFile(path, 'weights, but in words');
  const { code, stderr } = await runCli('info', path);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^error: .*notes\.txt: not a file of weights that boxwright reads\. It reads:\n {2}- safetensors/,
  );
  await writeFile(path, '');
  assert.match((await runCli('info', path)).stderr, /^error: .*notes\.txt: the file is empty/);
  assert.match((await runCli('info', dirname(path))).stderr, /^error: cannot read .*: it is a folder/);
});

test("convert writes a model of the zoo's as MindSpore has it, and reads it back", async (t) => {
  const folder = await temporaryFolder(t);
  const model = 'refinedet-vgg16-64-zoo';
  const own = tinyCheckpoint(model);
  // Another order than that of the layers, as a run may leave it.
  const path = await tinyModelFile(t, { ...own, parameters: new Map([...own.parameters].reverse()) });
  const [ckpt, back] = ['back.ckpt', 'again.safetensors'].map((name) => join(folder, name));
  const there = await runCli('convert', path, ckpt);
  assert.equal(there.code, 0, there.stderr);
  const { format, tensors } = await readWeightFile(ckpt);
  assert.deepEqual([format, tensors.size], ['mindspore', 149]);
  assert.deepEqual([...tensors.keys()].slice(0, 2), ['network.backbone.b1.0.weight', 'network.backbone.b1.2.weight']);
  const again = await runCli('convert', ckpt, back, '--model', model, '--classes', tinyClasses.join(','), '--json');
  assert.equal(again.code, 0, again.stderr);
  assert.equal(JSON.parse(again.stdout).tensors, own.parameters.size);
  const { parameters } = await readCheckpoint(back);
  assert.equal(parameters.size, own.parameters.size);
  for (const [name, tensor] of parameters) assert.deepEqual(tensor, own.parameters.get(name), name);
  const tiny = await runCli('convert', await tinyModelFile(t), ckpt, '--force');
  assert.equal(tiny.code, 1);
  assert.match(tiny.stderr, /refinedet-tiny-64 is no model of MindSpore's zoo/);
});

test('convert makes a checkpoint of weights that do not say what they are', async (t) => {
  const folder = await temporaryFolder(t);
  const [from, to, classes] = ['bare.safetensors', 'whole.safetensors', 'classes.txt'].map((name) =>
    join(folder, name),
  );
  const { parameters } = tinyCheckpoint();
  await writeSafetensors(from, parameters);
  await writeFile(classes, `${tinyClasses.join('\n')}\n`);
  const several = await runCli('convert', from, to, '--classes', classes);
  assert.equal(several.code, 1);
  assert.match(
    several.stderr,
    /bare\.safetensors: fits refinedet-tiny-320 and refinedet-tiny-512\. Name one of them \(--model/,
  );
  const unnamed = await runCli('convert', from, to, '--model', 'refinedet-tiny-64');
  assert.match(unnamed.stderr, /does not name its classes, which are 3\. Give them in their order \(--classes/);

  const { code, stdout, stderr } = await runCli(
    'convert',
    from,
    to,
    '--model',
    'refinedet-tiny-64',
    '--classes',
    classes,
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, /whole\.safetensors: refinedet-tiny-64, 3 classes, 187 parameters$/m);
  assert.match(stderr, /187 parameters from .*bare\.safetensors \(boxwright\)\.$/m);
  const { tensors, metadata } = await readSafetensors(to);
  assert.deepEqual(metadata, { format: 'boxwright', model: 'refinedet-tiny-64', classes: JSON.stringify(tinyClasses) });
  assert.deepEqual(tensors.get('odm.conf.0.bias'), parameters.get('odm.conf.0.bias'));

  const before = await readFile(to);
  const again = await runCli(
    'convert',
    from,
    to,
    '--model',
    'refinedet-tiny-64',
    '--classes',
    'cross,disc,ring',
    '--json',
  );
  assert.equal(again.code, 1);
  assert.match(again.stderr, /whole\.safetensors: exists already/);
  assert.deepEqual(await readFile(to), before);
  assert.deepEqual((await classList('coco'))?.slice(0, 3), ['person', 'bicycle', 'car']);
  assert.deepEqual(await classList(folder), [folder], 'a folder of that name is no list');
  const twice = await runCli('convert', from, to, '--force', '--classes', 'a,b,a');
  assert.match(twice.stderr, /--classes a,b,a: "a" is there twice/);
  const other = await runCli('convert', from, join(folder, 'a.bin'));
  assert.match(
    other.stderr,
    /a\.bin: weights are written as \.safetensors and \.ckpt, not as \.bin; for a data set give --to/,
  );
});
