import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  aspectRanges,
  breakdown,
  breakdownRanges,
  CocoEvaluator,
  DetectionMatches,
  meanPrecision,
  meanRecall,
  sizeRanges,
} from '../../src/evaluate/index.js';
import { close } from './close.js';
import { randomProblem } from './random-problem.js';
import { slowPrecision } from './slow-evaluator.js';

const classes = ['a', 'b', 'c'];

describe('breakdown', () => {
  test('by size equals CocoEvaluator with those areas', () => {
    for (let seed = 0; seed < 100; seed++) {
      const pictures = randomProblem(seed, { pictures: 8, classes: 3, scores: 9, crowds: true });
      const matches = new DetectionMatches({ classes, ranges: breakdownRanges });
      const areas = [{ name: 'all', from: 0, to: Infinity }, ...sizeRanges];
      const evaluator = new CocoEvaluator({ classes, areas });
      for (const picture of pictures) {
        matches.addPicture(picture);
        evaluator.addPicture(picture);
      }
      const tables = evaluator.tables();
      for (const { range, AP, AP50, recall, recall50 } of breakdown(matches).slice(0, areas.length)) {
        const what = `seed ${seed}, ${range.name}`;
        const area = range.name;
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
      const matches = new DetectionMatches({ classes: ['a'], iouThresholds: [0.5], ranges: aspectRanges });
      for (const picture of pictures) matches.addPicture(picture);
      for (const { range, AP, recall } of breakdown(matches)) {
        const slow = slowPrecision(pictures, { label: 0, threshold: 0.5, range });
        close(AP, slow?.AP ?? -1, 1e-12, `seed ${seed}, ${range.name} AP`);
        close(recall, slow?.recall ?? -1, 1e-12, `seed ${seed}, ${range.name} recall`);
      }
    }
  });

  test('counts the objects of each range, and writes as JSON', () => {
    const matches = new DetectionMatches({ classes: ['a'], ranges: breakdownRanges });
    matches.addPicture({ id: 1, truth: { boxes: [0, 0, 10, 10, 0, 0, 100, 20, 0, 0, 0, 0], labels: [0, 0, 0] } });
    const counted = breakdown(matches).filter(({ positives }) => positives > 0);
    assert.deepEqual(
      counted.map(({ range, positives }) => [range.name, positives]),
      [
        ['all', 3],
        ['tiny', 2],
        ['medium', 1],
        ['square', 2], // one of them without size
        ['very wide', 1],
      ],
    );
    assert.equal(JSON.parse(JSON.stringify(breakdown(matches)))[1].AP, 0);
  });
});

describe('DetectionMatches refuses', () => {
  const refused = (options: object, message: RegExp) =>
    assert.throws(() => new DetectionMatches({ classes: ['a'], ...options }), { code: 'config', message });
  test('options that cannot be met', () => {
    refused({ classes: [] }, /no class/);
    refused({ classes: ['a', 'a'] }, /class "a" is listed twice/);
    refused({ iouThresholds: [0] }, /iouThresholds is \[0\]/);
    refused({ maxDetections: 0 }, /maxDetections is 0/);
    refused({ ranges: [] }, /ranges is \[\]/);
    refused({ ranges: [{ name: 'x', from: 2, to: 1 }] }, /from at most to/);
  });

  test('a picture that comes twice, or does not fit', () => {
    const matches = new DetectionMatches({ classes: ['a'] });
    matches.addPicture({ id: 'p', truth: { boxes: [], labels: [] } });
    const again = { code: 'data', message: /picture "p" was added before/ };
    assert.throws(() => matches.addPicture({ id: 'p', truth: { boxes: [], labels: [] } }), again);
    assert.throws(() => matches.addPicture({ id: 'q', truth: { boxes: [1], labels: [0] } }), { code: 'data' });
    assert.equal(matches.pictures, 1);
  });
});
