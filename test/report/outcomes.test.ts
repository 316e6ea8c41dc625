import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DatasetImage, PixelBox } from '../../src/data/dataset.js';
import { CocoEvaluator, truthOf } from '../../src/evaluate/index.js';
import { partFigures } from '../../src/report/run/part-figures.js';
import { type JudgedPicture, judge, judgedPicture } from '../../src/report/run/picture-outcomes.js';
import { StepSeries } from '../../src/report/run/step-series.js';
import { worstPictures } from '../../src/report/run/worst-pictures.js';
import { numbers } from './crafted-run.js';

type Found = readonly [box: PixelBox, label: number, score: number];
type Picture = readonly [name: string, objects: DatasetImage['objects'], found: readonly Found[]];

function evaluated(pictures: readonly Picture[]) {
  const evaluator = new CocoEvaluator({ classes: ['a', 'b'] });
  const images = pictures.map(([name, objects]) => {
    return { id: name, path: `/${name}.jpg`, name, width: 200, height: 200, objects };
  });
  for (const [i, [id, , found]] of pictures.entries()) {
    const detections = {
      boxes: found.flatMap(([box]) => box),
      labels: found.map(([, label]) => label),
      scores: found.map(([, , score]) => score),
    };
    evaluator.addPicture({ id, truth: truthOf(images[i]), detections });
  }
  return { data: evaluator.data(), images };
}

function judged(objects: DatasetImage['objects'], found: readonly Found[]): JudgedPicture {
  const { data, images } = evaluated([['a', objects, found]]);
  return judgedPicture(data, judge(data), 0, images[0]);
}

const box: PixelBox = [10, 10, 50, 50];
const shifted = (by: number): PixelBox => [10 + by, 10, 50 + by, 50];
const elsewhere: PixelBox = [120, 120, 160, 160];

test('each detection is judged by what it overlaps: TIDE’s kinds', () => {
  const objects = [
    { box, label: 0 },
    { box: elsewhere, label: 1 },
    { box: [0, 150, 60, 200] as PixelBox, label: 0, crowd: true },
  ];
  const { detections, objects: truths } = judged(objects, [
    [shifted(20), 0, 0.5], // IoU 1/3
    [box, 0, 0.9],
    [shifted(2), 0, 0.8],
    [elsewhere, 0, 0.7],
    [[80, 10, 110, 40], 1, 0.6],
    [[10, 155, 40, 190], 0, 0.4],
    [[60, 60, 90, 90], 0, 0.3],
  ]);
  assert.deepEqual(
    detections.map(({ score, outcome }) => [score, outcome]),
    [
      [0.9, 'right'],
      [0.8, 'twice'],
      [0.7, 'class'],
      [0.6, 'nothing'],
      [0.5, 'misplaced'],
      [0.4, 'ignored'],
      [0.3, 'nothing'],
    ],
  );
  assert.deepEqual(
    truths.map(({ found, crowd }) => [found, crowd]),
    [
      [0.9, false],
      [null, false],
      [null, true],
    ],
  );
});

test('what a threshold leaves out changes nothing above it', () => {
  const random = numbers(5);
  const around = (): PixelBox => {
    const [x, y] = [random() * 40, random() * 40];
    return [x, y, x + 30 + 10 * random(), y + 30 + 10 * random()];
  };
  for (let round = 0; round < 50; round++) {
    const objects = Array.from({ length: 4 }, () => ({ box: around(), label: random() < 0.5 ? 0 : 1 }));
    const found = Array.from({ length: 12 }, () => [around(), random() < 0.5 ? 0 : 1, random()] as const);
    const all = judged(objects, found).detections.filter(({ score }) => score >= 0.5);
    const sure = judged(
      objects,
      found.filter(([, , score]) => score >= 0.5),
    ).detections;
    assert.deepEqual(all, sure);
  }
});

test('the worst pictures of each kind are kept, whatever their order, and only where the fault is seen', () => {
  const pictures: Picture[] = [
    ['right', [{ box, label: 0 }], [[box, 0, 0.9]]],
    ['missed', [{ box, label: 0 }], []],
    [
      'two-missed',
      [
        { box, label: 0 },
        { box: elsewhere, label: 0 },
      ],
      [],
    ],
    ['sure', [], [[box, 0, 0.9]]],
    ['many-unsure', [], Array.from({ length: 50 }, (_, i): Found => [shifted(i), 0, 0.1])],
    ['misplaced', [{ box, label: 0 }], [[shifted(20), 0, 0.7]]],
  ];
  const chosen = (order: readonly number[], thresholds: number[]) => {
    const { data, images } = evaluated(order.map((i) => pictures[i]));
    return worstPictures(data, images, thresholds, 2).map(({ name, faults }) => `${name}: ${faults.join(', ')}`);
  };
  const half = [0.5, 0.5];
  assert.deepEqual(chosen([0, 1, 2, 3, 4, 5], half), [
    'two-missed: missed',
    'sure: false',
    'misplaced: misplaced',
    'missed: missed',
  ]);
  assert.deepEqual(
    chosen([3, 2, 0, 5, 4, 1], half),
    ['two-missed: missed', 'sure: false', 'misplaced: misplaced, missed'],
    'the first of equal ones',
  );
  assert.ok(chosen([4, 3], [0, 0]).includes('many-unsure: false'), 'all scores count');
});

test('a series of steps keeps means of equally many steps, and few of them', () => {
  const series = new StepSeries(8);
  for (let step = 1; step <= 50; step++) series.add(step, { loss: step, odd: step === 3 ? Number.NaN : 1 });
  const points = series.points();
  assert.equal(series.stepsPerPoint, 8);
  assert.deepEqual(
    points.map(({ step, values }) => [step, values.loss, values.odd]),
    [
      [8, 4.5, 1],
      [16, 12.5, 1],
      [24, 20.5, 1],
      [32, 28.5, 1],
      [40, 36.5, 1],
      [48, 44.5, 1],
      [50, 49.5, 1],
    ],
  );
});

test('a part’s figures count objects, pictures and sizes, which are those that COCO’s metric goes by', () => {
  const image = (objects: DatasetImage['objects'], width: number) =>
    ({ id: width, path: '', name: '', width, height: 100, objects }) satisfies DatasetImage;
  const card = partFigures('train', {
    name: '',
    format: 'coco',
    classes: ['a', 'b'],
    problems: [{ kind: 'no size', file: 'x', what: 'odd', action: 'dropped' }],
    images: [
      image([], 100),
      image(
        [
          { box: [0, 0, 32, 32], label: 0 },
          { box: [0, 0, 33, 32], label: 0, difficult: true },
        ],
        300,
      ),
      image([{ box: [0, 0, 100, 100], label: 1, area: 5000 }], 200),
    ],
  });
  assert.deepEqual(card, {
    name: 'train',
    pictures: 3,
    objects: 3,
    empty: 1,
    leftOut: 1,
    objectsPerClass: [2, 1],
    picturesPerClass: [1, 1],
    sizes: { small: 1, medium: 2, large: 0 },
    width: [100, 200, 300],
    height: [100, 100, 100],
    side: [32, Math.sqrt(33 * 32), 100],
    objectsPerPicture: [0, 1, 2],
    problems: 1,
  });
});
