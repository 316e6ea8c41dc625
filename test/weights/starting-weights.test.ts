import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tensor } from '../../src/graph/tensor.js';
import { evaluationGraph, modelRecipe } from '../../src/models/model.js';
import { readSafetensors } from '../../src/weights/safetensors.js';
import { matchStartingWeights } from '../../src/weights/starting-weights.js';
import { needs, shared } from '../shared.js';

const checkpoint = 'data/checkpoints/resnet18-imagenet-folded-c4.safetensors';
const specs = evaluationGraph(modelRecipe('refinedet-resnet18-320', 3)).p.specs;

test('a folded ResNet-18 fills convolutions and the norms behind them', needs(checkpoint), async () => {
  const { tensors } = await readSafetensors(shared(checkpoint)!);
  const { taken, left, misfits, missing, fixedLayers } = matchStartingWeights(specs, tensors, 1e-5, 'file');
  assert.deepEqual([left, misfits], [[], []]);
  assert.equal(fixedLayers.size, 15);
  assert.ok(fixedLayers.has('backbone.layer2.0.downsample.1') && fixedLayers.has('backbone.bn1'));
  assert.deepEqual(taken.get('backbone.bn1.bias')!.data, tensors.get('conv1.bias')!.data);
  // The norm is the bias alone: scale 1, mean 0, and a variance that epsilon completes to 1.
  assert.equal(taken.get('backbone.layer1.0.bn2.running_mean')!.data[5], 0);
  assert.equal(taken.get('backbone.layer1.0.bn2.weight')!.data[5], 1);
  assert.ok(Math.abs(taken.get('backbone.layer1.0.bn2.running_var')!.data[5] + 1e-5 - 1) < 1e-7);
  assert.ok(
    missing.every((name) => /^(backbone\.(layer4|extra)|tcb|arm|odm)\b/.test(name)),
    'only what the file ends before is missing',
  );
});

test('heads of another class list start fresh and are told of', () => {
  const other = evaluationGraph(modelRecipe('refinedet-resnet18-320', 7)).p.specs;
  const tensors = new Map<string, Tensor>(
    [...other.values()].map(({ name, shape }) => [
      name,
      { dtype: 'float32', shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) },
    ]),
  );
  const { misfits, missing } = matchStartingWeights(specs, tensors, 1e-5, 'file');
  assert.ok(misfits.length > 0 && misfits.every((name) => name.startsWith('odm.conf.')));
  assert.deepEqual([...missing].sort(), [...misfits].sort());
});

test('a folded bias of another shape is a misfit, not a norm', () => {
  const zeros = (...shape: number[]): Tensor => ({
    dtype: 'float32',
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  });
  const tensors = new Map([
    ['conv1.weight', zeros(64, 3, 7, 7)],
    ['conv1.bias', zeros(32)],
  ]);
  const { taken, misfits, fixedLayers } = matchStartingWeights(specs, tensors, 1e-5, 'file');
  assert.deepEqual([...taken.keys()], ['backbone.conv1.weight']);
  assert.deepEqual(misfits, ['conv1.bias']);
  assert.equal(fixedLayers.size, 0);
});
