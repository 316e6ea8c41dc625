import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomStream } from '../../src/data/augment/random.js';
import {
  cocoAreas,
  cocoIouThresholds,
  type Frequency,
  LvisEvaluator,
  type LvisPicture,
} from '../../src/evaluate/index.js';
import { byName } from './by-name.js';
import { close } from './close.js';
import { randomProblem } from './random-problem.js';
import { slowPrecision } from './slow-evaluator.js';

const classes = ['a', 'b', 'c', 'd'];
const frequencies: Frequency[] = ['r', 'c', 'f', 'f'];

function evaluate(pictures: readonly LvisPicture[], maxDetections?: number) {
  const evaluator = new LvisEvaluator({ classes, frequencies, maxDetections });
  for (const picture of pictures) evaluator.addPicture(picture);
  return evaluator.result();
}

function federatedProblem(seed: number): LvisPicture[] {
  const random = randomStream(seed, 8, 0);
  const some = () => classes.flatMap((_, label) => (random.int(3) === 0 ? [label] : []));
  return randomProblem(seed, { pictures: 10, classes: classes.length, scores: 12 }).map((picture) => ({
    ...picture,
    negative: some(),
    notExhaustive: some(),
  }));
}

/** LVIS's rules, one after the other: at most so many detections a picture, and only of classes that are judged in it. */
function slowly(pictures: readonly LvisPicture[], maxDetections: number) {
  const judged = pictures.map((picture) => {
    const { boxes, labels, scores } = picture.detections!;
    const positive = Array.from(picture.truth.labels);
    const rows = Array.from(scores, (_, row) => row)
      .sort((i, j) => scores[j] - scores[i])
      .slice(0, maxDetections)
      .filter((row) => positive.includes(labels[row]) || Array.from(picture.negative!).includes(labels[row]));
    const detections = {
      boxes: rows.flatMap((row) => Array.from(boxes).slice(4 * row, 4 * row + 4)),
      labels: rows.map((row) => labels[row]),
      scores: rows.map((row) => scores[row]),
    };
    return { ...picture, detections };
  });
  const lenient = (label: number) => (picture: LvisPicture) => Array.from(picture.notExhaustive!).includes(label);
  const means = (labels: number[], thresholds: readonly number[], area: number, of: 'AP' | 'recall') => {
    const values = labels.flatMap((label) =>
      thresholds.flatMap((threshold) => {
        const rule = { label, threshold, range: cocoAreas[area], lenient: lenient(label), maxDetections: Infinity };
        return slowPrecision(judged, rule)?.[of] ?? [];
      }),
    );
    return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : -1;
  };
  const all = [0, 1, 2, 3];
  return {
    AP: means(all, cocoIouThresholds, 0, 'AP'),
    AP50: means(all, [0.5], 0, 'AP'),
    AP75: means(all, [0.75], 0, 'AP'),
    APs: means(all, cocoIouThresholds, 1, 'AP'),
    APm: means(all, cocoIouThresholds, 2, 'AP'),
    APl: means(all, cocoIouThresholds, 3, 'AP'),
    APr: means([0], cocoIouThresholds, 0, 'AP'),
    APc: means([1], cocoIouThresholds, 0, 'AP'),
    APf: means([2, 3], cocoIouThresholds, 0, 'AP'),
    AR: means(all, cocoIouThresholds, 0, 'recall'),
    ARs: means(all, cocoIouThresholds, 1, 'recall'),
    ARm: means(all, cocoIouThresholds, 2, 'recall'),
    ARl: means(all, cocoIouThresholds, 3, 'recall'),
  };
}

describe('LVIS', () => {
  test('equals a slow evaluator that follows its rules', () => {
    for (let seed = 0; seed < 60; seed++) {
      const pictures = federatedProblem(seed);
      const most = seed % 2 === 0 ? 300 : 3;
      const { lvis } = evaluate(pictures, most);
      for (const [name, value] of Object.entries(slowly(pictures, most))) {
        close(lvis[name as keyof typeof lvis], value, 1e-12, `seed ${seed} ${name}`);
      }
    }
  });

  const truth = { boxes: [0, 0, 40, 40], labels: [2] };
  const found = (label: number) => ({
    boxes: [0, 0, 40, 40, 60, 0, 99, 40],
    labels: [2, label],
    scores: [0.5, 0.9],
  });

  test('does not judge a class of which nothing is known in the picture', () => {
    const elsewhere = { id: 2, truth: { boxes: [0, 0, 40, 40], labels: [0] } };
    const unknown = evaluate([{ id: 1, truth, detections: found(0) }, elsewhere]);
    const right = { boxes: [0, 0, 40, 40], labels: [0], scores: [0.1] };
    close(byName(unknown.perClass).a.AP, 0, 0, 'missed in the other picture');
    const pictures = [
      { id: 1, truth, detections: found(0) },
      { ...elsewhere, detections: right },
    ];
    close(byName(evaluate(pictures).perClass).a.AP, 1, 1e-12, 'not judged in the first');
    close(
      byName(evaluate([{ ...pictures[0], negative: [0] }, pictures[1]]).perClass).a.AP,
      0.5,
      1e-12,
      'known to be absent',
    );
  });

  test('does not hold a detection against a class that is not exhaustive', () => {
    close(byName(evaluate([{ id: 1, truth, detections: found(2) }]).perClass).c.AP, 0.5, 1e-12, 'exhaustive');
    close(
      byName(evaluate([{ id: 1, truth, detections: found(2), notExhaustive: [2] }]).perClass).c.AP,
      1,
      1e-12,
      'not',
    );
  });

  test('refuses frequencies that are none and classes that are not there', () => {
    const wrong = (given: Frequency[]) => () => new LvisEvaluator({ classes, frequencies: given });
    assert.throws(wrong(['r']), { code: 'config', message: /found 1, expected/ });
    assert.throws(wrong(['r', 'x' as Frequency, 'c', 'f']), { code: 'config', message: /frequencies\[1\] is "x"/ });
    assert.throws(() => evaluate([{ id: 1, truth, negative: [0, 4] }]), {
      code: 'data',
      message: /picture 1: negative\[1\] is 4, expected the index of one of 4 classes/,
    });
    assert.throws(() => evaluate([{ id: 1, truth, notExhaustive: [-1] }]), { code: 'data' });
    assert.throws(() => new LvisEvaluator({ classes, frequencies, maxDetections: 0 }), { code: 'config' });
  });
});
