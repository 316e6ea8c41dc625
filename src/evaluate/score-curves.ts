import type { EvaluationData } from './evaluation-data.js';
import { type ClassOutcomes, type OutcomeOptions, outcomesByClass } from './matching/detection-outcomes.js';
import type { OfClass } from './per-class.js';

/** How a class fares when detections below a score are left out. */
export interface OperatingPoint {
  readonly threshold: number;
  readonly precision: number;
  readonly recall: number;
  /** Harmonic mean of precision and recall. */
  readonly f1: number;
  readonly tp: number;
  readonly fp: number;
}

/** True and false detections of at least each score that occurs, by falling score; `[length]` each. */
export interface ScoreCurve {
  /** Truths to be found. */
  readonly positives: number;
  readonly scores: Float64Array;
  readonly tp: Float64Array;
  readonly fp: Float64Array;
}

/** What is worth knowing of the curves of all classes. */
export interface ScoreCurves {
  readonly iouThreshold: number;
  /** All classes together with one threshold; absent without truth or detections. */
  readonly pooled?: CurveSummary;
  /** Classes with truth and detections. */
  readonly perClass: readonly OfClass<CurveSummary>[];
}

/** A curve at its best threshold and at nineteen even ones. */
export interface CurveSummary {
  readonly positives: number;
  /** The threshold with the best F1. */
  readonly best: OperatingPoint;
  /** At the thresholds 0.05, 0.1 … 0.95. */
  readonly points: readonly OperatingPoint[];
}

const thresholds = Array.from({ length: 19 }, (_, i) => (i + 1) / 20);

/** Precision, recall and F1 over score, of each class and of all together. */
export function scoreCurves(data: EvaluationData, options: Omit<OutcomeOptions, 'agnostic'> = {}): ScoreCurves {
  const outcomes = Array.from(outcomesByClass(data, options));
  const perClass: OfClass<CurveSummary>[] = [];
  for (const own of outcomes) {
    const summary = summariseCurve(scoreCurve([own]));
    if (summary) perClass.push({ name: data.classes[own.label], ...summary });
  }
  const pooled = summariseCurve(scoreCurve(outcomes));
  return {
    iouThreshold: options.iouThreshold ?? 0.5,
    ...(pooled && { pooled }),
    perClass,
  };
}

/** The curve of one or several classes. Detections that count as neither true nor false are left out. */
export function scoreCurve(classes: readonly ClassOutcomes[]): ScoreCurve {
  const total = classes.reduce((sum, { scores }) => sum + scores.length, 0);
  const all = new Float64Array(total);
  // Counts at the end of a run of equal scores do not depend on the order within it, so that plain sorting will do.
  const right: number[] = [];
  let length = 0;
  let positives = 0;
  for (const own of classes) {
    positives += own.positives;
    for (let i = 0; i < own.scores.length; i++) {
      if (own.ignored[i]) continue;
      all[length++] = own.scores[i];
      if (own.matched[i]) right.push(own.scores[i]);
    }
  }
  const sorted = all.subarray(0, length).sort().reverse();
  const found = Float64Array.from(right).sort().reverse();
  const curve = {
    scores: new Float64Array(length),
    tp: new Float64Array(length),
    fp: new Float64Array(length),
  };
  let points = 0;
  let tp = 0;
  for (let i = 0; i < length; i++) {
    if (i + 1 < length && sorted[i + 1] === sorted[i]) continue;
    while (tp < found.length && found[tp] >= sorted[i]) tp++;
    curve.scores[points] = sorted[i];
    curve.tp[points] = tp;
    curve.fp[points++] = i + 1 - tp;
  }
  return {
    positives,
    scores: curve.scores.subarray(0, points),
    tp: curve.tp.subarray(0, points),
    fp: curve.fp.subarray(0, points),
  };
}

/** The first threshold with the largest F1; undefined without truth or detections. */
export function bestPoint(curve: ScoreCurve): OperatingPoint | undefined {
  if (curve.positives === 0 || curve.scores.length === 0) return undefined;
  let best = 0;
  const f1 = (i: number) => (2 * curve.tp[i]) / (curve.tp[i] + curve.fp[i] + curve.positives);
  for (let i = 1; i < curve.scores.length; i++) if (f1(i) > f1(best)) best = i;
  return operatingPoint(curve, curve.scores[best]);
}

/** What detections of at least `threshold` give. Precision without any detection is 1: none is false. */
export function operatingPoint({ positives, scores, tp, fp }: ScoreCurve, threshold: number): OperatingPoint {
  let [low, high] = [0, scores.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (scores[middle] >= threshold) low = middle + 1;
    else high = middle;
  }
  const [right, wrong] = low > 0 ? [tp[low - 1], fp[low - 1]] : [0, 0];
  return {
    threshold,
    precision: right + wrong > 0 ? right / (right + wrong) : 1,
    recall: positives > 0 ? right / positives : 0,
    f1: right + wrong + positives > 0 ? (2 * right) / (right + wrong + positives) : 0,
    tp: right,
    fp: wrong,
  };
}

function summariseCurve(curve: ScoreCurve): CurveSummary | undefined {
  const best = bestPoint(curve);
  if (!best) return undefined;
  return { positives: curve.positives, best, points: thresholds.map((threshold) => operatingPoint(curve, threshold)) };
}
