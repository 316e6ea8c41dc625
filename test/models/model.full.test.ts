import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { modelRecipe } from '../../src/models/model.js';
import { fast } from './graph-session.js';
import { trainingSteps } from './training-steps.js';

for (const name of [
  'refinedet-vgg16-512',
  'refinedet-vgg16-512-zoo',
  'refinedet-resnet50-320',
  'refinedet-resnet101-320',
] as const) {
  test(`${name} trains`, async () => {
    await using engine = await Engine.start({ threads: 2 });
    const recipe = modelRecipe(name, 20);
    // With ResNet-50 the loss rises for two steps, as warm-up is missing and the hard negatives change, then it falls.
    const losses = await trainingSteps(engine, recipe, { batch: 1, steps: 8, rate: 1e-3, target: fast });
    assert.ok(losses.every(Number.isFinite) && losses[7] < losses[0], `${losses}`);
  });
}
