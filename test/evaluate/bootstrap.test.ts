import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { drawPictures } from '../../src/evaluate/bootstrap.js';
import { WeightedPrecision } from '../../src/evaluate/coco/weighted-precision.js';
import { bootstrapPrecision, CocoEvaluator, type EvaluatedPicture, meanPrecision } from '../../src/evaluate/index.js';
import { rankedMatches } from '../../src/evaluate/matching/ranked-matches.js';
import { byName } from './by-name.js';
import { close } from './close.js';
import { dataOf, randomProblem } from './random-problem.js';

const classes = ['a', 'b'];

const weighing = (pictures: readonly EvaluatedPicture[]) =>
  new WeightedPrecision(rankedMatches(dataOf(classes, pictures))[0], 10);

describe('bootstrap', () => {
  test('without weights is COCO s AP, ties and crowds and any order of pictures included', () => {
    for (let seed = 0; seed < 200; seed++) {
      const pictures = randomProblem(seed, { pictures: 9, classes: 2, scores: 5, crowds: true }).reverse();
      const evaluator = new CocoEvaluator({ classes });
      for (const picture of pictures) evaluator.addPicture(picture);
      const found = weighing(pictures).of();
      close(found.AP, evaluator.result().coco.AP, 1e-12, `seed ${seed}`);
    }
  });

  test('weighs pictures as if they were there several times', () => {
    for (let seed = 0; seed < 200; seed++) {
      const pictures = randomProblem(seed, { pictures: 9, classes: 2, crowds: true });
      const weights = new Float64Array(pictures.length);
      drawPictures(weights, seed, 0);
      assert.equal(
        weights.reduce((sum, weight) => sum + weight, 0),
        pictures.length,
      );
      const evaluator = new CocoEvaluator({ classes });
      for (const [i, picture] of pictures.entries()) {
        for (let copy = 0; copy < weights[i]; copy++) evaluator.addPicture({ ...picture, id: 100 * i + copy });
      }
      const found = weighing(pictures).of(weights);
      const tables = evaluator.tables();
      close(found.AP, meanPrecision(tables), 1e-12, `seed ${seed}`);
      for (const [t, iouThreshold] of [0.5, 0.55, 0.6].entries()) {
        close(found.byThreshold[t], meanPrecision(tables, { iouThreshold }), 1e-12, `seed ${seed} at ${iouThreshold}`);
      }
      for (const classIndex of [0, 1]) {
        close(found.byClass[classIndex], meanPrecision(tables, { classIndex }), 1e-12, `seed ${seed} class`);
      }
    }
  });

  test('is the same for equal seeds, another for others, and holds the figure', async () => {
    const data = dataOf(classes, randomProblem(3, { pictures: 40, classes: 2 }));
    const options = { resamples: 200, seed: 5 };
    const result = await bootstrapPrecision(data, options);
    assert.deepEqual(await bootstrapPrecision(data, options), result);
    assert.notDeepEqual((await bootstrapPrecision(data, { ...options, seed: 6 })).AP, result.AP);
    const { value, low, high, standardError } = result.AP!;
    assert.ok(low < value && value < high && standardError > 0);
    const narrow = (await bootstrapPrecision(data, { ...options, confidence: 0.5 })).AP!;
    assert.ok(narrow.low > low && narrow.high < high);
    assert.equal(result.byThreshold[5].iouThreshold, 0.75);
    assert.deepEqual(Object.keys(byName(result.perClass)), classes);
  });

  test('covers the truth about as often as it says', async () => {
    // 400 pictures are the world, of which 40 are seen: the 90 % interval should hold the world's figure 9 times in 10.
    const world = randomProblem(11, { pictures: 400, classes: 1 });
    const truth = weighing(world).of().AP;
    let held = 0;
    for (let trial = 0; trial < 100; trial++) {
      const weights = new Float64Array(world.length);
      drawPictures(weights, 99, trial);
      const seen = world.filter((_, i) => weights[i] > 0).slice(0, 60);
      const { low, high } = (await bootstrapPrecision(dataOf(classes, seen), { resamples: 100, confidence: 0.9 })).AP!;
      if (low <= truth && truth <= high) held++;
    }
    assert.ok(held >= 78 && held <= 99, `held ${held} of 100 times`);
  });

  test('of one picture has no width, and of nothing no figure', async () => {
    const [picture] = randomProblem(1, { pictures: 9, classes: 2 }).filter(({ truth }) => truth.labels.length > 0);
    const { AP } = await bootstrapPrecision(dataOf(classes, [picture]), { resamples: 20 });
    assert.deepEqual([AP!.low, AP!.high], [AP!.value, AP!.value]);
    assert.equal((await bootstrapPrecision(dataOf(classes, []))).AP, undefined);
  });

  test('has no figure where no drawn data set has truth', async () => {
    const found = { boxes: [0, 0, 10, 10], labels: [0], scores: [0.9] };
    const empty = { boxes: [], labels: [] };
    const one = { boxes: [0, 0, 10, 10], labels: [0] };
    const pictures = [0, 1, 2].map((id) => ({ id, truth: id === 0 ? one : empty, detections: found }));
    const data = dataOf(['a', 'b'], pictures);
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, seed) => bootstrapPrecision(data, { resamples: 1, seed })),
    );
    assert.ok(results.some(({ AP }) => AP === undefined) && results.some(({ AP }) => AP !== undefined));
    for (const { AP, byThreshold, perClass } of results) {
      assert.deepEqual([byThreshold.length, Object.keys(byName(perClass))], AP ? [10, ['a']] : [0, []]);
      assert.ok(!AP || Number.isFinite(AP.low + AP.high + AP.standardError));
    }
  });

  test('refuses what it cannot do', async () => {
    const data = dataOf(classes, []);
    const many = Array.from({ length: 33 }, (_, t) => (t + 1) / 40);
    const thresholds = [{ iouThresholds: many }, { iouThresholds: [] }, { iouThresholds: [0] }];
    for (const options of [{ resamples: 0 }, { confidence: 1 }, { seed: 0.5 }, ...thresholds]) {
      await assert.rejects(bootstrapPrecision(data, options), { code: 'config' });
    }
  });

  test('lets others work meanwhile, and ends when it is stopped', async () => {
    const data = dataOf(classes, randomProblem(3, { pictures: 40, classes: 2 }));
    const stop = new AbortController();
    const turns = setInterval(() => stop.abort(), 30);
    try {
      // A day's work, were it not stopped by a timer, which only runs if the loop pauses.
      await assert.rejects(bootstrapPrecision(data, { resamples: 1e8, signal: stop.signal }), { code: 'aborted' });
    } finally {
      clearInterval(turns);
    }
    await assert.rejects(bootstrapPrecision(data, { signal: AbortSignal.abort() }), { code: 'aborted' });
  });
});
