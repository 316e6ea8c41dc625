import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ConfusionConvention, ConfusionMatrix } from '../../src/evaluate/index.js';
import { needs } from '../shared.js';
import { problemNames, readProblem } from './golden-problems.js';

interface Recorded {
  score: number;
  iou: number;
  /** Row, column, count. */
  entries: number[][];
}

interface Expected {
  confusion?: { classes: number; mmdet: Recorded; ultralytics: Recorded };
}

describe('confusion matrices equal', needs('golden/metrics'), () => {
  let compared = 0;
  for (const name of problemNames()) {
    test(name, () => {
      const { classes, categoryIds, fileOrder, pictures, expected } = readProblem<Expected>(name);
      if (!expected.confusion) return;
      compared++;
      for (const convention of ['mmdet', 'ultralytics'] as const) {
        const matrix = new ConfusionMatrix({ classes, boxFormat: 'xywh', convention });
        for (const picture of pictures) matrix.addPicture(picture);
        const { counts, labels, minScore, iouThreshold } = matrix.result();
        const { score, iou, entries }: Recorded = expected.confusion[convention];
        assert.deepEqual([minScore, iouThreshold], [score, iou]);
        assert.equal(labels.length, expected.confusion.classes + 1);
        // Recorded classes are in the order of the file, ours by rising id; ultralytics has detections as rows.
        const place = [...fileOrder.map((id) => categoryIds.indexOf(id)), classes.length];
        const recorded = counts.map((row) => row.map(() => 0));
        for (const [row, column, count] of entries) {
          const [truth, detected] = convention === 'mmdet' ? [row, column] : [column, row];
          recorded[place[truth]][place[detected]] = count;
        }
        assert.deepEqual(counts, recorded, convention);
      }
    });
  }
  test('mmdetection and ultralytics in five recorded problems', () => assert.equal(compared, 5));
});

describe('ConfusionMatrix', () => {
  const picture = {
    id: 1,
    truth: { boxes: [0, 0, 10, 10], labels: [0] },
    detections: { boxes: [0, 0, 10, 10, 1, 0, 11, 10], labels: [1, 0], scores: [0.9, 0.8] },
  };

  test('one to one gives the object to the surer detection', () => {
    const matrix = new ConfusionMatrix({ classes: ['cat', 'dog'] });
    matrix.addPicture(picture);
    assert.deepEqual(matrix.result().counts, [
      [0, 1, 0],
      [0, 0, 0],
      [1, 0, 0],
    ]);
  });

  test('every pair counts both', () => {
    const matrix = new ConfusionMatrix({ classes: ['cat', 'dog'], convention: 'mmdet' });
    matrix.addPicture(picture);
    assert.deepEqual(matrix.result().counts, [
      [1, 1, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  test('takes thresholds of one s own and refuses others', () => {
    const matrix = new ConfusionMatrix({ classes: ['cat', 'dog'], minScore: 0.85 });
    matrix.addPicture(picture);
    assert.equal(matrix.result().counts[0][1], 1);
    assert.equal(
      matrix
        .result()
        .counts.flat()
        .reduce((sum, count) => sum + count, 0),
      1,
    );
    assert.throws(() => new ConfusionMatrix({ classes: ['cat'], minScore: Number.NaN }), { code: 'config' });
    const convention = 'sklearn' as ConfusionConvention;
    assert.throws(() => new ConfusionMatrix({ classes: ['cat'], convention }), {
      code: 'config',
      message: /convention is "sklearn", expected mmdet or ultralytics/,
    });
    assert.throws(() => matrix.addPicture({ id: 2, truth: { boxes: [0], labels: [0] } }), { code: 'data' });
  });
});
