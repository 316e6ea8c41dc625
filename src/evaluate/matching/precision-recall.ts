import type { ClassMatcher } from './class-matcher.js';
import type { ClassRanking } from './class-ranking.js';

/** A precision of tp / (tp + fp + this): pycocotools' guard against 0/0, which leaves a perfect one just below 1. */
const epsilon = 2 ** -52;

/**
 * Number of true positives with which each recall point is reached, less one; `[points]`.
 *
 * @param positives number of truths to be found, above 0.
 */
export function positivesAtRecall(recallPoints: Float64Array, positives: number): Uint32Array {
  const needed = new Uint32Array(recallPoints.length);
  let at = 0;
  for (let r = 0; r < recallPoints.length; r++) {
    while (at + 1 < positives && (at + 1) / positives < recallPoints[r]) at++;
    needed[r] = at;
  }
  return needed;
}

/**
 * Precision over recall of one class and area range after the other.
 *
 * Most detections are false whatever the threshold, and those outside the area range are mostly ignored whatever the
 * threshold: counting the former and dropping the latter leaves little to do for each threshold.
 */
export class PrecisionCurve {
  /** Score of the very first detection; 0 if there is none. */
  firstScore = 0;
  /** True positives at the threshold of the last `at`. */
  found = 0;
  /** The largest precision with this many true positives (less one) or more, `[found]`. */
  readonly precision: Float64Array;
  /** Score of each true positive, falling, `[found]`. */
  readonly scores: Float64Array;
  #length = 0;
  /** What remains: scores, masks, and the number of detections before each that are false at every threshold. */
  readonly #scores: Float64Array;
  readonly #matched: Uint32Array;
  readonly #ignored: Uint32Array;
  readonly #falseBefore: Uint32Array;

  /** @param capacity the most detections that a class has. */
  constructor(capacity: number) {
    this.precision = new Float64Array(capacity);
    this.scores = new Float64Array(capacity);
    this.#scores = new Float64Array(capacity);
    this.#matched = new Uint32Array(capacity);
    this.#ignored = new Uint32Array(capacity);
    this.#falseBefore = new Uint32Array(capacity);
  }

  /** Picks the detections of area range a that are among their picture's best `maxDetections`. */
  select(ranking: ClassRanking, matcher: ClassMatcher, a: number, maxDetections: number, everyThreshold: number): void {
    const { length, places, scores } = ranking;
    const matched = matcher.matched.subarray(a * length, (a + 1) * length);
    const ignored = matcher.ignored.subarray(a * length, (a + 1) * length);
    const all = everyThreshold >>> 0;
    let kept = 0;
    let alwaysFalse = 0;
    let first = -1;
    for (let s = 0; s < length; s++) {
      if (places[s] >= maxDetections) continue;
      if (first < 0) first = s;
      const matches = matched[s];
      const ignores = ignored[s];
      if (ignores === all) continue;
      if (matches === 0 && ignores === 0) {
        alwaysFalse++;
        continue;
      }
      this.#scores[kept] = scores[s];
      this.#matched[kept] = matches;
      this.#ignored[kept] = ignores;
      this.#falseBefore[kept++] = alwaysFalse;
    }
    this.#length = kept;
    this.firstScore = first < 0 ? 0 : scores[first];
  }

  /** Computes `found`, `precision` and `scores` at threshold t (VOC's and COCO's interpolation). */
  at(t: number): void {
    const { precision, scores } = this;
    const bit = 1 << t;
    const ownScores = this.#scores;
    const matched = this.#matched;
    const ignored = this.#ignored;
    const falseBefore = this.#falseBefore;
    let found = 0;
    let falseHere = 0;
    for (let i = 0; i < this.#length; i++) {
      if (ignored[i] & bit) continue;
      if (matched[i] & bit) {
        scores[found] = ownScores[i];
        precision[found++] = falseBefore[i] + falseHere;
      } else {
        falseHere++;
      }
    }
    let best = 0;
    for (let i = found - 1; i >= 0; i--) {
      const own = (i + 1) / (precision[i] + (i + 1) + epsilon);
      if (own > best) best = own;
      precision[i] = best;
    }
    this.found = found;
  }
}
