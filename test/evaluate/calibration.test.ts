import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { calibration, type EvaluatedPicture, outcomesByClass } from '../../src/evaluate/index.js';
import { close } from './close.js';
import { dataOf, randomProblem } from './random-problem.js';

/** One object, and a detection for each score: the first n are of objects of their own, the others of nothing. */
function scored(right: number[], wrong: number[]): EvaluatedPicture {
  const boxes = right.flatMap((_, i) => [20 * i, 0, 20 * i + 10, 10]);
  return {
    id: 1,
    truth: { boxes, labels: right.map(() => 0) },
    detections: {
      boxes: [...boxes, ...wrong.flatMap((_, i) => [20 * i, 50, 20 * i + 10, 60])],
      labels: [...right, ...wrong].map(() => 0),
      scores: [...right, ...wrong],
    },
  };
}

describe('calibration', () => {
  test('is perfect where seven of ten detections of score 0.7 are right', () => {
    const { dEce, maxError, laEce, detections } = calibration(
      dataOf(['a'], [scored(Array(7).fill(0.7), Array(3).fill(0.7))]),
    );
    assert.equal(detections, 10);
    close(dEce, 0, 1e-15, 'dEce');
    close(maxError, 0, 1e-15, 'maxError');
    close(laEce, 0, 1e-15, 'laEce, boxes being perfect');
  });

  test('weighs bins by their detections', () => {
    const result = calibration(dataOf(['a'], [scored([0.9, 0.9, 1], [0.1])]), { bins: 2 });
    // [0, 0.5): one false of score 0.1. [0.5, 1]: three right of mean score 2.8 / 3.
    close(result.dEce, (0.1 + 0.2) / 4, 1e-15, 'dEce');
    close(result.maxError, 0.1, 1e-15, 'maxError');
    assert.deepEqual(
      result.bins.map(({ from, to, detections, precision }) => [from, to, detections, precision]),
      [
        [0, 0.5, 1, 0],
        [0.5, 1, 3, 1],
      ],
    );
    assert.equal(result.bins[0].meanOverlap, null);
    close(calibration(dataOf(['a'], [scored([0.9], [0.1])]), { minScore: 0.5 }).dEce, 0.1, 1e-15, 'from 0.5 on');
  });

  test('equals a loop over all detections', () => {
    for (let seed = 0; seed < 50; seed++) {
      const data = dataOf(['a', 'b'], randomProblem(seed, { pictures: 20, classes: 2, crowds: true }));
      const outcomes = Array.from(outcomesByClass(data));
      const bins = 10;
      const errorOf = (classes: number[], reached: (k: number, i: number) => number) => {
        let error = 0;
        let count = 0;
        for (let bin = 0; bin < bins; bin++) {
          let difference = 0;
          for (const k of classes) {
            const { scores, matched, ignored } = outcomes[k];
            for (let i = 0; i < scores.length; i++) {
              if (ignored[i] || scores[i] < bin / bins || scores[i] >= (bin + 1) / bins) continue;
              difference += scores[i] - (matched[i] ? reached(k, i) : 0);
              count++;
            }
          }
          error += Math.abs(difference);
        }
        return error / count;
      };
      const { dEce, laEce } = calibration(data, { bins });
      close(
        dEce,
        errorOf([0, 1], () => 1),
        1e-12,
        `seed ${seed} dEce`,
      );
      const localised = [0, 1].map((own) => errorOf([own], (k, i) => outcomes[k].overlaps[i]));
      close(laEce, (localised[0] + localised[1]) / 2, 1e-12, `seed ${seed} laEce`);
    }
  });

  test('refuses scores that are no probabilities; of nothing it has no figure', () => {
    assert.throws(() => calibration(dataOf(['a'], [scored([], [1.5])])), {
      code: 'data',
      message: /class "a" has the score 1\.5.*from 0 to 1/,
    });
    assert.throws(() => calibration(dataOf(['a'], []), { bins: 0 }), { code: 'config' });
    assert.throws(() => calibration(dataOf(['a'], []), { minScore: 2 }), { code: 'config' });
    assert.equal(calibration(dataOf(['a'], [])).dEce, null);
  });
});
