import { randomStream } from '../data/augment/random.js';
import { BoxwrightError } from '../errors.js';
import { type BootstrapOptions, bootstrapSettings, drawPictures, type Interval, interval } from './bootstrap.js';
import { cocoIouThresholds } from './coco/coco-settings.js';
import { WeightedPrecision } from './coco/weighted-precision.js';
import { type EvaluationData, EvaluationDataBuilder, picturesOf } from './evaluation-data.js';
import { interruptible } from './interruptible.js';
import { picturesById } from './matching/class-order.js';
import type { EvaluatedPicture } from './matching/picture.js';
import { type MatchOptions, type RankedMatches, rankedMatches } from './matching/ranked-matches.js';
import { sortByFallingScore } from './matching/stable-order.js';
import type { OfClass } from './per-class.js';

/** How two detectors are compared. */
export interface ComparisonOptions extends BootstrapOptions, Omit<MatchOptions, 'areas'> {
  /** Random exchanges of A and B for the p-value; default 1000. */
  readonly permutations?: number;
  /** How many pictures to name that changed most, each way; default 20. */
  readonly examples?: number;
}

/** How a picture fares: AP of that picture alone, its classes ranked together, mean over the IoU thresholds. */
export interface PictureChange {
  readonly id: number | string;
  readonly a: number;
  readonly b: number;
}

/** What two detectors differ in. Figures are fractions. */
export interface ComparisonResult {
  readonly pictures: number;
  /** COCO's AP of each; -1 without truth. */
  readonly a: number;
  readonly b: number;
  /** B less A, with a paired bootstrap interval: both are measured on the same drawn pictures. Absent without truth. */
  readonly difference?: Interval;
  /**
   * How often exchanging A's and B's detections picture by picture at random gives at least this difference, either way.
   * Small: more than chance. It answers whether the two are interchangeable, whatever the distribution of AP.
   */
  readonly p: number;
  readonly resamples: number;
  readonly permutations: number;
  readonly confidence: number;
  readonly seed: number;
  /** Classes with truth. */
  readonly perClass: readonly OfClass<{ readonly a: number; readonly b: number; readonly difference: number }>[];
  /** Pictures with truth whose own AP is higher, lower and the same with B. */
  readonly better: number;
  readonly worse: number;
  readonly same: number;
  readonly mostImproved: readonly PictureChange[];
  readonly mostWorsened: readonly PictureChange[];
  /** Pictures without truth: where B is less sure of what is not there (the sum of its scores is smaller), and more. */
  readonly withoutTruth: { readonly pictures: number; readonly better: number; readonly worse: number };
}

/**
 * Compares what two detectors found in the same pictures: which is better, by how much, in which pictures, and is it more
 * than chance? Pictures are taken for draws from one source. What another training run of either would give is not in
 * the figures: for claims about methods, compare several runs.
 *
 * @param a the first detector's detections; its truth is that of both.
 * @throws BoxwrightError `data` unless both are of the same classes, pictures and objects; `config` for options that
 *   cannot be met; `aborted` when the signal stops it.
 */
export async function comparePaired(
  a: EvaluationData,
  b: EvaluationData,
  options: ComparisonOptions = {},
): Promise<ComparisonResult> {
  const settings = bootstrapSettings(options);
  const permutations = permutationsOf(options);
  const { iouThresholds = cocoIouThresholds, maxDetections, examples = 20 } = options;
  const { resamples, confidence, seed } = settings;
  const match = (data: EvaluationData) => rankedMatches(data, { iouThresholds, maxDetections })[0];
  const together = match(joined(a, b));
  const [ofA, ofB] = [a, b].map((data) => new WeightedPrecision(match(data), iouThresholds.length));
  const pictures = a.pictures.length;
  const [givenA, givenB] = [ofA.of(), ofB.of()];
  const weights = new Float64Array(pictures);
  const differences: number[] = [];
  const pause = interruptible('The comparison', options.signal);
  for (let i = 0; i < resamples && givenA.AP >= 0; i++) {
    await pause();
    drawPictures(weights, seed, i);
    const drawn = ofA.of(weights).AP;
    if (drawn >= 0) differences.push(ofB.of(weights).AP - drawn);
  }
  const value = givenB.AP - givenA.AP;
  const perClass = a.classes.flatMap((name, k) => {
    const [own, other] = [givenA.byClass[k], givenB.byClass[k]];
    return own < 0 ? [] : [{ name, a: own, b: other, difference: other - own }];
  });
  const p = await exchanged(new WeightedPrecision(together, iouThresholds.length), {
    pictures,
    value,
    permutations,
    seed,
    pause,
  });
  return {
    pictures,
    a: givenA.AP,
    b: givenB.AP,
    ...(differences.length > 0 && { difference: interval(value, Float64Array.from(differences), confidence) }),
    p,
    permutations,
    ...settings,
    perClass,
    ...pictureChanges(a, together, iouThresholds.length, examples),
  };
}

function permutationsOf({ permutations = 1000 }: ComparisonOptions): number {
  if (Number.isInteger(permutations) && permutations >= 1) return permutations;
  throw new BoxwrightError('config', `permutations is ${permutations}, expected a whole number from 1`);
}

