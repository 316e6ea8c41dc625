// The worker thread of BatchLoader: fills one batch after the other and sends its memory back.
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { buffersOf } from './batch.js';
import { describeError, type FillSetup, type FillTask, fillBatch } from './fill.js';
import type { Answer } from './worker-pool.js';

const port = parentPort as MessagePort;
const setup = workerData as FillSetup;

port.on('message', async (task: FillTask) => {
  try {
    const result = await fillBatch(setup, task);
    port.postMessage({ result } satisfies Answer, buffersOf(result.arrays));
  } catch (error) {
    port.postMessage({ error: describeError(error) } satisfies Answer);
  }
});
