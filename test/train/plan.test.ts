import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type DataFacts, type TrainOptions, trainConfig } from '../../src/train/config.js';
import { train } from '../../src/train/index.js';
import { planOf } from '../../src/train/plan.js';
import { eventsOf, resumed, small, withShapes } from './runs.js';

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
    'as many as fit into 30 minutes: 26 minutes of steps (1.2 s a step, 8 s an evaluation), evaluations, and a tenth to spare',
  );
});

test('a run says what it chose before its first step, and keeps it; one that goes on does not', () =>
  withShapes(async (folder, data) => {
    const out = join(folder, 'run');
    const given = { out, epochs: 1, threads: 1, workers: 1 };
    const [start, plan, ...rest] = await eventsOf({ ...small(data, out), ...given, model: 'refinedet-tiny' });
    assert.ok(start.kind === 'start' && plan.kind === 'plan');
    assert.equal(start.config.model, 'refinedet-tiny-192', 'the pictures have 96 pixels');
    const [model, ...others] = plan.choices;
    assert.deepEqual([model.setting, model.value], ['model', 'refinedet-tiny-192']);
    assert.match(model.why, /longer side has 96 pixels/);
    assert.deepEqual(
      others.map(({ setting }) => setting),
      ['learningRate', 'schedule'],
    );
    assert.equal(rest.filter(({ kind }) => kind === 'plan').length, 0);
    assert.match(await readFile(join(out, 'report.html'), 'utf8'), /Chosen, as nothing was given.*longer side has 96/s);
    const again = await eventsOf(resumed(out));
    assert.ok(again.every(({ kind }) => kind !== 'plan'));

    // Its weights say which model they are of.
    const weights = join(out, 'best.safetensors');
    const further = train({ data, weights, ...given, out: join(folder, 'further') });
    const { value: first } = await further.next();
    await further.return();
    assert.ok(first?.kind === 'start' && first.config.model === 'refinedet-tiny-192');
    assert.ok([1, 2, 4].includes(first.config.batch) && first.config.batch * first.config.accumulate === 4);
  }));
