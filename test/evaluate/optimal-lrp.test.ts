import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cocoAreas, optimalLrp, outcomesByClass, suggestedThresholds } from '../../src/evaluate/index.js';
import { type ClassLrp, classLrp } from '../../src/evaluate/optimal-lrp.js';
import { needs } from '../shared.js';
import { byName } from './by-name.js';
import { close } from './close.js';
import { columnsOf, problemNames, readProblem } from './golden-problems.js';
import { dataOf } from './random-problem.js';

const columns = ['olrp', 'olrp_loc', 'olrp_fp', 'olrp_fn', 'lrp_opt_thr'] as const;

interface Expected {
  lrp: Record<(typeof columns)[number], (number | null)[]> & {
    stats: Record<string, number>;
    byArea: Record<(typeof columns)[number], (number | null)[][]>;
  };
}

const valuesOf = (lrp: ClassLrp) => [lrp.oLRP, lrp.localisation, lrp.falsePositives, lrp.falseNegatives, lrp.threshold];

describe('optimal LRP equals LRP-Error', needs('golden/metrics'), () => {
  for (const name of problemNames()) {
    test(name, () => {
      const { classes, pictures, expected } = readProblem<Expected>(name);
      const data = columnsOf({ classes, pictures });
      const found = optimalLrp(data);
      const { stats, byArea } = expected.lrp;
      for (const [k, className] of classes.entries()) {
        valuesOf(byName(found.perClass)[className]).forEach((value, c) => {
          close(value, expected.lrp[columns[c]][k], 1e-12, `${className} ${columns[c]}`);
        });
      }
      for (const [a, area] of cocoAreas.entries()) {
        for (const outcomes of outcomesByClass(data, { area })) {
          valuesOf(classLrp(outcomes, 0.5)).forEach((value, c) => {
            const golden = byArea[columns[c]][a][outcomes.label];
            close(value, golden, 1e-12, `${classes[outcomes.label]} ${area.name} ${columns[c]}`);
          });
        }
      }
      const overall = [found.oLRP, found.localisation, found.falsePositives, found.falseNegatives];
      const sizes = ['small', 'medium', 'large'].map((area) => found.byArea[area]);
      for (const [i, stat] of ['oLRP', 'oLRPLoc', 'oLRPFP', 'oLRPFN', 'oLRPs', 'oLRPm', 'oLRPl'].entries()) {
        close([...overall, ...sizes][i], stats[stat], 1e-12, stat);
      }
    });
  }
});

describe('optimal LRP', () => {
  const cat = { boxes: [0, 0, 10, 10], labels: [0] };

  test('is 0 for perfect boxes and suggests the score that keeps them and drops the false ones', () => {
    const truth = { boxes: [0, 0, 10, 10, 0, 50, 10, 60], labels: [0, 2] };
    const detections = { boxes: [0, 0, 10, 10, 30, 30, 40, 40], labels: [0, 0], scores: [0.7, 0.4] };
    const lrp = optimalLrp(dataOf(['cat', 'dog', 'owl'], [{ id: 1, truth, detections }]));
    assert.equal(byName(lrp.perClass).cat.oLRP, 0);
    assert.equal(byName(lrp.perClass).dog.oLRP, -1, 'no truth');
    assert.deepEqual(byName(lrp.perClass).owl, {
      name: 'owl',
      oLRP: 1,
      localisation: null,
      falsePositives: null,
      falseNegatives: 1,
      threshold: null,
    });
    assert.deepEqual(suggestedThresholds(lrp), { cat: 0.7 });
  });

  test('weighs a badly placed box like the part of an error that it is', () => {
    // IoU 2/3: a third of a miss in [0.5, 1], which is 2/3.
    const detections = { boxes: [2, 0, 12, 10], labels: [0], scores: [0.9] };
    close(optimalLrp(dataOf(['cat'], [{ id: 1, truth: cat, detections }])).oLRP, 2 / 3, 1e-15, 'oLRP');
  });

  test('refuses thresholds that leave nothing to measure', () => {
    const data = dataOf(['cat'], [{ id: 1, truth: cat, detections: { ...cat, scores: [0.9] } }]);
    for (const iouThreshold of [1, 0, Number.NaN])
      assert.throws(() => optimalLrp(data, { iouThreshold }), { code: 'config' }, `${iouThreshold}`);
    assert.throws(() => Array.from(outcomesByClass(data, { iouThreshold: 1.5 })), { code: 'config' });
  });
});
