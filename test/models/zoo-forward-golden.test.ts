import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { input } from '../../src/graph/index.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { imageNetNormalisation, normalizePictures } from '../../src/models/pictures.js';
import { refineDet } from '../../src/models/refinedet/network.js';
import { zooRefineDet } from '../../src/models/refinedet/recipes.js';
import { resizePictures } from '../../src/models/resize-graph.js';
import { Parameters } from '../../src/nn/parameters.js';
import { sourceNames } from '../../src/weights/loading/maps/name-map.js';
import { readGolden } from '../golden.js';
import { needs } from '../shared.js';
import { Errors, sample, worstError } from './closeness.js';
import { fast, reference, runOnce } from './graph-session.js';
import { folder, nameOf, readJson, zooMaps, zooWeights } from './zoo-golden.js';

let engine: Engine;
before(async () => {
  engine = await Engine.start({ threads: 2 });
});
after(() => engine.dispose());

interface Listed {
  readonly name: string;
  readonly shape: number[];
  readonly trainable: boolean;
  readonly decay?: boolean;
}

for (const [backbone, size] of [
  ['vgg16', 320],
  ['vgg16', 512],
  ['resnet101', 320],
  ['resnet101', 512],
] as const) {
  test(`${backbone} at ${size} has the zoo's parameters`, needs(folder), async () => {
    const map = zooMaps[backbone];
    const listed = await readJson<{ boxes: number; train: Listed[]; eval: Listed[] }>(
      `${folder}/parameters_${backbone}-${size}.json`,
    );
    const p = new Parameters({ training: true });
    const pictures = input('pictures', 'float32', [1, 3, size, size]);
    const { armLoc } = refineDet(p, zooRefineDet(backbone, size, 80), pictures);
    assert.deepEqual(armLoc.shape, [1, listed.boxes, 4]);

    const ours = [...p.specs.values()].map((spec) => [nameOf(map, spec), spec] as const);
    assert.equal(new Set(ours.map(([name]) => name)).size, p.specs.size, 'each has a name of its own');
    const shapes = (list: readonly Listed[]) =>
      Object.fromEntries(list.filter(({ name }) => !map.unused.test(name)).map(({ name, shape }) => [name, shape]));
    const ownShapes = Object.fromEntries(ours.map(([name, { shape }]) => [name, shape]));
    assert.deepEqual(ownShapes, shapes(listed.eval));
    assert.deepEqual(ownShapes, shapes(listed.train));

    const trained = listed.train.filter(({ name, trainable }) => trainable && !map.unused.test(name));
    assert.deepEqual(
      Object.fromEntries(ours.filter(([, spec]) => spec.trainable).map(([name, { decay }]) => [name, decay])),
      Object.fromEntries(trained.map(({ name, decay }) => [name, decay])),
    );
    assert.ok(ours.every(([, { rate }]) => rate === 1));
  });
}

for (const picture of ['coco', 'bccd']) {
  test(`the ${picture} picture is resized to the zoo's bytes and normalised as there`, needs(folder), async (t) => {
    const { tensors } = await readGolden(`refinedet-zoo/preprocess_${picture}.safetensors`);
    const resized = tensors.get('resized')!;
    const pixels = input('pixels', 'uint8', [1, 320, 320, 3]);
    const outputs: Record<string, ReturnType<typeof resizePictures>> = {
      input: normalizePictures(pixels, imageNetNormalisation),
    };
    const feeds: Record<string, Tensor> = { pixels: { ...resized, shape: [1, 320, 320, 3] } };
    const decoded = tensors.get('decoded');
    if (decoded) {
      outputs.resized = resizePictures(input('images', 'uint8', ['batch', 'height', 'width', 3]), 320);
      feeds.images = { ...decoded, shape: [1, ...decoded.shape] };
    }
    const results = await runOnce(engine, outputs, feeds, reference);
    if (decoded) assert.deepEqual(results.resized.data, resized.data, 'every byte');
    const error = worstError(results.input.data as Float32Array, tensors.get('input')!.data as Float32Array);
    t.diagnostic(`worst relative error ${error.toExponential(2)}`);
    assert.ok(error < 1e-6, `${error}`);
  });
}

interface Tap {
  readonly stride: number;
  readonly count: number;
  readonly std: number;
  readonly mean: number;
  readonly shape: number[];
}

for (const backbone of ['vgg16', 'resnet101']) {
  for (const target of backbone === 'vgg16' ? [reference, fast] : [reference]) {
    test(`${backbone}'s maps and outputs are the zoo's, ${target.form} form`, needs(folder), async (t) => {
      const map = zooMaps[backbone];
      const { tensors: golden } = await readGolden(`refinedet-zoo/forward_${backbone}-320.safetensors`);
      const taps = await readJson<Record<string, Tap>>(`${folder}/forward_${backbone}-320.json`);
      const { tensors } = await readGolden('refinedet-zoo/preprocess_coco.safetensors');
      const p = new Parameters({ training: false });
      const images = input('images', 'uint8', [1, 320, 320, 3]);
      const recipe = zooRefineDet(backbone, 320, 80);
      const network = refineDet(p, recipe, normalizePictures(images, recipe.normalisation));
      assert.equal(sourceNames(map, p.specs.keys()).size, p.specs.size);
      const outputs = {
        arm_loc: network.armLoc,
        arm_conf: network.armConf,
        odm_loc: network.odmLoc,
        odm_conf: network.odmConf,
        ...Object.fromEntries(network.taps.sources.map((source, level) => [`source${level}`, source])),
        ...Object.fromEntries(network.taps.tcb.map((tcb, level) => [`tcb${level}`, tcb])),
      };
      const state = await engine.createState(zooWeights(map, p.specs.values()));
      const feeds = { images: { ...tensors.get('resized')!, shape: [1, 320, 320, 3] } };
      const results = await runOnce(engine, outputs, feeds, target, state);
      await state.dispose();
      const errors = new Errors();
      for (const name of Object.keys(outputs)) {
        const { stride, count, std, mean, shape } = taps[`tap.${name}`];
        assert.deepEqual(results[name].shape, shape);
        const scale = Math.hypot(std, mean);
        const expected = golden.get(`tap.${name}`)!.data as Float32Array;
        errors.add(`tap.${name}`, worstError(sample(results[name], stride, count), expected, scale));
        const whole = golden.get(name);
        if (whole) errors.add(name, worstError(results[name].data as Float32Array, whole.data as Float32Array, scale));
      }
      t.diagnostic(`${errors}`);
      errors.assertBelow(1e-4, backbone);
    });
  }
}
