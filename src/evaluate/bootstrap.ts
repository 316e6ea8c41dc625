import { randomStream } from '../data/augment/random.js';
import { BoxwrightError } from '../errors.js';
import { cocoIouThresholds } from './coco/coco-settings.js';
import { type Precisions, WeightedPrecision } from './coco/weighted-precision.js';
import type { EvaluationData } from './evaluation-data.js';
import { interruptible } from './interruptible.js';
import { type MatchOptions, rankedMatches } from './matching/ranked-matches.js';
import type { OfClass } from './per-class.js';

/** How data sets are drawn. */
export interface BootstrapOptions {
  /** Data sets that are drawn; default 1000. */
  readonly resamples?: number;
  /** Part of them between the interval's ends; default 0.95. */
  readonly confidence?: number;
  /** Equal seeds draw alike; default 0. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

/** A figure, and where it may lie had other pictures of the same kind been taken. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Standard deviation over the resamples. */
  readonly standardError: number;
}

/** Intervals of AP, as a whole, at each threshold and of each class. Figures are fractions. */
export interface BootstrapResult {
  readonly pictures: number;
  readonly resamples: number;
  readonly confidence: number;
  readonly seed: number;
  /** Mean over the classes and IoU thresholds; absent without truth, or if no drawn data set has any. */
  readonly AP?: Interval;
  /** At each IoU threshold, in their order; empty where `AP` is absent. */
  readonly byThreshold: readonly ({ readonly iouThreshold: number } & Interval)[];
  /** AP of each class with truth, if any drawn data set has some. */
  readonly perClass: readonly OfClass<Interval>[];
}

/**
 * Percentile bootstrap intervals of COCO's AP (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter
 * 13): pictures are drawn with replacement, as many as there are, and AP is computed of every such data set. Matching is
 * not repeated, since a picture's matches do not depend on others. The interval tells what the choice of pictures does,
 * not what another training run would. A class without truth in a drawn data set is left out of its mean.
 *
 * @throws BoxwrightError `config` for options that cannot be met; `aborted` when the signal stops it.
 */
export async function bootstrapPrecision(
  data: EvaluationData,
  options: BootstrapOptions & Omit<MatchOptions, 'areas'> = {},
): Promise<BootstrapResult> {
  const settings = bootstrapSettings(options);
  const { resamples, confidence, seed } = settings;
  const { iouThresholds = cocoIouThresholds, maxDetections } = options;
  const precision = new WeightedPrecision(
    rankedMatches(data, { iouThresholds, maxDetections })[0],
    iouThresholds.length,
  );
  const given = precision.of();
  const about = { pictures: data.pictures.length, ...settings };
  const drawn: Precisions[] = [];
  const weights = new Float64Array(data.pictures.length);
  const pause = interruptible('The bootstrap', options.signal);
  for (let i = 0; i < resamples && given.AP >= 0; i++) {
    await pause();
    drawPictures(weights, seed, i);
    const precisions = precision.of(weights);
    if (precisions.AP >= 0) drawn.push(precisions);
  }
  if (drawn.length === 0) return { ...about, byThreshold: [], perClass: [] };
  const intervalOf = (value: number, of: (precisions: Precisions) => number) =>
    interval(value, Float64Array.from(drawn, of), confidence);
  const perClass = data.classes.flatMap((name, k) => {
    if (given.byClass[k] < 0) return [];
    const own = Float64Array.from(drawn, ({ byClass }) => byClass[k]).filter((precision) => precision >= 0);
    if (own.length === 0) return [];
    return [{ name, ...interval(given.byClass[k], own, confidence) }];
  });
  return {
    ...about,
    AP: intervalOf(given.AP, ({ AP }) => AP),
    byThreshold: iouThresholds.map((iouThreshold, t) => ({
      iouThreshold,
      ...intervalOf(given.byThreshold[t], ({ byThreshold }) => byThreshold[t]),
    })),
    perClass,
  };
}

/** @throws BoxwrightError `config` that names the option, what was found and what was expected. */
export function bootstrapSettings(options: BootstrapOptions): Required<Omit<BootstrapOptions, 'signal'>> {
  const { resamples = 1000, confidence = 0.95, seed = 0 } = options;
  const refuse = (what: string) => new BoxwrightError('config', what);
  if (!Number.isInteger(resamples) || resamples < 1)
    throw refuse(`resamples is ${resamples}, expected a whole number from 1`);
  if (!(confidence > 0 && confidence < 1))
    throw refuse(`confidence is ${confidence}, expected a number above 0 and below 1`);
  if (!Number.isInteger(seed)) throw refuse(`seed is ${seed}, expected a whole number`);
  return { resamples, confidence, seed };
}

/** How often each picture comes in the data set number `index` that is drawn; overwrites `weights`, `[pictures]`. */
export function drawPictures(weights: Float64Array, seed: number, index: number): void {
  const random = randomStream(seed, 0, index);
  weights.fill(0);
  for (let i = 0; i < weights.length; i++) weights[random.int(weights.length)]++;
}

/** @param drawn sorted in place. */
export function interval(value: number, drawn: Float64Array, confidence: number): Interval {
  const { length } = drawn;
  const mean = drawn.reduce((sum, each) => sum + each, 0) / length;
  const squares = drawn.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  drawn.sort();
  const outside = (1 - confidence) / 2;
  return {
    value,
    low: quantile(drawn, outside),
    high: quantile(drawn, 1 - outside),
    standardError: length > 1 ? Math.sqrt(squares / (length - 1)) : 0,
  };
}

/** Linear between neighbours, as numpy's. */
function quantile(sorted: Float64Array, part: number): number {
  const place = part * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}
