import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { input, type Value } from '../../src/graph/index.js';
import { sourceMaps } from '../../src/models/backbones/backbone.js';
import { type ResNetRecipe, resNetStages } from '../../src/models/backbones/resnet.js';
import { paperCascadeRcnn } from '../../src/models/cascade-rcnn/recipes.js';
import type { DetectorRecipe } from '../../src/models/model.js';
import { imageNetNormalisation, normalizePictures } from '../../src/models/pictures.js';
import { paperRefineDet } from '../../src/models/refinedet/recipes.js';
import { Parameters } from '../../src/nn/parameters.js';
import { type NameMap, sourceNames } from '../../src/weights/loading/maps/name-map.js';
import { torchvisionResNet, torchvisionVgg16 } from '../../src/weights/loading/maps/torchvision.js';
import { readGolden } from '../golden.js';
import { aroundOne, bias, convWeight } from '../hashfill.js';
import { needs } from '../shared.js';
import { Errors, sample, worstError } from './closeness.js';
import { fast, reference, runOnce } from './graph-session.js';
import { loadedByName } from './loaded-by-name.js';
import { readJson } from './zoo-golden.js';

const folder = 'golden/backbones-torchvision';
let engine: Engine;
before(async () => {
  engine = await Engine.start({ threads: 2 });
});
after(() => engine.dispose());

const resNet = (blocks: ResNetRecipe['blocks']): ResNetRecipe => ({
  kind: 'resnet',
  block: 'bottleneck',
  blocks,
  widths: [64, 64, 128, 256, 512],
  stem: 7,
  strideOn: '3x3',
  padding: 'symmetric',
  pool: 'padded',
  norm: { epsilon: 1e-5, momentum: 0.1 },
});

function resNetTaps(blocks: ResNetRecipe['blocks']) {
  return (p: Parameters, pictures: Value): Record<string, Value> => {
    const { stem, stages } = resNetStages(p, resNet(blocks), pictures);
    return { stem, c2: stages[0], c3: stages[1], c4: stages[2], c5: stages[3] };
  };
}

function vggTaps(p: Parameters, pictures: Value): Record<string, Value> {
  const [conv4, conv5] = sourceMaps(p, { kind: 'vgg16', bias: true, fc7Source: 'relu' }, pictures);
  return { conv4_3: conv4, conv5_3: conv5 };
}

interface Backbone {
  readonly taps: (p: Parameters, pictures: Value) => Record<string, Value>;
  readonly map: NameMap;
  /** Whose backbone it is; it sees what torchvision's does. */
  readonly detector: DetectorRecipe;
}

const models: Record<string, Backbone> = {
  resnet50: { taps: resNetTaps([3, 4, 6, 3]), map: torchvisionResNet, detector: paperCascadeRcnn('resnet50', 80) },
  resnet101: { taps: resNetTaps([3, 4, 23, 3]), map: torchvisionResNet, detector: paperCascadeRcnn('resnet101', 80) },
  vgg16: {
    taps: vggTaps,
    map: torchvisionVgg16,
    detector: { ...paperRefineDet('vgg16', 320, 20), normalisation: imageNetNormalisation },
  },
};

for (const [model, { taps, map, detector }] of Object.entries(models)) {
  test(`${model} has torchvision's parameters`, needs(folder), async () => {
    const p = new Parameters({ training: false });
    taps(p, input('pictures', 'float32', [1, 3, 224, 224]));
    const listed = await readJson<[string, number[], string][]>(`${folder}/${model}.json`);
    const theirs = listed.filter(([name]) => !map.unused.test(name)).map(([name, shape]) => [name, shape]);
    const ours = [...sourceNames(map, p.specs.keys())].map(([name, source]) => [source, p.specs.get(name)!.shape]);
    assert.deepEqual(Object.fromEntries(ours), Object.fromEntries(theirs));
  });

  for (const target of model === 'vgg16' ? [reference, fast] : [reference]) {
    test(`${model}'s maps are torchvision's, ${target.form} form`, needs(folder), async (t) => {
      const golden = await readGolden('backbones-torchvision/forward-224.safetensors');
      const { taps: recorded } = await readJson<{ taps: Record<string, { stride: number; rms: number }> }>(
        `${folder}/forward-224.json`,
      );
      const p = new Parameters({ training: false });
      const images = input('images', 'uint8', [1, 224, 224, 3]);
      const outputs = taps(p, normalizePictures(images, imageNetNormalisation));
      const specs = [...p.specs.values()].filter(({ name }) => sourceNames(map, [name]).size);
      const weights = loadedByName(map, detector, specs, (name, shape) => value(`${model}.${name}`, shape));
      const state = await engine.createState(weights);
      const picture = golden.tensors.get('image_u8_rgb')!;
      const results = await runOnce(
        engine,
        outputs,
        { images: { ...picture, shape: [1, 224, 224, 3] } },
        target,
        state,
      );
      await state.dispose();
      const errors = new Errors();
      for (const name of Object.keys(outputs)) {
        const expected = golden.tensors.get(`${model}.${name}`)!.data as Float32Array;
        const { stride, rms } = recorded[`${model}.${name}`];
        errors.add(name, worstError(sample(results[name], stride, expected.length), expected, rms));
      }
      t.diagnostic(`${errors}`);
      errors.assertBelow(1e-4, model);
    });
  }
}

/** The rule at the end of the folder's README. */
function value(name: string, shape: readonly number[]): Float32Array {
  const key = `dev:${name}`;
  if (shape.length === 4) return convWeight(key, shape, name.includes('.conv3.') ? 0.4 : 1);
  if (name.startsWith('vgg16') || /\.(bias|running_mean)$/.test(name)) return bias(key, shape);
  return aroundOne(key, shape);
}
