import { randomStream } from '../data/random.js';
import { type BootstrapOptions, bootstrapSettings, drawPictures, type Interval, interval } from './bootstrap.js';
import { ClassMatches } from './class-matches.js';
import { DetectionMatches, everyBit, type MatchOptions } from './detection-matches.js';
import type { Detections, Truth } from './picture.js';
import { meanPrecisions, type RankedMatches, rankClasses, rankMatches } from './weighted-precision.js';

/** One picture, and what two detectors found in it. */
export interface ComparedPicture {
  readonly id: number | string;
  readonly truth: Truth;
  readonly a?: Detections;
  readonly b?: Detections;
}

export interface ComparisonOptions extends BootstrapOptions {
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

export interface ComparisonResult {
  readonly pictures: number;
  /** COCO's AP of each. */
  readonly a: number;
  readonly b: number;
  /** B less A, with a paired bootstrap interval: both are measured on the same drawn pictures. */
  readonly difference: Interval;
  /**
   * How often exchanging A's and B's detections picture by picture at random gives at least this difference, either way.
   * Small: more than chance. Exact for the question whether the two are interchangeable, whatever AP's distribution.
   */
  readonly p: number;
  readonly resamples: number;
  readonly permutations: number;
  readonly confidence: number;
  readonly seed: number;
  readonly perClass: Readonly<Record<string, { readonly a: number; readonly b: number; readonly difference: number }>>;
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
 */
export class PairedComparison {
  readonly #a: DetectionMatches;
  readonly #b: DetectionMatches;
  readonly #changes: PictureChange[] = [];
  readonly #withoutTruth = { pictures: 0, better: 0, worse: 0 };

  /** @throws BoxwrightError `config` for options that cannot be met. */
  constructor(options: Omit<MatchOptions, 'ranges'>) {
    this.#a = new DetectionMatches({ ...options, ranges: undefined });
    this.#b = new DetectionMatches({ ...options, ranges: undefined });
  }

