import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cocoTables, cocoTablesOnThreads } from '../../src/evaluate/index.js';
import { generatedProblem } from './generated-problem.js';

const { data } = generatedProblem('threads', { images: 40, categories: 7, absent: 2, dets: 60 });

test('several threads give the tables of one, to the last bit', async () => {
  const options = { iouThresholds: [0.5, 0.75], maxDetections: [1, 20] };
  const expected = cocoTables(data, options);
  assert.ok(expected.recall.some((recall) => recall > 0));
  for (const threads of [1, 2, 3, 50]) {
    const { settings, precision, scores, recall } = await cocoTablesOnThreads(data, options, threads);
    assert.deepEqual(settings, expected.settings);
    assert.deepEqual(Array.from(precision), Array.from(expected.precision), `${threads} threads`);
    assert.deepEqual(Array.from(scores), Array.from(expected.scores));
    assert.deepEqual(Array.from(recall), Array.from(expected.recall));
  }
});

test('without classes one thread does it, and options are checked before any is started', async () => {
  const agnostic = { agnostic: true };
  assert.deepEqual(await cocoTablesOnThreads(data, agnostic, 4), cocoTables(data, agnostic));
  await assert.rejects(cocoTablesOnThreads(data, { maxDetections: [] }, 4), { code: 'config' });
});

test('a signal ends the threads', async () => {
  const stop = new AbortController();
  const tables = cocoTablesOnThreads(data, {}, 2, stop.signal);
  stop.abort();
  await assert.rejects(tables, { code: 'aborted' });
  await assert.rejects(cocoTablesOnThreads(data, {}, 1, stop.signal), { code: 'aborted' });
});
