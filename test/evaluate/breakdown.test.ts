import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  aspectRanges,
  breakdown,
  CocoEvaluator,
  meanPrecision,
  meanRecall,
  type RangeFigures,
  sizeRanges,
} from '../../src/evaluate/index.js';
import { close } from './close.js';
import { dataOf, randomProblem } from './random-problem.js';
import { slowPrecision } from './slow-evaluator.js';

const classes = ['a', 'b', 'c'];

describe('breakdown', () => {
  test('by size equals CocoEvaluator with those areas', () => {
    for (let seed = 0; seed < 100; seed++) {
      const pictures = randomProblem(seed, { pictures: 8, classes: 3, scores: 9, crowds: true });
      const evaluator = new CocoEvaluator({ classes, areas: sizeRanges });
      for (const picture of pictures) evaluator.addPicture(picture);
      const tables = evaluator.tables();
      for (const { name: area, AP, AP50, recall, recall50 } of breakdown(evaluator.data()).sizes) {
        const what = `seed ${seed}, ${area}`;
        close(AP, meanPrecision(tables, { area }), 1e-12, `${what} AP`);
        close(AP50, meanPrecision(tables, { area, iouThreshold: 0.5 }), 1e-12, `${what} AP50`);
        close(recall, meanRecall(tables, { area }), 1e-12, `${what} recall`);
        close(recall50, meanRecall(tables, { area, iouThreshold: 0.5 }), 1e-12, `${what} recall50`);
      }
    }
  });

  test('by shape equals a slow evaluator', () => {
    for (let seed = 0; seed < 100; seed++) {
      const pictures = randomProblem(seed, { pictures: 6, classes: 1, scores: 9, crowds: true });
      const { aspects } = breakdown(dataOf(['a'], pictures), { iouThresholds: [0.5] });
      assert.equal(aspects.length, aspectRanges.length);
      for (const { name, from, to, AP, recall } of aspects) {
        const range = { from, to, measure: 'aspect' as const };
        const slow = slowPrecision(pictures, { label: 0, threshold: 0.5, range });
        close(AP, slow?.AP ?? -1, 1e-12, `seed ${seed}, ${name} AP`);
        close(recall, slow?.recall ?? -1, 1e-12, `seed ${seed}, ${name} recall`);
      }
    }
  });

  test('counts the objects of each range, and writes as JSON', () => {
    const truth = { boxes: [0, 0, 10, 10, 0, 0, 100, 20, 0, 0, 0, 0], labels: [0, 0, 0] };
    const result = breakdown(dataOf(['a'], [{ id: 1, truth }]));
    const counts = (ranges: readonly RangeFigures[]) => ranges.map(({ positives }) => positives);
    assert.deepEqual(counts(result.sizes), [2, 0, 1, 0, 0]);
    assert.deepEqual(counts(result.aspects), [0, 0, 2, 0, 1], 'a box without size is a square');
    const { sizes } = JSON.parse(JSON.stringify(result));
    assert.deepEqual([sizes[0].AP, sizes[1].AP, sizes[4].to], [0, -1, null]);
  });
});
