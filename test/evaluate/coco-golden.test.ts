import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { CocoEvaluator, summarise } from '../../src/evaluate/coco/coco.js';
import { type CocoGroundTruth, type CocoResults, cocoPictures } from '../../src/evaluate/coco/coco-json.js';
import { cocoIouThresholds, cocoRecallPoints } from '../../src/evaluate/coco/coco-settings.js';
import { type CocoTables, meanPrecision, meanRecall } from '../../src/evaluate/coco/coco-tables.js';
import { needs, shared } from '../shared.js';

interface Sums {
  shape: number[];
  sum: number;
  sumSquares: number;
  sumWeighted: number;
  values?: number[];
}

/** What pycocotools gave for one setting of one problem; see the golden's README. */
interface Expected {
  params: { iouThrs: number[]; maxDets: number[]; areaRng: [number, number][]; areaRngLbl: string[]; useCats: number };
  stats: number[];
  perCategory: { AP: number[]; AP50: number[]; AP75: number[]; AR: number[]; APbyArea: number[][] };
  APbyThreshold: number[];
  APbyAreaAndMaxDets: number[][];
  ARbyAreaAndMaxDets: number[][];
  precision: Sums;
  recall: Sums;
  scores: Sums;
  precisionAll?: number[][][];
  scoresAll?: number[][][];
}

const folder = shared('golden/metrics');
const read = <T>(path: string) => JSON.parse(readFileSync(path, 'utf8')) as T;

function evaluatorFor(truth: CocoGroundTruth, results: CocoResults, { params }: Expected): CocoEvaluator {
  const { classes, pictures } = cocoPictures(truth, results);
  const evaluator = new CocoEvaluator({
    classes,
    boxFormat: 'xywh',
    iouThresholds: params.iouThrs,
    maxDetections: params.maxDets,
    areas: params.areaRng.map(([from, to], i) => ({ name: params.areaRngLbl[i], from, to })),
    agnostic: params.useCats === 0,
  });
  for (const picture of pictures) evaluator.addPicture(picture);
  return evaluator;
}

function close(found: ArrayLike<number>, expected: ArrayLike<number>, what: string) {
  assert.equal(found.length, expected.length, what);
  for (let i = 0; i < expected.length; i++) {
    assert.ok(Math.abs(found[i] - expected[i]) <= 1e-12, `${what}[${i}] is ${found[i]}, expected ${expected[i]}`);
  }
}

/** The recorded sums are exactly rounded; ours are not, so a relative 1e-9 of the sum of magnitudes is what they show. */
function closeSums(found: Float64Array, expected: Sums, what: string) {
  assert.equal(
    found.length,
    expected.shape.reduce((a, b) => a * b, 1),
    what,
  );
  const sums = { sum: 0, sumSquares: 0, sumWeighted: 0 };
  const weights = { sum: 0, sumSquares: 0, sumWeighted: 0 };
  for (let i = 0; i < found.length; i++) {
    const terms = { sum: found[i], sumSquares: found[i] ** 2, sumWeighted: found[i] * ((i + 1) / found.length) };
    for (const name of ['sum', 'sumSquares', 'sumWeighted'] as const) {
      sums[name] += terms[name];
      weights[name] += Math.abs(terms[name]);
    }
  }
  for (const name of ['sum', 'sumSquares', 'sumWeighted'] as const) {
    const tolerance = 1e-9 * Math.min(weights[name], Math.max(1, Math.abs(expected[name])));
    assert.ok(
      Math.abs(sums[name] - expected[name]) <= tolerance,
      `${what}.${name}: ${sums[name]}, not ${expected[name]}`,
    );
  }
  if (expected.values) close(found, expected.values, what);
}

/** The plane [T, R, K] of a table at the first area range and the largest number of detections. */
function overallPlane(values: Float64Array, tables: CocoTables): number[] {
  const { areas, maxDetections } = tables.settings;
  const inner = areas.length * maxDetections.length;
  return Array.from({ length: values.length / inner }, (_, i) => values[i * inner + maxDetections.length - 1]);
}

function checkMeans(tables: CocoTables, expected: Expected, what: string) {
  const { areas, iouThresholds, maxDetections } = tables.settings;
  const { perCategory } = expected;
  const classes = Array.from({ length: tables.classCount }, (_, classIndex) => classIndex);
  const byClass = (iouThreshold?: number) =>
    classes.map((classIndex) => meanPrecision(tables, { classIndex, iouThreshold }));
  close(byClass(), perCategory.AP, `${what} AP by class`);
  close(byClass(0.5), perCategory.AP50, `${what} AP50 by class`);
  close(byClass(0.75), perCategory.AP75, `${what} AP75 by class`);
  close(
    classes.map((classIndex) => meanRecall(tables, { classIndex })),
    perCategory.AR,
    `${what} AR by class`,
  );
  for (const [a, { name: area }] of areas.entries()) {
    const at = `${what} ${area}`;
    const byArea = perCategory.APbyArea.map((row) => row[a]);
    close(
      classes.map((classIndex) => meanPrecision(tables, { classIndex, area })),
      byArea,
      `${at} AP by class`,
    );
    const precisions = maxDetections.map((m) => meanPrecision(tables, { area, maxDetections: m }));
    close(precisions, expected.APbyAreaAndMaxDets[a], `${at} AP by maxDetections`);
    const recalls = maxDetections.map((m) => meanRecall(tables, { area, maxDetections: m }));
    close(recalls, expected.ARbyAreaAndMaxDets[a], `${at} AR by maxDetections`);
  }
  const byThreshold = iouThresholds.map((iouThreshold) => meanPrecision(tables, { iouThreshold }));
  close(byThreshold, expected.APbyThreshold, `${what} AP by threshold`);
}

