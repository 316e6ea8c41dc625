import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CocoEvaluator,
  type ComparisonOptions,
  comparePaired,
  type Detections,
  type EvaluatedPicture,
  type EvaluationData,
  type Truth,
} from '../../src/evaluate/index.js';
import { byName } from './by-name.js';
import { close } from './close.js';
import { dataOf, randomProblem } from './random-problem.js';

const classes = ['a', 'b'];

interface ComparedPicture {
  id: number | string;
  truth: Truth;
  a?: Detections;
  b?: Detections;
}

/** Two sets of detections for the pictures of one problem. */
function twoProblems(seed: number, count: number) {
  const pictures = randomProblem(seed, { pictures: count, classes: 2 });
  const others = randomProblem(seed + 1000, { pictures: count, classes: 2 });
  return pictures.map(({ id, truth, detections }, i) => ({ id, truth, a: detections, b: others[i].detections }));
}

function precisionOf(pictures: readonly EvaluatedPicture[]): number {
  const evaluator = new CocoEvaluator({ classes });
  for (const picture of pictures) evaluator.addPicture(picture);
  return evaluator.result().coco.AP;
}

function compared(pictures: readonly ComparedPicture[], options: ComparisonOptions = {}) {
  const side = (which: 'a' | 'b') =>
    dataOf(
      classes,
      pictures.map(({ id, truth, [which]: detections }) => ({ id, truth, detections })),
    );
  return comparePaired(side('a'), side('b'), options);
}

describe('comparePaired', () => {
  test('measures both with COCO s AP', async () => {
    const pictures = twoProblems(1, 30);
    const { a, b, difference } = await compared(pictures, { resamples: 50, permutations: 50 });
    close(a, precisionOf(pictures.map(({ id, truth, a: detections }) => ({ id, truth, detections }))), 1e-12, 'a');
    close(b, precisionOf(pictures.map(({ id, truth, b: detections }) => ({ id, truth, detections }))), 1e-12, 'b');
    assert.equal(difference?.value, b - a);
  });

  test('its p-value is that of all exchanges', async () => {
    for (const seed of [1, 2, 3]) {
      const pictures = twoProblems(seed, 6);
      const differences = Array.from({ length: 2 ** pictures.length }, (_, mask) => {
        const side = (swap: number) =>
          precisionOf(
            pictures.map(({ id, truth, a, b }, i) => ({ id, truth, detections: ((mask >> i) & 1) === swap ? a : b })),
          );
        return Math.abs(side(1) - side(0));
      });
      const given = differences[0];
      const exact = differences.filter((difference) => difference >= given - 1e-12).length / differences.length;
      const { p } = await compared(pictures, { resamples: 1, permutations: 4000 });
      // Four standard errors of 4000 draws are at most 0.032.
      close(p, exact, 0.032, `p of seed ${seed}`);
    }
  });

  test('sees no difference between equal files', async () => {
    const pictures = twoProblems(5, 20).map((picture) => ({ ...picture, b: picture.a }));
    const result = await compared(pictures, { resamples: 50, permutations: 50 });
    assert.deepEqual([result.difference?.low, result.difference?.high, result.p], [0, 0, 1]);
    assert.deepEqual([result.better, result.worse], [0, 0]);
    assert.deepEqual([result.mostImproved, result.mostWorsened], [[], []]);
    assert.equal(result.same + result.withoutTruth.pictures, 20);
  });

  test('is sure of a clear one, and names the pictures', async () => {
    const truth = { boxes: [0, 0, 10, 10], labels: [0] };
    const found = (x: number): Detections => ({ boxes: [x, 0, x + 10, 10], labels: [0], scores: [0.9] });
    const pictures = Array.from({ length: 20 }, (_, id) => ({ id, truth, a: found(2), b: found(id === 7 ? 30 : 0) }));
    const empty = { id: 20, truth: { boxes: [], labels: [] }, a: found(0) };
    const result = await compared([...pictures, empty], { examples: 2 });
    const { low } = result.difference!;
    assert.ok(result.p < 0.01 && low > 0, `p ${result.p}, from ${low}`);
    assert.deepEqual([result.better, result.worse, result.same], [19, 1, 0]);
    assert.deepEqual(result.withoutTruth, { pictures: 1, better: 1, worse: 0 });
    assert.equal(result.mostImproved.length, 2);
    assert.equal(result.mostWorsened.length, 1);
    const [{ id, a, b }] = result.mostWorsened;
    assert.equal(id, 7);
    close(a, 0.4, 1e-12, 'own AP with A');
    assert.equal(b, 0);
    assert.deepEqual(Object.keys(byName(result.perClass)), ['a'], 'the class with truth');
  });

  test('takes pictures in any order', async () => {
    const pictures = twoProblems(9, 12);
    const options = { resamples: 20, permutations: 20 };
    const a = dataOf(
      classes,
      pictures.map(({ id, truth, a: detections }) => ({ id, truth, detections })),
    );
    const b = dataOf(classes, pictures.map(({ id, truth, b: detections }) => ({ id, truth, detections })).reverse());
    assert.deepEqual(await comparePaired(a, b, options), await compared(pictures, options));
  });

  test('refuses what is not of one ground truth, and draws that are none', async () => {
    const pictures = twoProblems(1, 3);
    const side = (count: number, change = {}) =>
      dataOf(
        classes,
        pictures.slice(0, count).map(({ id, truth }) => ({ id, truth, ...change })),
      );
    const refused = (b: EvaluationData, message: RegExp) =>
      assert.rejects(comparePaired(side(2), b), { code: 'data', message });
    await refused(side(1), /picture 1 is in A and not in B/);
    await refused(side(3), /A has 2 pictures, B 3: both must be of the same ground truth/);
    await refused(
      side(2, { truth: { boxes: [0, 0, 1, 1], labels: [0] } }),
      /picture 0 has other objects in A than in B/,
    );
    await refused(dataOf(['a'], []), /A has classes a, b \(xyxy\), B a \(xyxy\)/);
    const object = { boxes: [0, 0, 1, 1], labels: [0] };
    const crowded = dataOf(classes, [{ id: 0, truth: { ...object, crowd: [1] } }]);
    await assert.rejects(comparePaired(dataOf(classes, [{ id: 0, truth: object }]), crowded), {
      code: 'data',
      message: /picture 0 has other crowd regions in A than in B/,
    });
    for (const name of ['permutations', 'resamples']) {
      const message = new RegExp(`^${name} is 0, expected`);
      await assert.rejects(comparePaired(side(1), side(1), { [name]: 0 }), { code: 'config', message });
    }
  });

  test('has no difference to tell where there is no truth', async () => {
    const { a, b, difference, p } = await comparePaired(dataOf(classes, []), dataOf(classes, []));
    assert.deepEqual([a, b, difference, p], [-1, -1, undefined, 1]);
  });

  test('ends when it is stopped, drawing or exchanging', async () => {
    const pictures = twoProblems(1, 30);
    for (const rounds of [{ resamples: 1e8 }, { resamples: 1, permutations: 1e8 }]) {
      const signal = AbortSignal.timeout(30);
      await assert.rejects(compared(pictures, { ...rounds, signal }), { code: 'aborted' });
    }
  });
});
