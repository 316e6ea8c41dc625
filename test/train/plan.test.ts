import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DataFacts, type TrainOptions, trainConfig } from '../../src/train/config.js';
import { planOf } from '../../src/train/plan.js';

const facts: DataFacts = {
  classes: ['cell'],
  pictures: 205,
  enough: 5000,
  maxBoxes: 9,
  canvases: [{ width: 320, height: 320 }],
  hasBatchNorm: true,
  earlyLayers: ['backbone.conv1', 'backbone.layer1'],
  fixedStatistics: [],
};

function plan(given: Partial<TrainOptions>, more = {}) {
  const options = { data: 'cells', model: 'refinedet-resnet18-320', ...given };
  const config = trainConfig(options, facts);
  const batch = given.batch === undefined ? { batch: 4, accumulate: 1, why: 'few' } : undefined;
  const model = { model: options.model, ...(given.model ? {} : { why: 'large objects' }) };
  return planOf({ options, config, model, batch, pictures: 205, hasBatchNorm: true, ...more });
}

const settings = (given: Partial<TrainOptions>, more = {}) => plan(given, more).map(({ setting }) => setting);

test('everything that was chosen has its value and a reason', () => {
  const choices = plan({ weights: 'resnet18.pth' });
  assert.deepEqual(
    choices.map(({ setting, value }) => [setting, value]),
    [
      ['model', 'refinedet-resnet18-320'],
      ['batch', '4'],
      ['epochs', '25'],
      ['learningRate', '0.0005'],
      ['schedule', 'cosine'],
      ['freeze', 'backbone.conv1 backbone.layer1'],
    ],
  );
  assert.ok(choices.every(({ why }) => why.length > 0));
  assert.equal(choices[2].why, '5125 pictures are seen in all');
  assert.match(choices[3].why, /^adamw, from weights/);
});

test('what was given is not explained', () => {
  const all = { model: 'refinedet-tiny-64', batch: 2, epochs: 3, learningRate: 1e-3, schedule: 'cosine' } as const;
  assert.deepEqual(settings(all), []);
  assert.deepEqual(settings({ ...all, learningRate: undefined, optimizer: 'sgd' }), ['learningRate']);
  assert.match(plan({ ...all, learningRate: undefined, optimizer: 'sgd' })[0].why, /sgd: as published/);
  assert.deepEqual(settings({ ...all, weights: 'w.pth' }), ['freeze']);
  assert.deepEqual(settings({ ...all, weights: 'w.pth', freeze: [] }), []);
});

test('a smaller batch says how it is made up for, epochs of a time what they were computed from', () => {
  const batch = { batch: 2, accumulate: 2, why: 'memory' };
  assert.deepEqual(settings({ model: 'refinedet-tiny-64', epochs: 1, learningRate: 1, warmup: 0 }, { batch }), [
    'batch',
    'accumulate',
  ]);
  const costs = { batchesPerEpoch: 51, step: 1.2, evaluation: 8 };
  const epochs = plan({ time: 1800 }, { costs }).find(({ setting }) => setting === 'epochs');
  assert.equal(
    epochs?.why,
    'as many as fit into 30 minutes: 26 of steps (1.2 s a step, 8 s an evaluation), evaluations, and a tenth to spare',
  );
});
