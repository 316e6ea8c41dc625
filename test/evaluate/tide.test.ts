import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type EvaluatedPicture, type TideError, TideEvaluator } from '../../src/evaluate/index.js';
import { needs } from '../shared.js';
import { byName } from './by-name.js';
import { close } from './close.js';
import { problemNames, readProblem } from './golden-problems.js';

interface Expected {
  tide: Record<
    string,
    {
      fails?: string;
      ap: number;
      dAP: Record<TideError, number>;
      special: { FalsePos: number; FalseNeg: number };
      counts: Record<TideError, number>;
      positives: number;
      falsePositives: number;
      ignored: number;
      falseNegatives: number;
      apByClass: Record<string, number>;
    }
  >;
}

function tideOf(classes: readonly string[], pictures: readonly EvaluatedPicture[], iouThreshold = 0.5) {
  const evaluator = new TideEvaluator({ classes, boxFormat: 'xywh', iouThreshold });
  for (const picture of pictures) evaluator.addPicture(picture);
  return evaluator.result();
}

describe('TIDE equals tidecv', needs('golden/metrics'), () => {
  test('in every recorded problem', () => assert.ok(problemNames().length >= 26));
  for (const name of problemNames()) {
    test(name, () => {
      const { classes, categoryIds, pictures, expected } = readProblem<Expected>(name);
      for (const [threshold, golden] of Object.entries(expected.tide)) {
        const found = tideOf(classes, pictures, Number(threshold));
        const figures = [found.AP, ...Object.values(found.dAP), ...Object.values(found.special)];
        if (golden.fails) {
          assert.ok(figures.includes(null), 'where tidecv fails, a figure has nothing to average');
          continue;
        }
        const same = (figure: number | null, percent: number, what: string) =>
          close(figure === null ? null : 100 * figure, percent, 1e-9, `${threshold} ${what}`);
        same(found.AP, golden.ap, 'AP');
        for (const kind of Object.keys(golden.dAP) as TideError[]) {
          same(found.dAP[kind], golden.dAP[kind], kind);
          assert.equal(found.counts[kind], golden.counts[kind], `${threshold} count of ${kind}`);
        }
        same(found.special.FalsePos, golden.special.FalsePos, 'FalsePos');
        same(found.special.FalseNeg, golden.special.FalseNeg, 'FalseNeg');
        for (const count of ['positives', 'falsePositives', 'ignored', 'falseNegatives'] as const) {
          assert.equal(found[count], golden[count], `${threshold} ${count}`);
        }
        const named = Object.entries(golden.apByClass).map(
          ([id, ap]) => [classes[categoryIds.indexOf(Number(id))], ap] as const,
        );
        assert.deepEqual(found.perClass.map((own) => own.name).sort(), named.map(([className]) => className).sort());
        for (const [className, ap] of named) same(byName(found.perClass)[className].AP, ap, className);
      }
    });
  }
});

/** A cat at [0, 0, 10, 10] and a dog at [50, 0, 10, 10]; detections `[label, x, score]`, 10 × 10. */
function scene(id: number, ...found: [number, number, number][]): EvaluatedPicture {
  return {
    id,
    truth: { boxes: [0, 0, 10, 10, 50, 0, 10, 10], labels: [0, 1] },
    detections: {
      boxes: found.flatMap(([, x]) => [x, 0, 10, 10]),
      labels: found.map(([label]) => label),
      scores: found.map(([, , score]) => score),
    },
  };
}

describe('TIDE', () => {
  test('names each error', () => {
    const classes = ['cat', 'dog'];
    const kinds: [string, [number, number, number][], TideError][] = [
      ['a dog where the cat is', [[1, 0, 0.9]], 'Cls'],
      ['a cat beside the cat', [[0, 5, 0.9]], 'Loc'],
      ['a dog beside the cat', [[1, 5, 0.9]], 'Both'],
      [
        'the cat again',
        [
          [0, 0, 0.9],
          [0, 1, 0.8],
        ],
        'Dupe',
      ],
      ['a cat far away', [[0, 200, 0.9]], 'Bkg'],
    ];
    for (const [what, found, kind] of kinds) {
      const { counts } = tideOf(classes, [scene(1, ...found)]);
      const { Miss, ...others } = counts;
      assert.deepEqual(others, { Cls: 0, Loc: 0, Both: 0, Dupe: 0, Bkg: 0, [kind]: 1 }, what);
      assert.equal(Miss, kind === 'Dupe' || kind === 'Cls' || kind === 'Loc' ? 1 : 2, `${what}: objects missed`);
    }
  });

  test('mending the only kind of error gives an AP of 1', () => {
    const { AP, dAP } = tideOf(['cat', 'dog'], [scene(1, [0, 0, 0.9], [1, 55, 0.8])]);
    assert.equal(AP, 0.5);
    assert.equal(dAP.Loc, 0.5);
  });

  test('without truth and detections has nothing to say', () => {
    assert.equal(tideOf(['cat'], []).AP, null);
    assert.doesNotThrow(() => JSON.stringify(tideOf(['cat'], [])));
  });

  test('refuses thresholds that are none, and a picture that comes twice', () => {
    assert.throws(() => new TideEvaluator({ classes: ['cat'], iouThreshold: 0.05 }), {
      code: 'config',
      message: /background is 0\.1 and iouThreshold 0\.05/,
    });
    assert.throws(() => new TideEvaluator({ classes: ['cat'], maxDetections: 0 }), { code: 'config' });
    assert.throws(() => tideOf(['cat', 'dog'], [scene(3), scene(3)]), { code: 'data', message: /picture 3 was added/ });
    assert.throws(() => tideOf(['cat', 'dog'], [scene(3, [2, 0, 1])]), { code: 'data', message: /labels\[0\] is 2/ });
  });
});
