import type { ClassOutcomes } from './outcomes.js';

/** Detections of one class and area range by falling score, reduced to those that are not false at every threshold. */
export interface RankedOutcomes {
  /** Detections, the ignored and false ones included. */
  readonly detections: number;
  /** Score of the very first detection; 0 if there is none. */
  readonly firstScore: number;
  /** Entries that are used of the arrays below. */
  readonly length: number;
  readonly scores: Float64Array;
  readonly matched: Uint32Array;
  readonly ignored: Uint32Array;
  /** Number of detections before each that are false at every threshold. */
  readonly falseBefore: Uint32Array;
}

/** Precision and score at each recall point, `[points]`, and the recall that is reached. */
export interface PrecisionRecall {
  readonly precision: Float64Array;
  readonly scores: Float64Array;
  recall: number;
}

/** A precision of tp / (tp + fp + this): pycocotools' guard against 0/0, which leaves a perfect one just below 1. */
const epsilon = 2 ** -52;

/**
 * Picks the detections of `area` that are among their picture's best `maxDetections`.
 *
 * Most detections are false whatever the threshold, and those outside the area range are mostly ignored whatever the
 * threshold: counting the former here and dropping the latter leaves little to do for each threshold.
 */
export function rankOutcomes(
  outcomes: ClassOutcomes,
  order: Uint32Array,
  area: number,
  maxDetections: number,
  everyThreshold: number,
): RankedOutcomes {
  const { areas, ranks, scores, matched, ignored } = outcomes;
  const out = {
    detections: 0,
    firstScore: 0,
    length: 0,
    scores: new Float64Array(order.length),
    matched: new Uint32Array(order.length),
    ignored: new Uint32Array(order.length),
    falseBefore: new Uint32Array(order.length),
  };
  let alwaysFalse = 0;
  for (let i = 0; i < order.length; i++) {
    const place = order[i];
    if (ranks[place] >= maxDetections) continue;
    if (out.detections++ === 0) out.firstScore = scores[place];
    const matches = matched[place * areas + area];
    const ignores = ignored[place * areas + area];
    if (ignores === everyThreshold) continue;
    if (matches === 0 && ignores === 0) {
      alwaysFalse++;
      continue;
    }
    out.scores[out.length] = scores[place];
    out.matched[out.length] = matches;
    out.ignored[out.length] = ignores;
    out.falseBefore[out.length++] = alwaysFalse;
  }
  return out;
}

/**
 * Interpolated precision at the recall points for the threshold of `bit` (VOC's and COCO's definition: the largest
 * precision at that recall or a higher one), 0 where the recall is not reached.
 *
 * @param positives number of truths to be found, above 0.
 * @param out overwritten.
 */
export function interpolatePrecision(
  ranked: RankedOutcomes,
  bit: number,
  positives: number,
  recallPoints: Float64Array,
  out: PrecisionRecall,
): void {
  const precisions = new Float64Array(Math.min(ranked.length, positives));
  const scores = new Float64Array(precisions.length);
  const found = truePositives(ranked, bit, precisions, scores);
  for (let i = found - 2; i >= 0; i--) precisions[i] = Math.max(precisions[i], precisions[i + 1]);
  out.recall = found / positives;
  let at = 0;
  for (let r = 0; r < recallPoints.length; r++) {
    while (at < found && (at + 1) / positives < recallPoints[r]) at++;
    out.precision[r] = at < found ? precisions[at] : 0;
    // Recall 0 is reached by the first detection, whatever became of it.
    out.scores[r] = recallPoints[r] <= 0 ? ranked.firstScore : at < found ? scores[at] : 0;
  }
}

/** Precision and score at each true positive, by falling score; their number. */
function truePositives(ranked: RankedOutcomes, bit: number, precisions: Float64Array, scores: Float64Array): number {
  const { length, matched, ignored, falseBefore } = ranked;
  let found = 0;
  let falseHere = 0;
  for (let i = 0; i < length; i++) {
    if (ignored[i] & bit) continue;
    if (matched[i] & bit) {
      scores[found] = ranked.scores[i];
      found++;
      precisions[found - 1] = found / (falseBefore[i] + falseHere + found + epsilon);
    } else {
      falseHere++;
    }
  }
  return found;
}
