import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Terminal } from '../../src/cli/terminal.js';
import { TrainProgress } from '../../src/cli/train-progress.js';
import type { TrainEvent } from '../../src/train/events.js';

const stepEvent = (step: number, secondsLeft: number): TrainEvent => ({
  ...{ kind: 'step', epoch: 1, step, steps: 102, loss: 17.07, losses: { odm_conf: 6.53 }, gradientNorm: 60 },
  ...{ learningRate: 0.001, picturesPerSecond: 4.9, waiting: 0.001, secondsLeft },
});

test('the first step, which takes longer than all others, says nothing of the time that is left', async () => {
  const lines: string[] = [];
  const terminal = { progress: (line: string) => lines.push(line), note: () => {} } as unknown as Terminal;
  const progress = new TrainProgress(terminal);
  // A run that goes on at step 51.
  await progress.show(stepEvent(51, 800));
  await progress.show(stepEvent(52, 67));
  assert.deepEqual(lines, [
    'epoch 1  51/102  loss 17.07 (odm_conf 6.53)',
    'epoch 1  52/102  1:07 left  loss 17.07 (odm_conf 6.53)  4.9 pictures/s, waiting 0.1 %',
  ]);
});
