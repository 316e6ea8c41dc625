import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tensor } from '../../src/graph/tensor.js';
import { chooseCanvases } from '../../src/models/canvas.js';
import { evaluationGraph, modelRecipe, resizeRule } from '../../src/models/model.js';
import { trainingMemory } from '../../src/train/step-memory.js';
import type { SessionSetup } from '../../src/train/training-session.js';

/** A run as `train` sets it up on pictures of 640×480 with three classes; its weights are of the right size only. */
function setupOf(model: string, batch: number, more: Partial<SessionSetup> = {}): SessionSetup {
  const recipe = modelRecipe(model, 3);
  const parameters = new Map<string, Tensor>();
  for (const { name, shape } of evaluationGraph(recipe).p.specs.values()) {
    const data = new Float32Array(shape.reduce((product, dim) => product * dim, 1));
    parameters.set(name, { dtype: 'float32', shape, data });
  }
  const adamw = { kind: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 } as const;
  return {
    recipe,
    step: { optimizer: adamw, clipNorm: 10, averageWeights: true },
    batch,
    maxBoxes: 29,
    canvases: chooseCanvases(resizeRule(recipe), [{ width: 640, height: 480 }]),
    parameters,
    fixedStatistics: () => false,
    ...more,
  };
}

const mebi = (setup: SessionSetup) => trainingMemory(setup) / 2 ** 20;

test('the estimate is that of the peaks that were measured (docs/benchmarks.md), within 15 %', () => {
  const measured = [
    ['refinedet-tiny-192', 8, 455],
    ['refinedet-resnet18-320', 4, 2233],
    ['refinedet-resnet18-512', 4, 3054],
    ['cascade-rcnn-resnet18', 1, 2283],
  ] as const;
  for (const [model, batch, peak] of measured) {
    const estimate = mebi(setupOf(model, batch));
    assert.ok(Math.abs(estimate / peak - 1) < 0.15, `${model}: ${estimate.toFixed(0)} MiB, measured ${peak}`);
  }
});

test('more pictures, gathered gradients and more canvases take more', () => {
  const [one, two, four] = [1, 2, 4].map((batch) => mebi(setupOf('refinedet-tiny-192', batch)));
  assert.ok(one < two && two < four);
  const { step, canvases } = setupOf('refinedet-tiny-192', 1);
  assert.ok(mebi(setupOf('refinedet-tiny-192', 1, { step: { ...step, accumulate: 2 } })) > one);
  const [canvas] = canvases;
  assert.ok(mebi(setupOf('refinedet-tiny-192', 1, { canvases: [canvas, canvas] })) > one);
});
