import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from '../../fuzz/run.js';
import { loadTarget, readerOf, readerTargets, targetNames } from '../../fuzz/targets.js';
import { weightReaders } from '../../src/weights/weight-readers.js';

// `npm run fuzz -- [target] --cases 100000` is the long run.
for (const target of targetNames) {
  test(`${target}: damaged and hostile files are read or refused, in time and memory`, async () => {
    const report = await fuzz({ target, seed: 1, first: 0, cases: 600 });
    const named = report.broken.map(
      ({ number, problem }) => `npm run fuzz -- ${target} --seed 1 --case ${number}: ${problem}`,
    );
    assert.deepEqual(named, []);
    assert.equal(report.read + report.refused, 600);
    assert.ok(report.refused > 300, `only ${report.refused} of the cases were damaged`);
  });
}

test('every reader is a target', async () => {
  const targets = await Promise.all(Object.keys(readerTargets).map(loadTarget));
  assert.deepEqual(new Set(targets.map(({ samples }) => readerOf(samples[0]))), new Set(weightReaders));
});

test('the harness finds what a reader may not do: throw, hang, believe lengths, fill memory, give half a tensor', async () => {
  const { broken, read } = await fuzz({ target: 'faulty', seed: 1, first: 0, cases: 8, patience: 2000 });
  assert.deepEqual(
    broken.map(({ number }) => number),
    [1, 2, 3, 4, 5, 6, 7],
  );
  const expected = [
    /TypeError: of the reader/,
    /does not name the file/,
    /asked for arrays of 1073741824 bytes.*RangeError/,
    /asked for arrays of 1073741824 bytes/, // though it caught the error
    /did not end/,
    /the process ended|did not end/, // out of memory
    /"short" \[3\] has 2 elements/,
  ];
  for (const [i, pattern] of expected.entries()) assert.match(broken[i].problem, pattern);
  assert.equal(read, 2, 'the right one and the one that does not fill its shape');
});