/** Both detectors' pictures in one data set: those of rank r by id become 2r with A's detections and 2r + 1 with B's. */
function joined(a: EvaluationData, b: EvaluationData): EvaluationData {
  if (JSON.stringify(a.classes) !== JSON.stringify(b.classes) || a.boxFormat !== b.boxFormat) {
    throw data(`A has classes ${a.classes.join(', ')} (${a.boxFormat}), B ${b.classes.join(', ')} (${b.boxFormat})`);
  }
  const ofA = Array.from(picturesOf(a));
  const ofB = new Map(Array.from(picturesOf(b), (picture) => [picture.id, picture]));
  const alone = ofA.find(({ id }) => !ofB.has(id));
  if (alone) throw data(`picture ${JSON.stringify(alone.id)} is in A and not in B`);
  if (ofB.size !== ofA.length) throw data(`A has ${ofA.length} pictures, B ${ofB.size}`);
  const builder = new EvaluationDataBuilder(a.classes, a.boxFormat);
  for (const [rank, place] of picturesById(a.pictures).entries()) {
    const picture = ofA[place];
    const other = ofB.get(picture.id)!;
    requireSameTruth(picture, other);
    builder.addPicture({ ...picture, id: 2 * rank });
    builder.addPicture({ ...picture, id: 2 * rank + 1, detections: other.detections });
  }
  return builder.data();
}

function requireSameTruth({ id, truth }: EvaluatedPicture, { truth: other }: EvaluatedPicture): void {
  const same = (x: ArrayLike<number>, y: ArrayLike<number>) =>
    x.length === y.length && Array.from(x).every((value, i) => value === y[i]);
  const where = `picture ${JSON.stringify(id)}`;
  if (!same(truth.labels, other.labels) || !same(truth.boxes, other.boxes)) {
    const counts = `${truth.labels.length} and ${other.labels.length}`;
    throw data(`${where} has other objects in A than in B (${counts} of them)`);
  }
  if (!same(truth.crowd ?? [], other.crowd ?? [])) throw data(`${where} has other crowd regions in A than in B`);
}

interface Exchanges {
  readonly pictures: number;
  /** The difference to reach. */
  readonly value: number;
  readonly permutations: number;
  readonly seed: number;
  readonly pause: () => Promise<void>;
}

/** The p-value of a difference; the given assignment counts as one of the exchanges. */
async function exchanged(
  precision: WeightedPrecision,
  { pictures, value, permutations, seed, pause }: Exchanges,
): Promise<number> {
  const [first, second] = [new Float64Array(2 * pictures), new Float64Array(2 * pictures)];
  let asLarge = 1;
  for (let i = 0; i < permutations; i++) {
    await pause();
    const random = randomStream(seed, 1, i);
    for (let picture = 0; picture < pictures; picture++) {
      const swapped = random.int(2);
      first[2 * picture] = second[2 * picture + 1] = 1 - swapped;
      first[2 * picture + 1] = second[2 * picture] = swapped;
    }
    const gain = precision.of(second).AP - precision.of(first).AP;
    // Rounding must not make an equal difference a smaller one.
    if (Math.abs(gain) >= Math.abs(value) - 1e-12) asLarge++;
  }
  return asLarge / (permutations + 1);
}

function pictureChanges(a: EvaluationData, ranked: readonly RankedMatches[], thresholds: number, examples: number) {
  const own = byPicture(ranked, 2 * a.pictures.length);
  const changes: PictureChange[] = [];
  const withoutTruth = { pictures: 0, better: 0, worse: 0 };
  for (const [rank, place] of picturesById(a.pictures).entries()) {
    const [ofA, ofB] = [own[2 * rank], own[2 * rank + 1]];
    if (ofA.positives.length > 0) {
      const [before, after] = [ofA, ofB].map((each) => new WeightedPrecision([each], thresholds).of().AP);
      changes.push({ id: a.pictures[place], a: before, b: after });
    } else {
      const [sureA, sureB] = [ofA, ofB].map(({ scores }) => scores.reduce((sum, score) => sum + score, 0));
      withoutTruth.pictures++;
      if (sureB < sureA) withoutTruth.better++;
      if (sureB > sureA) withoutTruth.worse++;
    }
  }
  const gain = (change: PictureChange) => change.b - change.a;
  const improved = changes.filter((change) => gain(change) > 0).sort((x, y) => gain(y) - gain(x));
  const worsened = changes.filter((change) => gain(change) < 0).sort((x, y) => gain(x) - gain(y));
  return {
    better: improved.length,
    worse: worsened.length,
    same: changes.length - improved.length - worsened.length,
    mostImproved: improved.slice(0, examples),
    mostWorsened: worsened.slice(0, examples),
    withoutTruth,
  };
}

/** The detections of each picture in one ranking over its classes. */
function byPicture(classes: readonly RankedMatches[], pictures: number): RankedMatches[] {
  const positives = new Uint32Array(pictures);
  const starts = new Uint32Array(pictures + 1);
  for (const own of classes) {
    for (const picture of own.positives) positives[picture]++;
    for (const picture of own.pictures) starts[picture + 1]++;
  }
  for (let picture = 0; picture < pictures; picture++) starts[picture + 1] += starts[picture];
  const next = starts.slice();
  const scores = new Float64Array(starts[pictures]);
  const matched = new Uint32Array(scores.length);
  const ignored = new Uint32Array(scores.length);
  for (const own of classes) {
    for (let i = 0; i < own.pictures.length; i++) {
      const place = next[own.pictures[i]]++;
      scores[place] = own.scores[i];
      matched[place] = own.matched[i];
      ignored[place] = own.ignored[i];
    }
  }
  const order = Uint32Array.from(scores.keys());
  const scratch = new Uint32Array(order.length);
  return Array.from(positives, (count, picture) => {
    const [from, to] = [starts[picture], starts[picture + 1]];
    sortByFallingScore(order, scores, scratch, from, to);
    const own = order.subarray(from, to);
    return {
      scores: Float64Array.from(own, (place) => scores[place]),
      pictures: new Uint32Array(own.length),
      matched: own.map((place) => matched[place]),
      ignored: own.map((place) => ignored[place]),
      positives: new Uint32Array(count),
    };
  });
}

function data(message: string): BoxwrightError {
  return new BoxwrightError('data', `${message}: both must be of the same ground truth`);
}
