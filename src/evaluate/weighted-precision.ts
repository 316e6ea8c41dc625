import { cocoRecallPoints } from './coco-settings.js';
import type { RankedMatches } from './ranked-matches.js';

/** Average precisions, fractions; -1 where there is no truth. */
export interface Precisions {
  /** Mean over classes and thresholds. */
  readonly AP: number;
  /** Mean over classes, `[thresholds]`. */
  readonly byThreshold: Float64Array;
  /** Mean over thresholds, `[classes]`. */
  readonly byClass: Float64Array;
}

/** pycocotools' guard against 0/0, which leaves a perfect precision just below 1. */
const epsilon = 2 ** -52;

/**
 * COCO's average precision (101 recall points) where every picture counts a number of times: whole numbers give what a
 * data set with copies of its pictures would, 0 leaves a picture out. Made once, it computes for many weightings.
 */
export class WeightedPrecision {
  readonly #classes: readonly RankedMatches[];
  readonly #thresholds: number;
  /** Of the class at hand, its detections that are not false at every threshold. */
  readonly #entries: Uint32Array;
  readonly #weights: Float64Array;
  readonly #falseBefore: Float64Array;
  /** Of the threshold at hand, its true detections. */
  readonly #found: Float64Array;
  readonly #precision: Float64Array;

  constructor(classes: readonly RankedMatches[], thresholds: number) {
    const most = classes.reduce((length, { pictures }) => Math.max(length, pictures.length), 0);
    this.#classes = classes;
    this.#thresholds = thresholds;
    this.#entries = new Uint32Array(most);
    this.#weights = new Float64Array(most);
    this.#falseBefore = new Float64Array(most);
    this.#found = new Float64Array(most);
    this.#precision = new Float64Array(most);
  }

  /** @param weights one a picture, numbered by rising id; left out, each counts once. */
  of(weights?: Float64Array): Precisions {
    const thresholds = this.#thresholds;
    const byThreshold = new Float64Array(thresholds);
    const byClass = new Float64Array(this.#classes.length).fill(-1);
    let counted = 0;
    let total = 0;
    for (const [k, ranked] of this.#classes.entries()) {
      const positives = weightOf(ranked.positives, weights);
      if (positives === 0) continue;
      counted++;
      const entries = this.#select(ranked, weights);
      let sum = 0;
      for (let t = 0; t < thresholds; t++) {
        const precision = this.#at(ranked, 1 << t, entries, positives);
        byThreshold[t] += precision;
        sum += precision;
      }
      byClass[k] = sum / thresholds;
      total += sum;
    }
    if (counted === 0) return { AP: -1, byThreshold: byThreshold.fill(-1), byClass };
    for (let t = 0; t < thresholds; t++) byThreshold[t] /= counted;
    return { AP: total / (counted * thresholds), byThreshold, byClass };
  }

  #select({ pictures, matched, ignored }: RankedMatches, weights: Float64Array | undefined): number {
    let entries = 0;
    let wrong = 0;
    for (let i = 0; i < pictures.length; i++) {
      const weight = weights ? weights[pictures[i]] : 1;
      if (matched[i] === 0 && ignored[i] === 0) {
        wrong += weight;
      } else if (weight > 0) {
        this.#weights[entries] = weight;
        this.#falseBefore[entries] = wrong;
        this.#entries[entries++] = i;
      }
    }
    return entries;
  }

  #at({ matched, ignored }: RankedMatches, bit: number, entries: number, positives: number): number {
    const [found, precision] = [this.#found, this.#precision];
    let count = 0;
    let right = 0;
    let wrong = 0;
    for (let e = 0; e < entries; e++) {
      const i = this.#entries[e];
      if (ignored[i] & bit) continue;
      if (!(matched[i] & bit)) {
        wrong += this.#weights[e];
        continue;
      }
      right += this.#weights[e];
      found[count] = right;
      precision[count++] = right / (this.#falseBefore[e] + wrong + right + epsilon);
    }
    for (let i = count - 2; i >= 0; i--) if (precision[i] < precision[i + 1]) precision[i] = precision[i + 1];
    let sum = 0;
    let at = 0;
    for (let r = 0; r < cocoRecallPoints.length; r++) {
      while (at < count && found[at] / positives < cocoRecallPoints[r]) at++;
      if (at === count) break;
      sum += precision[at];
    }
    return sum / cocoRecallPoints.length;
  }
}

/** Part of the truths that are found: mean over classes, `[thresholds]`; -1 where there is no truth. */
export function meanRecalls(classes: readonly RankedMatches[], thresholds: number): number[] {
  const counted = classes.filter(({ positives }) => positives.length > 0);
  return Array.from({ length: thresholds }, (_, t) => {
    const recalls = counted.map(({ matched, ignored, positives }) => {
      let found = 0;
      for (let i = 0; i < matched.length; i++) if (matched[i] & ~ignored[i] & (1 << t)) found++;
      return found / positives.length;
    });
    return counted.length > 0 ? recalls.reduce((sum, recall) => sum + recall, 0) / counted.length : -1;
  });
}

function weightOf(positives: Uint32Array, weights: Float64Array | undefined): number {
  if (!weights) return positives.length;
  let sum = 0;
  for (let i = 0; i < positives.length; i++) sum += weights[positives[i]];
  return sum;
}
