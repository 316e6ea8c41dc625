import type { RankedMatches } from '../matching/ranked-matches.js';
import { cocoRecallPoints } from './coco-settings.js';

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

/** What of a class's detections precision depends on. */
interface PrecisionClass {
  readonly pictures: Uint32Array;
  readonly positives: Uint32Array;
  /** Detections that are true at some threshold, rising. */
  readonly entries: Uint32Array;
  /** At each threshold, which of `entries` are true, rising. */
  readonly right: readonly Uint32Array[];
  /** At each threshold, the detections that count neither way, rising. */
  readonly ignored: readonly Uint32Array[];
}

/**
 * COCO's average precision (101 recall points) where every picture counts a whole number of times, as it would in a data
 * set with so many copies of it; 0 leaves a picture out. Made once, it computes for many weightings.
 *
 * Precision is needed at true detections only: there, the true and false ones together are all those before that count,
 * whose weights are added up once for all thresholds.
 */
export class WeightedPrecision {
  readonly #classes: readonly PrecisionClass[];
  readonly #thresholds: number;
  readonly #once: Float64Array;
  /** Of the class at hand: weight of each of its `entries`, and of all detections up to it. */
  readonly #weights: Float64Array;
  readonly #upTo: Float64Array;
  /** Weight of true detections that reaches each recall point. */
  readonly #needed = new Float64Array(cocoRecallPoints.length);
  /** Of the threshold at hand, by rising recall. */
  readonly #found: Float64Array;
  readonly #precision: Float64Array;

  constructor(classes: readonly RankedMatches[], thresholds: number) {
    this.#classes = classes.map((ranked) => precisionClass(ranked, thresholds));
    this.#thresholds = thresholds;
    const most = this.#classes.reduce((length, { entries }) => Math.max(length, entries.length), 0);
    const last = (pictures: Uint32Array) => pictures.reduce((highest, picture) => Math.max(highest, picture), -1);
    const pictures = classes.reduce((count, own) => Math.max(count, last(own.pictures), last(own.positives)), -1) + 1;
    this.#once = new Float64Array(pictures).fill(1);
    this.#weights = new Float64Array(most);
    this.#upTo = new Float64Array(most);
    this.#found = new Float64Array(most);
    this.#precision = new Float64Array(most);
  }

  /** @param weights one a picture, numbered by rising id; left out, each counts once. */
  of(weights: Float64Array = this.#once): Precisions {
    const thresholds = this.#thresholds;
    const byThreshold = new Float64Array(thresholds);
    const byClass = new Float64Array(this.#classes.length).fill(-1);
    let counted = 0;
    let total = 0;
    for (const [k, own] of this.#classes.entries()) {
      const positives = weightOf(own.positives, weights);
      if (positives === 0) continue;
      counted++;
      this.#weigh(own, weights);
      this.#need(positives);
      let sum = 0;
      for (let t = 0; t < thresholds; t++) {
        const precision = this.#at(own, t, weights);
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

  #weigh({ pictures, entries }: PrecisionClass, weights: Float64Array): void {
    const [own, upTo] = [this.#weights, this.#upTo];
    let total = 0;
    let i = 0;
    for (let e = 0; e < entries.length; e++) {
      for (; i <= entries[e]; i++) total += weights[pictures[i]];
      own[e] = weights[pictures[entries[e]]];
      upTo[e] = total;
    }
  }

  /** Compared as pycocotools compares: a quotient of whole numbers with a recall point. */
  #need(positives: number): void {
    for (let r = 0; r < cocoRecallPoints.length; r++) {
      let needed = Math.ceil(cocoRecallPoints[r] * positives);
      while (needed > 0 && (needed - 1) / positives >= cocoRecallPoints[r]) needed--;
      while (needed / positives < cocoRecallPoints[r]) needed++;
      this.#needed[r] = needed;
    }
  }

  #at({ pictures, entries, right, ignored }: PrecisionClass, t: number, weights: Float64Array): number {
    const [found, precision, entryWeights, upTo, needed] = [
      this.#found,
      this.#precision,
      this.#weights,
      this.#upTo,
      this.#needed,
    ];
    const [own, out] = [right[t], ignored[t]];
    let count = 0;
    let sum = 0;
    let left = 0;
    let at = 0;
    for (let j = 0; j < own.length; j++) {
      const e = own[j];
      const weight = entryWeights[e];
      if (weight === 0) continue;
      for (; at < out.length && out[at] < entries[e]; at++) left += weights[pictures[out[at]]];
      sum += weight;
      found[count] = sum;
      precision[count++] = sum / (upTo[e] - left + epsilon);
    }
    // The largest precision at each recall point or beyond it.
    let best = 0;
    let precisions = 0;
    let i = count - 1;
    for (let r = cocoRecallPoints.length - 1; r >= 0; r--) {
      for (; i >= 0 && found[i] >= needed[r]; i--) if (precision[i] > best) best = precision[i];
      precisions += best;
    }
    return precisions / cocoRecallPoints.length;
  }
}

function precisionClass({ pictures, positives, matched, ignored }: RankedMatches, thresholds: number): PrecisionClass {
  const entries: number[] = [];
  const right: number[][] = Array.from({ length: thresholds }, () => []);
  const out: number[][] = Array.from({ length: thresholds }, () => []);
  for (let i = 0; i < matched.length; i++) {
    if (matched[i] === 0 && ignored[i] === 0) continue;
    const counts = matched[i] & ~ignored[i];
    for (let t = 0; t < thresholds; t++) {
      if (counts & (1 << t)) right[t].push(entries.length);
      else if (ignored[i] & (1 << t)) out[t].push(i);
    }
    if (counts !== 0) entries.push(i);
  }
  const columns = (lists: readonly number[][]) => lists.map((list) => Uint32Array.from(list));
  return { pictures, positives, entries: Uint32Array.from(entries), right: columns(right), ignored: columns(out) };
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

function weightOf(positives: Uint32Array, weights: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < positives.length; i++) sum += weights[positives[i]];
  return sum;
}
