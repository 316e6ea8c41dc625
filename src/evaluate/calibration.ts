import { BoxwrightError } from '../errors.js';
import type { EvaluationData } from './evaluation-data.js';
import { type ClassOutcomes, type OutcomeOptions, outcomesByClass } from './matching/detection-outcomes.js';
import type { OfClass } from './per-class.js';

/** Which detections are looked at, and in how many bins. */
export interface CalibrationOptions extends Omit<OutcomeOptions, 'agnostic'> {
  /** Number of equally wide bins of score; default 25, as in the papers. */
  readonly bins?: number;
  /** Detections of a lower score are left out; default 0. The many detections of low score decide the errors otherwise. */
  readonly minScore?: number;
}

/** Detections of similar score. */
export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly detections: number;
  /** null in an empty bin, like the next two. */
  readonly meanScore: number | null;
  /** Part of the detections that are right. */
  readonly precision: number | null;
  /** Mean IoU of the right ones with their objects; null also if none is right. */
  readonly meanOverlap: number | null;
}

/** How far scores are from probabilities; null where there is no detection. */
export interface CalibrationResult {
  readonly iouThreshold: number;
  readonly minScore: number;
  readonly detections: number;
  /** Detection expected calibration error: mean of |mean score − precision| over the bins, weighted by their detections. */
  readonly dEce: number | null;
  /** Largest |mean score − precision| of a bin. */
  readonly maxError: number | null;
  /** Mean over the classes with detections of the error in which precision is replaced by precision × mean IoU. */
  readonly laEce: number | null;
  /** The reliability curve: all classes together. */
  readonly bins: readonly ReliabilityBin[];
  /** Classes with detections. */
  readonly perClass: readonly OfClass<{ detections: number; dEce: number; laEce: number }>[];
}

/** Sums over the detections of each bin. */
interface Sums {
  readonly detections: Float64Array;
  readonly scores: Float64Array;
  readonly right: Float64Array;
  readonly overlaps: Float64Array;
}

/**
 * Whether scores can be taken for probabilities: of all detections with a score near 0.7, are 70 % right? Right is what
 * COCO's matching calls so at the IoU threshold; detections that count neither way are left out.
 *
 * Detection expected calibration error: Küppers et al., "Multivariate Confidence Calibration for Object Detection",
 * CVPR Workshops 2020 (its form with the score alone). Localisation-aware error: Oksuz et al., "Towards Building
 * Self-Aware Object Detectors via Reliable Uncertainty Quantification and Calibration", CVPR 2023, where a score should
 * be the IoU to expect.
 *
 * @throws BoxwrightError `config` for options that cannot be met; `data` for scores outside 0 to 1, which are none.
 */
export function calibration(data: EvaluationData, options: CalibrationOptions = {}): CalibrationResult {
  const { bins = 25, minScore = 0 } = options;
  if (!Number.isInteger(bins) || bins < 1) {
    throw new BoxwrightError('config', `bins is ${bins}, expected a whole number from 1`);
  }
  if (!(minScore >= 0 && minScore <= 1)) {
    throw new BoxwrightError('config', `minScore is ${minScore}, expected a number from 0 to 1`);
  }
  const all = noSums(bins);
  const perClass: CalibrationResult['perClass'][number][] = [];
  for (const outcomes of outcomesByClass(data, options)) {
    const name = data.classes[outcomes.label];
    const own = sumsOf(outcomes, bins, minScore, name);
    for (const key of ['detections', 'scores', 'right', 'overlaps'] as const) {
      for (let b = 0; b < bins; b++) all[key][b] += own[key][b];
    }
    const detections = total(own.detections);
    if (detections === 0) continue;
    const errors = { dEce: weightedError(own, own.right), laEce: weightedError(own, own.overlaps) };
    perClass.push({ name, detections, ...errors });
  }
  const detections = total(all.detections);
  return {
    iouThreshold: options.iouThreshold ?? 0.5,
    minScore,
    detections,
    dEce: detections > 0 ? weightedError(all, all.right) : null,
    maxError: detections > 0 ? Math.max(...Array.from({ length: bins }, (_, b) => errorOf(all, all.right, b))) : null,
    laEce: detections > 0 ? perClass.reduce((sum, { laEce }) => sum + laEce, 0) / perClass.length : null,
    bins: Array.from({ length: bins }, (_, b) => binOf(all, b)),
    perClass,
  };
}

function sumsOf(own: ClassOutcomes, bins: number, minScore: number, name: string): Sums {
  const sums = noSums(bins);
  const { scores, matched, ignored, overlaps } = own;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i];
    if (!(score >= 0 && score <= 1)) {
      throw new BoxwrightError(
        'data',
        `a detection of class ${JSON.stringify(name)} has the score ${score}: calibration compares scores with probabilities, so they must lie from 0 to 1`,
      );
    }
    if (ignored[i] || score < minScore) continue;
    const bin = Math.min(bins - 1, Math.floor(score * bins));
    sums.detections[bin]++;
    sums.scores[bin] += score;
    if (!matched[i]) continue;
    sums.right[bin]++;
    sums.overlaps[bin] += overlaps[i];
  }
  return sums;
}

function noSums(bins: number): Sums {
  const [detections, scores, right, overlaps] = Array.from({ length: 4 }, () => new Float64Array(bins));
  return { detections, scores, right, overlaps };
}

/** @param reached sum of what scores should equal, `[bins]`. */
function weightedError(sums: Sums, reached: Float64Array): number {
  let error = 0;
  for (let b = 0; b < reached.length; b++) error += Math.abs(sums.scores[b] - reached[b]);
  return error / total(sums.detections);
}

function errorOf({ detections, scores }: Sums, reached: Float64Array, b: number): number {
  return detections[b] > 0 ? Math.abs(scores[b] - reached[b]) / detections[b] : 0;
}

function binOf({ detections, scores, right, overlaps }: Sums, b: number): ReliabilityBin {
  const count = detections[b];
  return {
    from: b / detections.length,
    to: (b + 1) / detections.length,
    detections: count,
    meanScore: count > 0 ? scores[b] / count : null,
    precision: count > 0 ? right[b] / count : null,
    meanOverlap: right[b] > 0 ? overlaps[b] / right[b] : null,
  };
}

function total(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}
