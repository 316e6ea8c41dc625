import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CocoSettings, cocoSettings } from '../../src/evaluate/coco/coco-settings.js';
import { CocoEvaluator, type EvaluatedPicture, picturesOf } from '../../src/evaluate/index.js';
import { outcomesByClass } from '../../src/evaluate/matching/detection-outcomes.js';
import { fnv1a32, hashOf } from '../hashfill.js';
import { slowGroups, slowMatch, slowTables } from './slow-coco.js';

/** Numbers of a problem, drawn one after the other. */
function draws(seed: string) {
  const start = fnv1a32(seed);
  let at = 0;
  return (below: number) => Math.floor((hashOf(start, at++) * below) / 2 ** 32);
}

type Draw = ReturnType<typeof draws>;

/** Few places and few scores, so that boxes coincide, IoUs fall on thresholds, areas on bounds and scores are equal. */
function smallPictures(draw: Draw, classes: number): EvaluatedPicture[] {
  const box = () => [draw(4), draw(3), 1 + draw(5), draw(10) === 0 ? 0 : 1 + draw(4)].map((side) => side * 8);
  const scores = 1 + draw(6);
  const ids = Array.from({ length: draw(5) }, (_, i) => (i * 7) % 5);
  return ids.map((id) => {
    const truths = draw(3) === 0 ? 0 : draw(6);
    const found = draw(4) === 0 ? 0 : draw(9);
    const truthBoxes = Array.from({ length: truths }, box);
    const labels = truthBoxes.map(() => draw(classes));
    const foundBoxes = Array.from({ length: found }, () => {
      const copied = truths > 0 && draw(2) === 0 ? draw(truths) : -1;
      if (copied < 0) return { box: box(), label: draw(classes) };
      return { box: truthBoxes[copied], label: draw(3) ? labels[copied] : draw(classes) };
    });
    const detections = {
      boxes: foundBoxes.flatMap((own) => own.box),
      labels: foundBoxes.map(({ label }) => label),
      scores: foundBoxes.map(() => (draw(scores) - draw(2)) / scores),
    };
    return {
      id,
      truth: {
        boxes: truthBoxes.flat(),
        labels,
        crowd: truthBoxes.map(() => (draw(5) === 0 ? 1 : 0)),
        ...(draw(2) === 0 ? { area: truthBoxes.map(([, , w, h]) => (draw(2) ? w * h : 256 * draw(6))) } : {}),
      },
      ...(found > 0 || draw(2) ? { detections } : {}),
    };
  });
}

const thresholdLists = [[0.5], [0.5, 0.75], [1], [0.25, 0.5, 1 / 3, 0.9], [0.95, 0.1]];
const limits = [[1, 10, 100], [2], [100, 1], [3, 5]];
const areaLists = [
  [{ name: 'all', from: 0, to: 1e10 }],
  [
    { name: 'all', from: 0, to: 1e10 },
    { name: 'little', from: 0, to: 256 },
    { name: 'more', from: 256, to: 512 },
    { name: 'exactly', from: 768, to: 768 },
  ],
];

function settingsOf(draw: Draw): CocoSettings {
  const pick = <T>(list: readonly T[]) => list[draw(list.length)];
  return cocoSettings({
    classes: pick([['a'], ['a', 'b'], ['a', 'b', 'c']]),
    boxFormat: 'xywh',
    iouThresholds: pick(thresholdLists),
    maxDetections: pick(limits),
    areas: pick(areaLists),
    agnostic: draw(4) === 0,
  });
}

const problems = 3000;

test(`${problems} small problems: every number equals that of an evaluator that is as slow as it is plain`, () => {
  const seen = { reached: 0, ties: 0 };
  for (let i = 0; i < problems; i++) {
    const draw = draws(`small problem ${i}`);
    const settings = settingsOf(draw);
    const pictures = smallPictures(draw, settings.classes.length);
    const evaluator = new CocoEvaluator(settings);
    for (const picture of pictures) evaluator.addPicture(picture);
    const found = evaluator.tables();
    const expected = slowTables(pictures, settings);
    for (const name of ['precision', 'scores', 'recall'] as const) {
      assert.deepEqual(Array.from(found[name]), expected[name], `${name} of problem ${i}`);
    }
    seen.reached += found.recall.filter((recall) => recall > 0 && recall < 1).length;
    const scores = pictures.flatMap(({ detections }) => Array.from(detections?.scores ?? []));
    if (new Set(scores).size < scores.length) seen.ties++;
  }
  assert.ok(
    seen.reached > problems && seen.ties > problems / 4,
    `the problems are not trivial: ${JSON.stringify(seen)}`,
  );
});

test('1000 small problems: each detection has the truth that the plain evaluator gives it', () => {
  let matched = 0;
  for (let i = 0; i < 1000; i++) {
    const draw = draws(`small outcomes ${i}`);
    const { classes, iouThresholds, areas, maxDetections, agnostic } = settingsOf(draw);
    const pictures = smallPictures(draw, classes.length);
    const evaluator = new CocoEvaluator({ classes, boxFormat: 'xywh' });
    for (const picture of pictures) evaluator.addPicture(picture);
    const [iouThreshold, area, most] = [iouThresholds[0], areas[i % areas.length], maxDetections[0]];
    const data = evaluator.data();
    for (const own of outcomesByClass(data, { iouThreshold, area, maxDetections: most, agnostic })) {
      const groups = slowGroups(pictures, agnostic ? 'all' : own.label, most);
      const expected = groups
        .flatMap((group) => slowMatch(group, iouThreshold, area.from, area.to))
        .toSorted((a, b) => b.detection.score - a.detection.score);
      assert.deepEqual(
        Array.from(own.detections),
        expected.map(({ detection }) => detection.index),
        `problem ${i}`,
      );
      assert.deepEqual(
        Array.from(own.truths),
        expected.map(({ truth }) => truth?.index ?? -1),
        `problem ${i}`,
      );
      assert.deepEqual(
        Array.from(own.ignored),
        expected.map(({ ignored }) => Number(ignored)),
        `problem ${i}`,
      );
      assert.deepEqual(
        Array.from(own.matched),
        expected.map(({ truth, ignored }) => Number(truth !== undefined && !ignored)),
      );
      own.detections.forEach((detection, s) => {
        assert.equal(own.scores[s], data.detections.scores[detection]);
        const { starts } = data.detections;
        assert.ok(detection >= starts[own.pictures[s]] && detection < starts[own.pictures[s] + 1]);
        assert.equal(own.overlaps[s] > 0, own.truths[s] >= 0);
      });
      matched += own.matched.reduce((sum, hit) => sum + hit, 0);
    }
  }
  assert.ok(matched > 300, `${matched}`);
});

test('columns give back the pictures that were added', () => {
  const pictures = smallPictures(draws('columns 7'), 3);
  assert.ok(pictures.length > 1);
  const evaluator = new CocoEvaluator({ classes: ['a', 'b', 'c'], boxFormat: 'xywh' });
  for (const picture of pictures) evaluator.addPicture(picture);
  const again = new CocoEvaluator({ classes: ['a', 'b', 'c'], boxFormat: 'xywh' });
  for (const picture of picturesOf(evaluator.data())) again.addPicture(picture);
  assert.deepEqual(again.data(), evaluator.data());
  const lengths = pictures.map(({ truth }) => truth.labels.length);
  assert.deepEqual(
    Array.from(picturesOf(evaluator.data()), ({ truth }) => truth.labels.length),
    lengths,
  );
});
