import assert from 'node:assert/strict';
import { test } from 'node:test';
import { learningRate, type Schedule } from '../../src/nn/schedules.js';

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}, expected ${expected}`);

test('a constant rate after a linear warm-up', () => {
  const schedule: Schedule = { base: 0.1, warmup: { steps: 10, start: 0.2 }, decay: { kind: 'constant' } };
  near(learningRate(schedule, 0), 0.02);
  near(learningRate(schedule, 5), 0.06);
  near(learningRate(schedule, 10), 0.1);
  near(learningRate(schedule, 1e6), 0.1);
});

test('steps down at each milestone, from the milestone on', () => {
  const schedule: Schedule = { base: 1e-3, decay: { kind: 'step', milestones: [80, 100], factor: 0.1 } };
  near(learningRate(schedule, 79), 1e-3);
  near(learningRate(schedule, 80), 1e-4);
  near(learningRate(schedule, 99), 1e-4);
  near(learningRate(schedule, 100), 1e-5);
});

test('half a cosine over what the warm-up leaves, level after the end', () => {
  const schedule: Schedule = {
    base: 1,
    warmup: { steps: 20, start: 0 },
    decay: { kind: 'cosine', total: 120, end: 0.1 },
  };
  near(learningRate(schedule, 20), 1);
  near(learningRate(schedule, 70), 0.55);
  near(learningRate(schedule, 120), 0.1);
  near(learningRate(schedule, 500), 0.1);
});
