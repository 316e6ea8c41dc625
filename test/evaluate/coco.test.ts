import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CocoEvaluator, type EvaluatedPicture } from '../../src/evaluate/index.js';
import { sortByFallingScore } from '../../src/evaluate/matching/stable-order.js';

const classes = ['cat', 'dog'];

/** A picture with one cat at [0, 0, 10, 10] and detections `[label, score, shift to the right]`. */
function catPicture(id: number | string, ...found: [number, number, number][]): EvaluatedPicture {
  return {
    id,
    truth: { boxes: [0, 0, 10, 10], labels: [0] },
    detections: {
      boxes: Float64Array.from(found.flatMap(([, , shift]) => [shift, 0, shift + 10, 10])),
      labels: Int32Array.from(found.map(([label]) => label)),
      scores: Float32Array.from(found.map(([, score]) => score)),
    },
  };
}

function resultOf(...pictures: EvaluatedPicture[]) {
  const evaluator = new CocoEvaluator({ classes });
  for (const picture of pictures) evaluator.addPicture(picture);
  return evaluator.result();
}

describe('CocoEvaluator', () => {
  test('gives figures that serialise as they are, -1 where nothing is to be found', () => {
    const json = JSON.parse(JSON.stringify(resultOf(catPicture(1, [0, 0.9, 0]))));
    const one = 0.9999999999999998;
    const means = { AP: one, AP50: one, AP75: one, APs: one, APm: -1, APl: -1 };
    const recalls = { AR1: 1, AR10: 1, AR100: 1, ARs: 1, ARm: -1, ARl: -1 };
    assert.deepEqual(Object.keys(json), ['coco', 'perClass']);
    assert.deepEqual(Object.keys(json.coco), Object.keys({ ...means, ...recalls }));
    for (const [name, value] of Object.entries({ ...means, ...recalls })) {
      assert.ok(Math.abs(json.coco[name] - value) < 1e-15, `${name} ${json.coco[name]}`);
    }
    assert.deepEqual(json.perClass[1], { name: 'dog', AP: -1, AP50: -1 });
  });

  test('keeps the order of classes that are called as numbers', () => {
    const names = ['10', 'cat', '2', '__proto__'];
    const { perClass } = JSON.parse(JSON.stringify(new CocoEvaluator({ classes: names }).result()));
    assert.deepEqual(
      perClass.map(({ name }: { name: string }) => name),
      names,
    );
  });

  test('counts a detection of IoU 2/3 at four of ten thresholds', () => {
    const { coco } = resultOf(catPicture(1, [0, 0.9, 2]));
    assert.ok(Math.abs(coco.AP - 0.4) < 1e-12);
    assert.equal(coco.AP75, 0);
    assert.ok(Math.abs(coco.AR100 - 0.4) < 1e-15);
  });

  test('takes only detections of the class, unless agnostic', () => {
    const picture = catPicture(1, [1, 0.9, 0]);
    assert.equal(resultOf(picture).coco.AP, 0);
    const agnostic = new CocoEvaluator({ classes, agnostic: true });
    agnostic.addPicture(picture);
    assert.ok(agnostic.result().coco.AP > 0.999);
    assert.deepEqual(agnostic.result().perClass, []);
  });

  test('orders equal scores by picture id, in whatever order pictures come', () => {
    const right = catPicture(9, [0, 0.5, 0]);
    const wrong = catPicture(10, [0, 0.5, 30]);
    const expected = resultOf(right, wrong);
    assert.deepEqual(resultOf(wrong, right), expected);
    assert.ok(Math.abs(expected.coco.AP50 - 51 / 101) < 1e-12, 'the right one first: precision 1 up to recall 0.5');
    const swapped = resultOf({ ...wrong, id: 9 }, { ...right, id: 10 });
    assert.ok(Math.abs(swapped.coco.AP50 - 51 / 202) < 1e-12, 'the wrong one first: precision 1/2');
    assert.deepEqual(resultOf({ ...wrong, id: 'a' }, right), expected, 'numbers come before texts');
  });

  test('counts pictures without detections as missed and without truth as false', () => {
    const missed: EvaluatedPicture = { id: 2, truth: { boxes: [0, 0, 5, 5], labels: [0] } };
    const nothing: EvaluatedPicture = {
      id: 3,
      truth: { boxes: [], labels: [] },
      detections: { boxes: [0, 0, 5, 5], labels: [0], scores: [0.95] },
    };
    const found = catPicture(1, [0, 0.9, 0]);
    assert.ok(Math.abs(resultOf(found, missed).coco.AR100 - 0.5) < 1e-15);
    assert.ok(Math.abs(resultOf(found, nothing).coco.AP - 0.5) < 1e-12);
  });

  test('goes on after a result', () => {
    const evaluator = new CocoEvaluator({ classes });
    evaluator.addPicture(catPicture(1, [0, 0.9, 0]));
    evaluator.result();
    evaluator.addPicture(catPicture(2));
    assert.equal(evaluator.pictures, 2);
    assert.deepEqual(evaluator.result(), resultOf(catPicture(1, [0, 0.9, 0]), catPicture(2)));
  });

  test('evaluates 32 thresholds, as many as a mask has bits', () => {
    const iouThresholds = Array.from({ length: 32 }, (_, i) => (i + 1) / 33);
    const evaluator = new CocoEvaluator({ classes, iouThresholds });
    evaluator.addPicture(catPicture(1, [0, 0.9, 2]));
    // 2/3 is reached by 1/33 … 22/33; the last comparison is of the same quotient, 20/30 and 22/33 being equal in float64.
    assert.ok(Math.abs(evaluator.result().coco.AR100 - 22 / 32) < 1e-15);
    const strict = new CocoEvaluator({ classes, iouThresholds: [...iouThresholds.slice(0, 31), 1] });
    strict.addPicture(catPicture(1, [0, 0.9, 0]));
    assert.equal(strict.result().coco.AR100, 1);
  });
});

