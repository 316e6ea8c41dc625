import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { evaluationGraph, inferenceGraph, modelNames, modelRecipe, trainingLosses } from '../../src/models/model.js';
import { Parameters } from '../../src/nn/parameters.js';
import { uniforms } from '../boxes/random-boxes.js';
import { numbersOf } from '../graph/harness.js';
import { fast, reference, runOnce } from './graph-session.js';
import { firstWeights, trainingSteps } from './training-steps.js';

let engine: Engine;
before(async () => {
  engine = await Engine.start({ threads: 2 });
});
after(() => engine.dispose());

const lossNames = {
  refinedet: ['arm_loc', 'arm_conf', 'odm_loc', 'odm_conf'],
  'cascade-rcnn': ['rpn_cls', 'rpn_reg', ...[1, 2, 3].flatMap((stage) => [`stage${stage}_cls`, `stage${stage}_reg`])],
};

test('every model that has a name can be built, training and detection, for any number of classes', () => {
  assert.equal(modelNames.length, 23);
  modelNames.forEach((name, i) => {
    const classes = [1, 20, 80][i % 3];
    const recipe = modelRecipe(name, classes);
    const p = new Parameters({ training: true });
    const { total, parts } = trainingLosses(p, recipe, { batch: 1, maxBoxes: 4, canvas: { height: 320, width: 320 } });
    assert.deepEqual(total.shape, []);
    assert.deepEqual(Object.keys(parts), lossNames[recipe.kind]);
    const detection = inferenceGraph(recipe);
    assert.deepEqual([...detection.p.specs.keys()], [...p.specs.keys()], `${name} detects with what it trains`);
    assert.deepEqual(detection.outputs.boxes.shape[1], 4);
  });
});

test('an unknown model names the nearest one', () => {
  for (const name of [
    'refinedet-vgg-320',
    'refinedet-vgg16-300',
    'refinedet-tiny-320-zoo',
    'refinedet-vgg16-0',
    'yolo',
  ]) {
    assert.throws(() => modelRecipe(name, 3), { code: 'model', message: /Did you mean "refinedet-/ }, name);
  }
  assert.equal(modelRecipe('refinedet-tiny-192', 3).size, 192);
});

for (const [name, target] of [
  ['refinedet-tiny-64', reference],
  ['refinedet-tiny-64', fast],
  ['refinedet-resnet18-128', fast],
] as const) {
  test(`${name} learns a batch by heart, ${target.form} form`, async () => {
    const recipe = modelRecipe(name, 2);
    const losses = await trainingSteps(engine, recipe, { batch: 2, steps: 6, rate: 0.01, target });
    assert.ok(losses.every(Number.isFinite), `${losses}`);
    assert.ok(losses[5] < 0.95 * losses[0], `${losses}`);
  });
}

function picture(height: number, width: number): Tensor {
  const uniform = uniforms(height);
  const data = Uint8Array.from({ length: height * width * 3 }, () => 256 * uniform());
  return { dtype: 'uint8', shape: [1, height, width, 3], data };
}

test("detection on a picture of the network's size is evaluation; other sizes scale the boxes", async () => {
  const recipe = modelRecipe('refinedet-tiny-64', 2);
  const weights = firstWeights(recipe);
  const state = await engine.createState(weights);
  const images = picture(64, 64);
  const sizes: Tensor = { dtype: 'float32', shape: [1, 2], data: Float32Array.of(64, 64) };
  const evaluated = await runOnce(engine, { ...evaluationGraph(recipe).outputs }, { images, sizes }, reference, state);
  const detected = await runOnce(engine, { ...inferenceGraph(recipe).outputs }, { images }, reference, state);
  assert.deepEqual(detected, evaluated);
  const count = evaluated.scores.data.length;
  assert.ok(count > 10 && count <= 500, `${count} detections`);
  assert.deepEqual(evaluated.boxes.shape, [count, 4]);
  assert.ok(numbersOf(evaluated.labels).every((label) => label === 0 || label === 1));

  const wide: Tensor = { ...sizes, data: Float32Array.of(32, 128) };
  const scaled = await runOnce(
    engine,
    { ...evaluationGraph(recipe).outputs },
    { images, sizes: wide },
    reference,
    state,
  );
  assert.deepEqual(
    numbersOf(scaled.boxes),
    numbersOf(evaluated.boxes).map((value, i) => value * (i % 2 ? 0.5 : 2)),
  );
  const odd = await runOnce(
    engine,
    { ...inferenceGraph(recipe).outputs },
    { images: picture(37, 111) },
    reference,
    state,
  );
  assert.ok(numbersOf(odd.boxes).every(Number.isFinite) && odd.scores.data.length > 0);
  await state.dispose();
});

test('detections of a batch are those of its pictures', async () => {
  const recipe = modelRecipe('refinedet-tiny-64', 2);
  const state = await engine.createState(firstWeights(recipe));
  const outputs = { ...evaluationGraph(recipe).outputs };
  const pictures = [picture(64, 64), { ...picture(63, 65), shape: [1, 64, 64, 3] }];
  const [first, second] = pictures.map(({ data }) => data as Uint8Array);
  const both = new Uint8Array(2 * 64 * 64 * 3);
  both.set(first);
  both.set(second.subarray(0, 64 * 64 * 3 - 3), 64 * 64 * 3);
  const run = (data: Uint8Array, n: number) =>
    runOnce(
      engine,
      outputs,
      {
        images: { dtype: 'uint8', shape: [n, 64, 64, 3], data },
        sizes: { dtype: 'float32', shape: [n, 2], data: Float32Array.of(64, 64, 64, 64).slice(0, 2 * n) },
      },
      reference,
      state,
    );
  const together = await run(both, 2);
  for (const i of [0, 1]) {
    const alone = await run(both.slice(i * 64 * 64 * 3, (i + 1) * 64 * 64 * 3), 1);
    const own = numbersOf(together.pictures).flatMap((number, row) => (number === i ? [row] : []));
    assert.equal(own.length, alone.scores.data.length, `picture ${i}`);
    own.forEach((row, k) => {
      assert.equal(together.labels.data[row], alone.labels.data[k]);
      const error = Math.abs(Number(together.scores.data[row]) - Number(alone.scores.data[k]));
      assert.ok(error < 1e-5, `score ${k} of picture ${i}`);
    });
  }
  await state.dispose();
});
