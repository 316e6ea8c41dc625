// Weights that were made for other pixels or other deltas do in our network what they did in theirs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import type { Tensor } from '../../src/graph/tensor.js';
import type { CascadeRcnnRecipe } from '../../src/models/cascade-rcnn/recipe.js';
import { paperCascadeRcnn } from '../../src/models/cascade-rcnn/recipes.js';
import { inferenceGraph } from '../../src/models/model.js';
import { caffeNormalisation, imageNetNormalisation, type Normalisation } from '../../src/models/pictures.js';
import { loadWeights } from '../../src/weights/loading/load-weights.js';
import { cascadeRcnnDetectron2 } from '../../src/weights/loading/maps/cascade-rcnn-detectron2.js';
import { sourceName } from '../../src/weights/loading/maps/name-map.js';
import { adaptStem } from '../../src/weights/loading/stem.js';
import type { WeightFile } from '../../src/weights/weight-file.js';
import { fast, runOnce } from '../models/graph-session.js';
import { pixels, tinyCheckpoint, tinyClasses } from '../predict/tiny-detector.js';
import { floats } from './listed-file.js';

let engine: Engine;
before(async () => {
  engine = await Engine.start({ threads: 2 });
});
after(() => engine.dispose());

const paper = paperCascadeRcnn('tiny', tinyClasses.length);
const { normalisation, stageStds } = cascadeRcnnDetectron2;
/** The tiny cascade with detectron2's pixels and deltas. */
const theirs: CascadeRcnnRecipe = {
  ...paper,
  normalisation: normalisation!,
  stages: paper.stages.map((stage, i) => ({ ...stage, coder: { ...stage.coder, stds: stageStds![i] } })),
};

async function detect(recipe: CascadeRcnnRecipe, file: WeightFile): Promise<Record<string, Tensor>> {
  const { taken, report } = loadWeights('a.pkl', file, { recipe, model: 'tiny', classes: tinyClasses });
  assert.equal(report.changes.length, recipe === theirs ? 0 : 2);
  const { outputs } = inferenceGraph(recipe, 1);
  const state = await engine.createState(Object.fromEntries(taken));
  const { data, height, width } = pixels(150, 100);
  const images: Tensor = { dtype: 'uint8', shape: [1, height, width, 3], data };
  const results = await runOnce(engine, { ...outputs }, { images }, fast, state);
  await state.dispose();
  return results;
}

test("detectron2's weights detect the same as they are, and with pixels and deltas brought over", async () => {
  const { parameters } = tinyCheckpoint('cascade-rcnn-tiny');
  // The first convolution as one for raw pixels.
  const stem = parameters.get('backbone.conv1.weight')!;
  const tensors = new Map<string, Tensor>(parameters);
  tensors.set(
    'backbone.conv1.weight',
    floats(
      stem.shape,
      (stem.data as Float32Array).map((x) => x / 58),
    ),
  );
  const file: WeightFile = {
    format: 'numpy-pickle',
    tensors: new Map([...tensors].map(([name, tensor]) => [sourceName(cascadeRcnnDetectron2, name)!, tensor])),
    metadata: {},
  };
  const [as, brought] = [await detect(theirs, file), await detect(paper, file)];
  assert.ok(as.scores.data.length > 10);
  assert.deepEqual(brought.labels.data, as.labels.data);
  for (const [name, tolerance] of [
    ['scores', 1e-5],
    ['boxes', 1e-2],
  ] as const) {
    const [a, b] = [as[name].data as Float32Array, brought[name].data as Float32Array];
    const worst = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
    assert.ok(worst < tolerance, `${name}: ${worst}`);
  }
});

test('a first convolution gives the same numbers on the same pixels, whatever they are normalised by', () => {
  const weight = floats(
    [2, 3, 3, 3],
    Float32Array.from({ length: 54 }, (_, i) => Math.sin(i)),
  );
  const { weight: adapted, constant } = adaptStem(weight, imageNetNormalisation, caffeNormalisation);
  const rgb = Float64Array.from({ length: 27 }, (_, i) => (i * 37) % 256);
  const seen = ({ order, mean, std }: Normalisation, w: Tensor, out: number) => {
    let sum = 0;
    for (let channel = 0; channel < 3; channel++)
      for (let i = 0; i < 9; i++) {
        const pixel = rgb[(order === 'rgb' ? channel : 2 - channel) * 9 + i];
        sum += ((pixel - mean[channel]) / std[channel]) * Number(w.data[(out * 3 + channel) * 9 + i]);
      }
    return sum;
  };
  for (const out of [0, 1]) {
    const before = seen(imageNetNormalisation, weight, out);
    const now = seen(caffeNormalisation, adapted, out) + constant[out];
    assert.ok(Math.abs(before - now) < 1e-5, `${before} and ${now}`);
    assert.ok(Math.abs(constant[out]) > 1e-4, 'the means differ');
  }
});