function checkTables(tables: CocoTables, expected: Expected, what: string) {
  closeSums(tables.precision, expected.precision, `${what} precision`);
  closeSums(tables.recall, expected.recall, `${what} recall`);
  closeSums(tables.scores, expected.scores, `${what} scores`);
  if (expected.precisionAll) {
    close(overallPlane(tables.precision, tables), expected.precisionAll.flat(2), `${what} precision plane`);
    close(overallPlane(tables.scores, tables), expected.scoresAll!.flat(2), `${what} scores plane`);
  }
}

function checkStats(tables: CocoTables, { stats }: Expected, what: string) {
  const { coco } = summarise(tables);
  const [first, second, third] = tables.settings.maxDetections;
  // pycocotools looks AP up at 100 detections and the rest at the last number; ours is at the last throughout.
  close([meanPrecision(tables, { maxDetections: 100 })], [stats[0]], `${what} AP at 100`);
  close([coco.AP50, coco.AP75, coco.APs, coco.APm, coco.APl], stats.slice(1, 6), `${what} AP50 … APl`);
  const recalls = [first, second, third].map((maxDetections) => meanRecall(tables, { maxDetections }));
  close(recalls, stats.slice(6, 9), `${what} AR by maxDetections`);
  close([coco.ARs, coco.ARm, coco.ARl], stats.slice(9), `${what} ARs, ARm, ARl`);
  if (third === 100) close([coco.AP, coco.AR1, coco.AR10, coco.AR100], [stats[0], ...stats.slice(6, 9)], what);
}

const problems = folder
  ? readdirSync(folder)
      .filter((name) => name.endsWith('.gt.json'))
      .map((name) => name.slice(0, -'.gt.json'.length))
  : [];

describe('COCO metrics equal pycocotools', needs('golden/metrics'), () => {
  test('in every recorded problem', () => assert.ok(problems.length >= 26, problems.join()));

  for (const problem of problems) {
    test(problem, () => {
      const truth = read<CocoGroundTruth>(`${folder}/${problem}.gt.json`);
      const results = read<CocoResults>(`${folder}/${problem}.dt.json`);
      const { coco } = read<{ coco: Record<string, Expected> }>(`${folder}/${problem}.expected.json`);
      assert.equal(Object.keys(coco).length, 5);
      for (const [setting, expected] of Object.entries(coco)) {
        const tables = evaluatorFor(truth, results, expected).tables();
        checkStats(tables, expected, setting);
        checkMeans(tables, expected, setting);
        checkTables(tables, expected, setting);
      }
    });
  }

  test('with their thresholds and recall points, to the last bit', () => {
    const meta = read<{ iouThrs: number[]; recThrs: number[] }>(`${folder}/meta.json`);
    assert.deepEqual(cocoIouThresholds, meta.iouThrs);
    assert.deepEqual(Array.from(cocoRecallPoints), meta.recThrs);
  });
});

test('COCO metrics of real ground truth and detections', needs('data/coco-eval'), () => {
  const path = shared('data/coco-eval');
  const truth = read<CocoGroundTruth>(`${path}/instances_val2014_100.json`);
  const results = read<CocoResults>(`${path}/instances_val2014_fakebbox100_results.json`);
  const expected = read<{
    stats: number[];
    names: string[];
    perClass: Record<string, { AP: number | null; AP50: number | null }>;
  }>(`${path}/expected_val2014_100_bbox.json`);
  const { classes, pictures } = cocoPictures(truth, results);
  const evaluator = new CocoEvaluator({ classes, boxFormat: 'xywh' });
  for (const picture of pictures) evaluator.addPicture(picture);
  const { coco, perClass } = evaluator.result();
  assert.deepEqual(Object.keys(coco), expected.names);
  close(Object.values(coco), expected.stats, 'stats');
  assert.deepEqual(
    perClass.map(({ name }) => name),
    classes,
  );
  for (const { name, AP, AP50 } of perClass) {
    // Recorded as null where a class has no truth.
    close([AP, AP50], [expected.perClass[name].AP ?? -1, expected.perClass[name].AP50 ?? -1], name);
  }
});

test('COCO metrics of real data in every setting', needs('golden/metrics/coco-eval.expected.json'), () => {
  const truth = read<CocoGroundTruth>(`${shared('data/coco-eval/instances_val2014_100.json')}`);
  const results = read<CocoResults>(`${shared('data/coco-eval/instances_val2014_fakebbox100_results.json')}`);
  const { coco } = read<{ coco: Record<string, Expected> }>(`${folder}/coco-eval.expected.json`);
  for (const [setting, expected] of Object.entries(coco)) {
    const tables = evaluatorFor(truth, results, expected).tables();
    checkStats(tables, expected, setting);
    checkMeans(tables, expected, setting);
    checkTables(tables, expected, setting);
  }
});
