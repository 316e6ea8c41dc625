import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseBatch, type MemoryFacts, warnOfBatch } from '../../src/train/batch-size.js';

const gibi = 2 ** 30;

/** Takes 1 GiB, and one more a picture. */
const memory = (available: number): MemoryFacts => ({
  available: available * gibi,
  needed: (batch) => (1 + batch) * gibi,
});

test('4 pictures, 8 from 1000 on, where they fit', () => {
  assert.equal(chooseBatch(999, undefined).batch, 4);
  assert.equal(chooseBatch(1000, undefined).batch, 8);
  const { batch, accumulate, why, warning } = chooseBatch(999, undefined, memory(6));
  assert.deepEqual([batch, accumulate, warning], [4, 1, undefined]);
  assert.match(why, /takes about 5\.0 GiB of the 6\.0 GiB of memory that are free$/);
});

test('as many as fit with something to spare, in as many steps an update as make up for it', () => {
  // 9, 5, 3 and 2 GiB are needed; 0.85 of what is there is planned with.
  const chosen = [10.7, 10.5, 5.8, 3.5].map((available) => chooseBatch(2000, undefined, memory(available)));
  assert.deepEqual(
    chosen.map(({ batch, accumulate, warning }) => [batch, accumulate, warning]),
    [
      [8, 1, undefined],
      [4, 2, undefined],
      [2, 4, undefined],
      [1, 8, undefined],
    ],
  );
  assert.match(
    chosen[2].why,
    /^8 would take about 9\.0 GiB of memory, and 5\.8 GiB are free; this takes about 3\.0 GiB$/,
  );
});

test('steps an update that were asked for stay', () => {
  const { batch, accumulate } = chooseBatch(100, 3, memory(3.6));
  assert.deepEqual([batch, accumulate], [2, 3]);
});

test('gradients that are gathered take memory too', () => {
  const asked: [number, number][] = [];
  const needed = (batch: number, accumulate: number) => {
    asked.push([batch, accumulate]);
    return batch * gibi + (accumulate > 1 ? gibi : 0);
  };
  const { batch } = chooseBatch(100, undefined, { available: 3.5 * gibi, needed });
  assert.equal(batch, 1);
  assert.deepEqual(asked, [
    [4, 1],
    [2, 2],
    [1, 4],
  ]);
});

test('where not even one picture fits it is tried all the same, with a warning', () => {
  const { batch, warning } = chooseBatch(100, undefined, memory(1));
  assert.equal(batch, 1);
  assert.equal(
    warning,
    'Training with one picture in a step takes about 2.0 GiB of memory, and 1.0 GiB are free: it may be slow, or be killed; a smaller model or input helps.',
  );
});

test('a batch that was asked for is warned of, and stays', () => {
  assert.equal(warnOfBatch(4, 1, memory(6)), undefined);
  assert.match(warnOfBatch(16, 1, memory(6))!, /^Training with 16 pictures .* 17\.0 GiB .* 6\.0 GiB .* --accumulate/);
});
