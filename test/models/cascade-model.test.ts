import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Engine, type Session, type State } from '../../src/engine/engine.js';
import { input } from '../../src/graph/index.js';
import type { Tensor } from '../../src/graph/tensor.js';
import type { CascadeRcnnRecipe } from '../../src/models/cascade-rcnn/recipe.js';
import { paperCascadeRcnn } from '../../src/models/cascade-rcnn/recipes.js';
import { evaluationGraph, inferenceGraph } from '../../src/models/model.js';
import { fitPictures } from '../../src/models/resize-graph.js';
import { uniforms } from '../boxes/random-boxes.js';
import { numbersOf } from '../graph/harness.js';
import { load, reference, runOnce } from './graph-session.js';
import { firstWeights } from './training-steps.js';

let engine: Engine;
before(async () => {
  engine = await Engine.start({ threads: 2 });
});
after(() => engine.dispose());

type Weights = Record<string, Tensor>;

/** First weights whose classes differ from RoI to RoI, as after training. */
function decided(recipe: CascadeRcnnRecipe): Weights {
  const weights = firstWeights(recipe);
  const enlarge = (name: string, by: number) => {
    const { dtype, shape, data } = weights[name];
    weights[name] = { dtype, shape, data: (data as Float32Array).map((value) => by * value) } as Tensor;
  };
  for (const stage of recipe.stages.keys()) enlarge(`stages.${stage}.cls.weight`, 60);
  enlarge('rpn.reg.weight', 10);
  return weights;
}

function picture(height: number, width: number, seed = height): Tensor<'uint8'> {
  const uniform = uniforms(seed);
  const data = Uint8Array.from({ length: height * width * 3 }, () => 256 * uniform());
  return { dtype: 'uint8', shape: [1, height, width, 3], data };
}

interface Detector {
  readonly session: Session;
  readonly state: State;
}

async function inference(recipe: CascadeRcnnRecipe, weights: Weights): Promise<Detector> {
  const session = await load(engine, { ...inferenceGraph(recipe).outputs }, reference);
  return { session, state: await engine.createState(weights) };
}

async function dispose({ session, state }: Detector): Promise<void> {
  await session.dispose();
  await state.dispose();
}

/** Fails unless detections are well formed; how many there are. */
function countDetections(found: Record<string, Tensor>, recipe: CascadeRcnnRecipe, { shape }: Tensor): number {
  const [boxes, scores, labels, pictures] = ['boxes', 'scores', 'labels', 'pictures'].map((name) => found[name]);
  const count = scores.data.length;
  assert.deepEqual([boxes.shape, labels.shape, pictures.shape], [[count, 4], [count], [count]]);
  const [batch, height, width] = shape;
  numbersOf(boxes).forEach((side, i) => {
    assert.ok(side >= 0 && side <= (i % 2 ? height : width) * (1 + 1e-5), `${side} in ${width}×${height}`);
  });
  const values = numbersOf(scores);
  assert.ok(values.every((score, i) => score > recipe.postprocess.score && score <= (values[i - 1] ?? 1)));
  assert.ok(numbersOf(labels).every((label) => label >= 0 && label < recipe.classes));
  for (let own = 0; own < batch; own++)
    assert.ok(numbersOf(pictures).filter((number) => number === own).length <= recipe.postprocess.keep);
  return count;
}

const sizes = [
  [192, 256],
  [64, 64],
  [300, 40],
  [40, 300],
  [61, 47],
  [500, 7],
  [1, 1],
] as const;

for (const classes of [1, 80]) {
  test(`cascade-rcnn-tiny finds ${classes} kinds of objects in pictures of any size`, async () => {
    const recipe = paperCascadeRcnn('tiny', classes);
    const detector = await inference(recipe, decided(recipe));
    for (const [height, width] of sizes) {
      const images = picture(height, width);
      const found = await detector.session.run({ images }, { state: detector.state });
      assert.ok(countDetections(found, recipe, images) > 0, `${width}×${height}`);
    }
    await dispose(detector);
  });
}