const truth = { boxes: [0, 0, 1, 1], labels: [0] };
const refused: [string, EvaluatedPicture, RegExp][] = [
  [
    'boxes that are not four a label',
    { id: 7, truth: { boxes: [0, 0, 1], labels: [0] } },
    /picture 7: truth\.boxes has 3 numbers, expected 4/,
  ],
  [
    'a label beyond the classes',
    { id: 7, truth: { boxes: [0, 0, 1, 1], labels: [2] } },
    /truth\.labels\[0\] is 2, expected the index of one of 2 classes/,
  ],
  [
    'a reversed box',
    { id: 'a.jpg', truth: { boxes: [5, 0, 1, 1], labels: [0] } },
    /picture "a\.jpg": truth: box 0 is \[5, 0, 1, 1\] \(xyxy\)/,
  ],
  [
    'a box that is not finite',
    { id: 7, truth: { boxes: [0, 0, Number.NaN, 1], labels: [0] } },
    /box 0 is \[0, 0, NaN, 1\]/,
  ],
  ['an endless box', { id: 7, truth: { boxes: [0, 0, Number.POSITIVE_INFINITY, 1], labels: [0] } }, /Infinity/],
  ['too few crowd flags', { id: 7, truth: { ...truth, crowd: [] } }, /truth\.crowd has 0 numbers, expected 1/],
  ['a negative area', { id: 7, truth: { ...truth, area: [-1] } }, /truth\.area\[0\] is -1/],
  [
    'a missing score',
    { id: 7, truth, detections: { ...truth, scores: [] } },
    /detections\.scores has 0 numbers, expected 1/,
  ],
  [
    'a score of NaN',
    { id: 7, truth, detections: { ...truth, scores: [Number.NaN] } },
    /detections\.scores\[0\] is NaN/,
  ],
];

describe('CocoEvaluator refuses', () => {
  for (const [what, picture, message] of refused) {
    test(what, () => {
      const evaluator = new CocoEvaluator({ classes });
      assert.throws(() => evaluator.addPicture(picture), { code: 'data', message });
      assert.equal(evaluator.pictures, 0);
      assert.equal(evaluator.result().coco.AR100, -1, 'nothing of the picture counts');
    });
  }

  test('a picture that comes twice', () => {
    const evaluator = new CocoEvaluator({ classes });
    evaluator.addPicture(catPicture(1));
    assert.throws(() => evaluator.addPicture(catPicture(1)), { code: 'data', message: /picture 1 was added before/ });
  });

  test('options that cannot be met', () => {
    const expected = (message: RegExp) => ({ code: 'config', message });
    assert.throws(() => new CocoEvaluator({ classes: [] }), expected(/no class/));
    assert.throws(() => new CocoEvaluator({ classes: ['a', 'b', 'a'] }), expected(/class "a" is listed twice/));
    const thresholds = Array.from({ length: 33 }, () => 0.5);
    for (const iouThresholds of [[], [0], [1.1], [Number.NaN], thresholds]) {
      assert.throws(
        () => new CocoEvaluator({ classes, iouThresholds }),
        expected(/iouThresholds is \[.*expected one to 32/),
      );
    }
    assert.throws(() => new CocoEvaluator({ classes, maxDetections: [0] }), expected(/maxDetections is \[0\]/));
    assert.throws(() => new CocoEvaluator({ classes, areas: [] }), expected(/areas is \[\]/));
  });
});

test('sorting by falling score keeps the order of equal scores, at every length and within a range', () => {
  for (let length = 0; length < 140; length++) {
    const scores = Float64Array.from({ length }, (_, i) => (i * 7919) % 11);
    const order = Uint32Array.from({ length }, (_, i) => i);
    const [from, to] = [Math.min(3, length), length];
    sortByFallingScore(order, scores, new Uint32Array(length), from, to);
    const expected = Array.from({ length }, (_, i) => i);
    const sorted = expected.splice(from, to - from).sort((a, b) => scores[b] - scores[a]);
    assert.deepEqual(Array.from(order), [...expected, ...sorted], `length ${length}`);
  }
});
