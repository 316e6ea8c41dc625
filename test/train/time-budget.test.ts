import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findLearningRate, type RatePoint, train } from '../../src/train/index.js';
import { epochsWithin } from '../../src/train/time-budget.js';
import { runCli } from '../cli/run-cli.js';
import { eventsOf, small, withShapes } from './runs.js';

test('as many epochs as fit, with their evaluations and a tenth to spare', () => {
  const costs = { batchesPerEpoch: 10, step: 1, evaluation: 0 };
  assert.equal(epochsWithin(109, costs), 9);
  assert.equal(epochsWithin(110.1, costs), 10);
  // An evaluation an epoch up to 14 epochs, then one in two: 15 take less time than 14.
  assert.equal(epochsWithin(10 * 30 * 1.1 + 0.1, { ...costs, evaluation: 20 }), 10);
  assert.equal(epochsWithin((15 * 10 + 8 * 20) * 1.1 + 0.1, { ...costs, evaluation: 20 }), 15);
  assert.equal(epochsWithin(20 * 20 * 1.1 + 0.1, { ...costs, evaluation: 20 }), 20);
  assert.equal(epochsWithin(30 * 1.1 * 10 + 0.1, { ...costs, evaluation: 20 }, 1), 10);
  assert.equal(epochsWithin((10 * 28 + 20) * 1.1 + 0.1, { ...costs, evaluation: 20 }, 0), 28);
  assert.throws(() => epochsWithin(10, costs), {
    code: 'config',
    message: /One epoch .* 11 seconds here, more than 10/,
  });
});

test('a run with a time measures first, then has its epochs like any other', () =>
  withShapes(async (folder, data) => {
    const out = join(folder, 'run');
    const [start, ...rest] = await eventsOf(small(data, out, { epochs: undefined, time: 8, evaluateEvery: 0 }));
    assert.ok(start.kind === 'start' && start.config.epochs >= 1);
    assert.ok(start.config.warmup <= Math.ceil((start.config.epochs * 3) / 10), 'the schedule is that of its epochs');
    assert.equal(rest.at(-1)?.kind, 'end');
  }));

test('times that cannot be', () =>
  withShapes(async (folder, data) => {
    const out = join(folder, 'run');
    const refused = async (more: object, message: RegExp) =>
      assert.rejects(train(small(data, out, more)).next(), (error: Error) => message.test(error.message));
    await refused({ time: 60 }, /epochs or the time .* not both/);
    const step = { epochs: undefined, time: 60, schedule: 'step', milestones: [8, 11] };
    await refused(step, /give its epochs with them, not a time/);
    await refused({ epochs: undefined, time: -1 }, /more than 0 seconds/);
    await refused({ epochs: undefined, time: 0.001 }, /give more time/);
    assert.ok(!existsSync(out), 'nothing was written');
    const { code, stderr } = await runCli('train', '--data', data, '--time', 'soon');
    assert.equal(code, 2);
    assert.match(stderr, /--time soon: expected hours, minutes or seconds/);
  }));

test('the test of learning rates goes through rising rates and suggests one below the best', () =>
  withShapes(async (folder, data) => {
    const out = join(folder, 'run');
    const points: RatePoint[] = [];
    const steps = findLearningRate(small(data, out), 40);
    for (;;) {
      const { done, value } = await steps.next();
      if (done) {
        assert.deepEqual(value.points, points);
        const least = points.reduce((a, b) => (b.smoothed < a.smoothed ? b : a));
        assert.ok(least.smoothed < points[0].smoothed, 'something is learnt on the way');
        assert.equal(value.suggested, least.learningRate / 10);
        break;
      }
      points.push(value);
    }
    assert.ok(
      points.length > 15 && points.every(({ learningRate: rate }, i) => i === 0 || rate > points[i - 1].learningRate),
    );
    assert.ok(!existsSync(out), 'nothing was written');
  }));

test('the test of learning rates ends when it is stopped', () =>
  withShapes(async (folder, data) => {
    const stop = new AbortController();
    const steps = findLearningRate(small(data, join(folder, 'run'), { signal: stop.signal }));
    await steps.next();
    stop.abort();
    await assert.rejects(steps.next(), { code: 'aborted' });
  }));