test('detections of a batch are those of its pictures', async () => {
  const recipe = paperCascadeRcnn('tiny', 4);
  const detector = await inference(recipe, decided(recipe));
  const run = (images: Tensor) => detector.session.run({ images }, { state: detector.state });
  const pictures = [1, 2, 3].map((seed) => picture(90, 120, seed));
  const data = Uint8Array.from(pictures.flatMap((own) => [...own.data]));
  const images: Tensor = { dtype: 'uint8', shape: [3, 90, 120, 3], data };
  const together = await run(images);
  countDetections(together, recipe, images);
  for (const [i, own] of pictures.entries()) {
    const alone = await run(own);
    const rows = numbersOf(together.pictures).flatMap((number, row) => (number === i ? [row] : []));
    assert.equal(rows.length, alone.scores.data.length, `picture ${i}`);
    assert.ok(rows.length > 10);
    rows.forEach((row, k) => {
      assert.equal(together.labels.data[row], alone.labels.data[k]);
      const near = (name: string, at: number, other: number, limit: number) =>
        assert.ok(Math.abs(Number(together[name].data[at]) - Number(alone[name].data[other])) < limit, name);
      near('scores', row, k, 1e-5);
      for (const side of [0, 1, 2, 3]) near('boxes', 4 * row + side, 4 * k + side, 1e-2);
    });
  }
  await dispose(detector);
});

test('nothing that counts is found: empty results', async () => {
  const recipe = paperCascadeRcnn('tiny', 80);
  const images: Tensor = { dtype: 'uint8', shape: [2, 96, 128, 3], data: new Uint8Array(2 * 96 * 128 * 3) };
  // First weights take all 81 classes for equally likely: none reaches a score of 0.05.
  const blank = await inference(recipe, firstWeights(recipe));
  assert.equal(countDetections(await blank.session.run({ images }, { state: blank.state }), recipe, images), 0);
  await blank.state.dispose();
  // Every proposal moved out of the picture, where nothing is left of it.
  const weights = decided(recipe);
  (weights['rpn.reg.bias'].data as Float32Array).fill(1e4);
  const state = await engine.createState(weights);
  assert.equal(countDetections(await blank.session.run({ images }, { state }), recipe, images), 0);
  await state.dispose();
  await blank.session.dispose();
});

for (const [height, width] of [
  [192, 250],
  [90, 120],
  [300, 40],
] as const) {
  test(`what is found on the canvas of a picture ${width}×${height} is found in the picture`, async () => {
    const recipe = paperCascadeRcnn('tiny', 4);
    const state = await engine.createState(decided(recipe));
    const pictures = picture(height, width);
    const { pixels, frames } = fitPictures(input('images', 'uint8', [1, 'height', 'width', 3]), recipe.resize);
    const canvas = await runOnce(engine, { pixels, frames }, { images: pictures }, reference);
    const feeds = { images: canvas.pixels, frames: canvas.frames };
    const evaluated = await runOnce(engine, { ...evaluationGraph(recipe).outputs }, feeds, reference, state);
    const found = await runOnce(engine, { ...inferenceGraph(recipe).outputs }, { images: pictures }, reference, state);
    assert.ok(countDetections(found, recipe, pictures) > 0);
    assert.deepEqual(found, evaluated);
    await state.dispose();
  });
}

test('cascade-rcnn-resnet50 takes pictures of any size', async () => {
  const published = paperCascadeRcnn('resnet50', 20);
  // As published, but for the time that it takes.
  const recipe = { ...published, resize: { ...published.resize, long: 320, short: 256 } };
  const detector = await inference(recipe, decided(recipe));
  for (const [height, width] of [
    [300, 40],
    [200, 240],
  ]) {
    const images = picture(height, width);
    const found = await detector.session.run({ images }, { state: detector.state });
    assert.ok(countDetections(found, recipe, images) > 0, `${width}×${height}`);
  }
  await dispose(detector);
});