  /** @throws BoxwrightError `data` for a second picture of the same id and for arrays that do not fit each other. */
  addPicture({ id, truth, a, b }: ComparedPicture): void {
    const starts = this.#a.byClass.map(({ length }) => length);
    const startsB = this.#b.byClass.map(({ length }) => length);
    const found = this.#a.byClass.reduce((sum, { positives }) => sum + positives[0], 0);
    this.#a.addPicture({ id, truth, detections: a });
    this.#b.addPicture({ id, truth, detections: b });
    const positives = this.#a.byClass.reduce((sum, own) => sum + own.positives[0], 0) - found;
    if (positives > 0) {
      const change = { a: ownPrecision(this.#a, starts, positives), b: ownPrecision(this.#b, startsB, positives) };
      this.#changes.push({ id, ...change });
    } else {
      const [sureA, sureB] = [falseScores(this.#a, starts), falseScores(this.#b, startsB)];
      this.#withoutTruth.pictures++;
      if (sureB < sureA) this.#withoutTruth.better++;
      if (sureB > sureA) this.#withoutTruth.worse++;
    }
  }

  /** @throws BoxwrightError `config` for options that cannot be met. */
  result(options: ComparisonOptions = {}): ComparisonResult {
    const settings = bootstrapSettings(options);
    const permutations = bootstrapSettings({ resamples: options.permutations }).resamples;
    const { resamples, confidence, seed } = settings;
    const thresholds = this.#a.iouThresholds.length;
    const [classesA, classesB] = [rankClasses(this.#a), rankClasses(this.#b)];
    const a = meanPrecisions(classesA, thresholds);
    const b = meanPrecisions(classesB, thresholds);
    const weights = new Float64Array(this.#a.pictures);
    const differences: number[] = [];
    for (let i = 0; i < resamples; i++) {
      drawPictures(weights, seed, i);
      const drawn = meanPrecisions(classesA, thresholds, weights).AP;
      if (drawn >= 0) differences.push(meanPrecisions(classesB, thresholds, weights).AP - drawn);
    }
    const value = b.AP - a.AP;
    const byChange = this.#changes.toSorted((one, other) => other.b - other.a - (one.b - one.a));
    const examples = options.examples ?? 20;
    return {
      pictures: this.#a.pictures,
      a: a.AP,
      b: b.AP,
      difference: interval(value, Float64Array.from(differences), confidence),
      p: this.#exchanged(value, permutations, seed),
      permutations,
      ...settings,
      perClass: Object.fromEntries(
        this.#a.classes.map((name, k) => {
          const [own, other] = [a.byClass[k], b.byClass[k]];
          return [name, { a: own, b: other, difference: other - own }];
        }),
      ),
      better: this.#changes.filter((change) => change.b > change.a).length,
      worse: this.#changes.filter((change) => change.b < change.a).length,
      same: this.#changes.filter((change) => change.b === change.a).length,
      mostImproved: byChange.filter((change) => change.b > change.a).slice(0, examples),
      mostWorsened: byChange
        .filter((change) => change.b < change.a)
        .reverse()
        .slice(0, examples),
      withoutTruth: { ...this.#withoutTruth },
    };
  }

  /** The p-value of a difference: the given assignment counts as one of the exchanges. */
  #exchanged(difference: number, permutations: number, seed: number): number {
    const { pictures } = this.#a;
    const thresholds = this.#a.iouThresholds.length;
    const classes = this.#together();
    const [first, second] = [new Float64Array(2 * pictures), new Float64Array(2 * pictures)];
    let asLarge = 1;
    for (let i = 0; i < permutations; i++) {
      const random = randomStream(seed, 1, i);
      for (let picture = 0; picture < pictures; picture++) {
        const swapped = random.int(2);
        first[picture] = second[pictures + picture] = 1 - swapped;
        first[pictures + picture] = second[picture] = swapped;
      }
      const one = meanPrecisions(classes, thresholds, first).AP;
      const other = meanPrecisions(classes, thresholds, second).AP;
      // Rounding must not make an equal difference a smaller one.
      if (Math.abs(other - one) >= Math.abs(difference) - 1e-12) asLarge++;
    }
    return asLarge / (permutations + 1);
  }

  /** A's and B's detections in one list a class; B's pictures are counted on from A's. Of each pair one is weighed 0. */
  #together(): RankedMatches[] {
    const { pictures } = this.#a;
    const ranks = this.#a.pictureRanks();
    const both = new Uint32Array(2 * pictures);
    both.set(ranks);
    both.set(ranks, pictures);
    const every = everyBit(this.#a.iouThresholds.length);
    return this.#a.byClass.map((own, k) => {
      const joined = new ClassMatches(1);
      append(joined, own, 0);
      append(joined, this.#b.byClass[k], pictures);
      return rankMatches(joined, every, both);
    });
  }
}

function append(to: ClassMatches, from: ClassMatches, offset: number): void {
  const start = to.add(from.length);
  for (let i = 0; i < from.length; i++) {
    to.scores[start + i] = from.scores[i];
    to.pictures[start + i] = from.pictures[i] + offset;
    to.matched[start + i] = from.matched[i];
    to.ignored[start + i] = from.ignored[i];
  }
  for (let i = 0; i < from.positivePictures.length; i++) {
    to.positivePictures.push(from.positivePictures[i] + offset);
    to.positiveCounts.push(from.positiveCounts[i]);
  }
}

/** AP of the picture that was added last, all its classes in one ranking. */
function ownPrecision(matches: DetectionMatches, starts: readonly number[], positives: number): number {
  const pooled = new ClassMatches(1);
  for (const [k, own] of matches.byClass.entries()) {
    const start = pooled.add(own.length - starts[k]);
    pooled.scores.set(own.scores.subarray(starts[k], own.length), start);
    pooled.matched.set(own.matched.subarray(starts[k], own.length), start);
    pooled.ignored.set(own.ignored.subarray(starts[k], own.length), start);
  }
  pooled.positivePictures.push(0);
  pooled.positiveCounts.push(positives);
  const thresholds = matches.iouThresholds.length;
  return meanPrecisions([rankMatches(pooled, everyBit(thresholds), Uint32Array.of(0))], thresholds).AP;
}

function falseScores(matches: DetectionMatches, starts: readonly number[]): number {
  let sum = 0;
  for (const [k, own] of matches.byClass.entries()) {
    for (let i = starts[k]; i < own.length; i++) if (!(own.ignored[i] & 1)) sum += own.scores[i];
  }
  return sum;
}
