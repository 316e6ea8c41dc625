import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradient, input, reduceSum } from '../../src/graph/index.js';
import { crossEntropy, sigmoidFocal, smoothL1, sumAll } from '../../src/nn/losses.js';
import { evaluate, floats, integers, numbersOf, pseudo } from '../graph/harness.js';

const extremes = [-1e4, -100, -20, -1, 0, 1, 20, 100, 1e4];

function close(actual: readonly number[], expected: readonly number[], rtol = 1e-5): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => {
    const error = Math.abs(value - expected[i]);
    assert.ok(error <= rtol * Math.max(Math.abs(expected[i]), 1e-3), `value ${i}: ${value}, expected ${expected[i]}`);
  });
}

/** ln(1 + e^x) without overflow. */
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

test('cross-entropy and its gradient are right and finite at extreme logits', async () => {
  const rows = extremes.flatMap((x) => [x, 0, -x]);
  const logits = input('logits', 'float32', [9, 3]);
  const loss = crossEntropy(logits, input('labels', 'int64', [9]));
  const [slope] = gradient(reduceSum(loss), [logits]);
  const labels = extremes.map((_, i) => i % 3);
  const results = await evaluate({ loss, slope }, { logits: floats([9, 3], rows), labels: integers([9], labels) });
  const expected = extremes.map((x, i) => {
    const row = [x, 0, -x];
    const top = Math.max(...row);
    const total = row.reduce((sum, value) => sum + Math.exp(value - top), 0);
    return { loss: top + Math.log(total) - row[i % 3], p: row.map((value) => Math.exp(value - top) / total) };
  });
  close(
    numbersOf(results.loss),
    expected.map(({ loss }) => loss),
  );
  close(
    numbersOf(results.slope),
    expected.flatMap(({ p }, i) => p.map((value, k) => value - (k === i % 3 ? 1 : 0))),
  );
});

for (const gamma of [0, 1, 2]) {
  test(`sigmoid focal loss with gamma ${gamma} is right and finite at extreme logits`, async () => {
    const alpha = 0.75;
    const logits = input('logits', 'float32', [18]);
    const loss = sigmoidFocal(logits, input('targets', 'float32', [18]), { alpha, gamma });
    const [slope] = gradient(reduceSum(loss), [logits]);
    const results = await evaluate(
      { loss, slope },
      {
        logits: floats([18], [...extremes, ...extremes]),
        targets: floats(
          [18],
          Array.from({ length: 18 }, (_, i) => (i < 9 ? 1 : 0)),
        ),
      },
    );
    // By the side of the label: z is the logit that speaks for it, q its probability.
    const expected = [...extremes, ...extremes].map((x, i) => {
      const z = i < 9 ? x : -x;
      const wrong = Math.exp(-softplus(z));
      const q = Math.exp(-softplus(-z));
      const weight = i < 9 ? alpha : 1 - alpha;
      const down = gamma * wrong ** gamma * q * softplus(-z) + wrong ** gamma * wrong;
      return { loss: weight * wrong ** gamma * softplus(-z), slope: -weight * down * (i < 9 ? 1 : -1) };
    });
    close(
      numbersOf(results.loss),
      expected.map(({ loss }) => loss),
    );
    close(
      numbersOf(results.slope),
      expected.map(({ slope }) => slope),
      1e-4,
    );
  });
}

test('smooth L1 changes from square to line at beta, with a gradient of at most one', async () => {
  const x = input('x', 'float32', [7]);
  const outputs = Object.fromEntries(
    [1, 1 / 9].flatMap((beta, i) => {
      const loss = smoothL1(x, beta);
      return [
        [`loss ${i}`, loss],
        [`slope ${i}`, gradient(reduceSum(loss), [x])[0]],
      ];
    }),
  );
  const values = [-1e6, -2, -0.5, 0, 0.05, 1, 3];
  const results = await evaluate(outputs, { x: floats([7], values) });
  [1, 1 / 9].forEach((beta, i) => {
    const square = (v: number) => Math.abs(v) < beta;
    close(
      numbersOf(results[`loss ${i}`]),
      values.map((v) => (square(v) ? (0.5 * v * v) / beta : Math.abs(v) - 0.5 * beta)),
    );
    close(
      numbersOf(results[`slope ${i}`]),
      values.map((v) => (square(v) ? v / beta : Math.sign(v))),
    );
  });
});

test('a sum of a million terms keeps float32 accuracy', async () => {
  const shape = [2, 6375, 81];
  const data = pseudo(2 * 6375 * 81, 4).map((value) => value + 1);
  const { sum } = await evaluate(
    { sum: sumAll(input('x', 'float32', shape)) },
    { x: { dtype: 'float32', shape, data } },
  );
  const exact = data.reduce((total, value) => total + value, 0);
  assert.deepEqual(sum.shape, []);
  assert.ok(Math.abs(numbersOf(sum)[0] - exact) < 1e-6 * exact);
});
