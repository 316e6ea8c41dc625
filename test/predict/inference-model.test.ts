import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { readOnnx } from '../../src/graph/onnx/read.js';
import { modelRecipe } from '../../src/models/model.js';
import { inferenceModel } from '../../src/predict/inference-model.js';
import { assertSameDetections, pixels, tinyCheckpoint } from './tiny-detector.js';

let engine: Engine;
before(async () => {
  engine = await Engine.start();
});
after(() => engine.dispose());

const model = 'refinedet-resnet18-320';
const classes = ['cell'];
const recipe = modelRecipe(model, classes.length);
const weights = { path: 'none', model, tensors: tinyCheckpoint(model, classes).parameters };
const written = (batch: number | 'batch') => inferenceModel(recipe, weights, 'cpu', batch);
const operators = (bytes: Uint8Array) => new Set(readOnnx(bytes, 'model').nodes.map(({ type }) => type));

test('only a fixed batch has forms for fixed shapes', () => {
  assert.ok(operators(written(1)).has('MatMul'));
  assert.ok(!operators(written('batch')).has('MatMul'));
});

for (const batch of [1, 2]) {
  test(`a fixed batch of ${batch} detects what a free one does`, async () => {
    const [fixed, free] = await Promise.all([written(batch), written('batch')].map((bytes) => engine.load(bytes)));
    const data = new Uint8Array(Array.from({ length: batch }, (_, i) => [...pixels(200, 120, i).data]).flat());
    const feeds = { images: { dtype: 'uint8', shape: [batch, 120, 200, 3], data } } as const;
    const [found, expected] = [await fixed.run(feeds), await free.run(feeds)].map(
      ({ boxes, scores, labels, pictures }) =>
        Array.from(scores.data as Float32Array, (score, i) => ({
          score,
          box: Array.from((boxes.data as Float32Array).subarray(4 * i, 4 * i + 4)),
          // Boxes of different pictures must not stand for each other.
          labelIndex: Number(labels.data[i]) + 10 * Number(pictures.data[i]),
        })),
    );
    assert.ok(expected.length > 20 * batch);
    assertSameDetections(found, expected, 200);
  });
}
