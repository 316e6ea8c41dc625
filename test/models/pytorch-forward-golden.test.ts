import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { input, type Value } from '../../src/graph/index.js';
import { topological } from '../../src/graph/value.js';
import { normalizePictures } from '../../src/models/pictures.js';
import { type RefineDetOutputs, refineDet } from '../../src/models/refinedet/network.js';
import { Parameters } from '../../src/nn/parameters.js';
import { sourceNames } from '../../src/weights/loading/maps/name-map.js';
import { refineDetPytorch } from '../../src/weights/loading/maps/refinedet-pytorch.js';
import { readGolden } from '../golden.js';
import { needs } from '../shared.js';
import { Errors, sample, worstError } from './closeness.js';
import { fast, reference, runOnce } from './graph-session.js';
import { floats, paperFolder, pytorchRefineDet, pytorchWeights } from './pytorch-golden.js';
import { readJson } from './zoo-golden.js';

let engine: Engine;
before(async () => {
  engine = await Engine.start({ threads: 2 });
});
after(() => engine.dispose());

for (const [file, classes] of [
  ['voc', 20],
  ['coco', 80],
] as const) {
  test(`our parameters are the PyTorch port's, ${file}`, needs(paperFolder), async () => {
    const listed = await readJson<[string, number[]][]>(`${paperFolder}/names-pytorch-${file}.json`);
    const p = new Parameters({ training: true });
    refineDet(p, { ...pytorchRefineDet(), classes }, input('pictures', 'float32', [1, 3, 320, 320]));
    const names = sourceNames(refineDetPytorch, p.specs.keys());
    assert.equal(names.size, p.specs.size);
    const ours = [...names].map(([name, source]) => [source, p.specs.get(name)!.shape]);
    assert.deepEqual(Object.fromEntries(ours), Object.fromEntries(listed));
  });
}

/** The maps inside, by their recorded names. Levels are counted from 0, P3 being the first. */
function innerMaps({ taps, ...heads }: RefineDetOutputs): Record<string, Value> {
  const nodes = topological([...Object.values(heads), ...taps.tcb]);
  const lastOf = (scope: string) => nodes.findLast((node) => node.scope === scope)!.outputs[0];
  const readerOf = (x: Value, type: string) =>
    nodes.find((node) => node.operator.type === type && node.inputs[0] === x)!.outputs[0];
  const maps: Record<string, Value> = {};
  for (const conv of ['conv1_1', 'conv1_2', 'conv2_2', 'conv3_3', 'conv4_3', 'conv5_3', 'fc6', 'fc7']) {
    maps[`${conv}_relu`] = readerOf(lastOf(`backbone/${conv}`), 'Relu');
  }
  ['conv1_2', 'conv2_2', 'conv3_3', 'conv4_3', 'conv5_3'].forEach((conv, stage) => {
    maps[`pool${stage + 1}`] = readerOf(maps[`${conv}_relu`], 'MaxPool');
  });
  for (const conv of ['conv6_1', 'conv6_2']) maps[conv] = lastOf(`backbone/${conv}`);
  for (const level of [0, 1]) maps[`conv${level + 4}_3_norm`] = lastOf(`source_norm/${level}`);
  for (const level of [0, 1, 2, 3]) {
    maps[`tl${level + 3}_2`] = lastOf(`tcb/${level}/lateral/1`);
    maps[`p${level + 3}`] = taps.tcb[level];
    if (level < 3) maps[`p${level + 4}_up`] = lastOf(`tcb/${level}/up`);
  }
  return maps;
}

for (const target of [reference, fast]) {
  test(`maps and outputs are the PyTorch port's, ${target.form} form`, needs(paperFolder), async (t) => {
    const golden = await readGolden('refinedet-paper/forward-320.safetensors');
    const taps = await readJson<Record<string, { stride: number; rms: number; shape: number[] }>>(
      `${paperFolder}/forward-320-taps.json`,
    );
    const recipe = pytorchRefineDet();
    const p = new Parameters({ training: false });
    const images = input('images', 'uint8', [2, 320, 320, 3]);
    const network = refineDet(p, recipe, normalizePictures(images, recipe.normalisation));
    const heads = {
      arm_loc: network.armLoc,
      arm_conf: network.armConf,
      odm_loc: network.odmLoc,
      odm_conf: network.odmConf,
    };
    const maps = innerMaps(network);
    assert.deepEqual(Object.keys(maps).sort(), Object.keys(taps).sort(), 'every recorded map is compared');
    const state = await engine.createState(pytorchWeights(p.specs.values()));
    const feeds = { images: golden.tensors.get('image_u8_rgb')! };
    const results = await runOnce(engine, { ...heads, ...maps }, feeds, target, state);
    await state.dispose();
    const errors = new Errors();
    for (const name of Object.keys(heads)) {
      errors.add(name, worstError(results[name].data as Float32Array, floats(golden, name)));
    }
    for (const name of Object.keys(maps)) {
      const expected = floats(golden, `tap.${name}`);
      const { stride, rms, shape } = taps[name];
      assert.deepEqual(results[name].shape, shape);
      errors.add(name, worstError(sample(results[name], stride, expected.length), expected, rms));
    }
    t.diagnostic(`${errors}`);
    errors.assertBelow(1e-4, 'maps');
  });
}
