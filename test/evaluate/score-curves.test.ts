import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { operatingPoint, outcomesByClass, scoreCurve, scoreCurves } from '../../src/evaluate/index.js';
import { bestPoint } from '../../src/evaluate/score-curves.js';
import { needs } from '../shared.js';
import { byName } from './by-name.js';
import { close } from './close.js';
import { columnsOf, problemNames, readProblem } from './golden-problems.js';
import { dataOf } from './random-problem.js';

interface Expected {
  curves: {
    category: number;
    positives: number;
    distinctScores?: number;
    best?: Record<'threshold' | 'f1' | 'precision' | 'recall' | 'tp' | 'fp', number> | null;
    at?: Record<string, { tp: number; fp: number }>;
    score?: number[];
    tp?: number[];
    fp?: number[];
  }[];
}

describe('curves over score equal those from pycocotools matches', needs('golden/metrics'), () => {
  for (const name of problemNames()) {
    test(name, () => {
      const { classes, categoryIds, pictures, expected } = readProblem<Expected>(name);
      const outcomes = Array.from(outcomesByClass(columnsOf({ classes, pictures })));
      assert.equal(expected.curves.length, classes.length);
      for (const golden of expected.curves) {
        const what = `category ${golden.category}`;
        const curve = scoreCurve([outcomes[categoryIds.indexOf(golden.category)]]);
        assert.equal(curve.positives, golden.positives, what);
        if (golden.positives === 0) continue;
        assert.equal(curve.scores.length, golden.distinctScores, what);
        const best = bestPoint(curve);
        if (golden.best) {
          for (const [key, value] of Object.entries(golden.best)) {
            close(best![key as keyof typeof golden.best], value, 1e-12, `${what} best ${key}`);
          }
        } else assert.equal(best, undefined);
        for (const [score, { tp, fp }] of Object.entries(golden.at ?? {})) {
          const point = operatingPoint(curve, Number(score));
          assert.deepEqual([point.tp, point.fp], [tp, fp], `${what} at ${score}`);
        }
        for (const column of ['score', 'tp', 'fp'] as const) {
          if (!golden[column]) continue;
          assert.deepEqual(Array.from(curve[column === 'score' ? 'scores' : column]), golden[column], what);
        }
      }
    });
  }
});

describe('curves over score', () => {
  test('pool the classes under one threshold', () => {
    const picture = {
      id: 1,
      truth: { boxes: [0, 0, 10, 10, 50, 0, 60, 10], labels: [0, 1] },
      detections: {
        boxes: [0, 0, 10, 10, 50, 0, 60, 10, 80, 0, 90, 10],
        labels: [0, 1, 2],
        scores: [0.6, 0.5, 0.4],
      },
    };
    const { pooled, perClass } = scoreCurves(dataOf(['cat', 'dog', 'owl'], [picture]));
    assert.deepEqual(pooled?.best, { threshold: 0.5, precision: 1, recall: 1, f1: 1, tp: 2, fp: 0 });
    assert.equal(pooled?.points[7].threshold, 0.4);
    assert.deepEqual([pooled?.points[7].tp, pooled?.points[7].fp], [2, 1]);
    assert.deepEqual(Object.keys(byName(perClass)), ['cat', 'dog'], 'a class without truth has no curve');
  });

  test('of nothing are absent', () => {
    const result = scoreCurves(dataOf(['cat'], []));
    assert.deepEqual(result, { iouThreshold: 0.5, perClass: [] });
  });
});
