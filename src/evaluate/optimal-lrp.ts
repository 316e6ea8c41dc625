import { BoxwrightError } from '../errors.js';
import { type AreaRange, cocoAreas } from './coco/coco-settings.js';
import type { EvaluationData } from './evaluation-data.js';
import { type ClassOutcomes, outcomesByClass } from './matching/detection-outcomes.js';
import type { OfClass } from './per-class.js';

/** What optimal LRP is to be computed of. */
export interface LrpOptions {
  /** Boxes are right from this IoU on; default 0.5. */
  readonly iouThreshold?: number;
  /** How many detections of a picture and class count, best first; default 100. */
  readonly maxDetections?: number;
  /** The first is the one of all figures but `byArea`; default COCO's. */
  readonly areas?: readonly AreaRange[];
}

/**
 * The least localisation-recall-precision error of a class, and the score at which it is reached. 0 is perfect, 1 the
 * worst. Without truth all are -1; where nothing is found the error is 1 and what it is made of null.
 */
export interface ClassLrp {
  readonly oLRP: number;
  /** Mean of 1 − IoU of the objects found. */
  readonly localisation: number | null;
  /** Part of the detections that are false: 1 − precision. */
  readonly falsePositives: number | null;
  /** Part of the objects that are missed: 1 − recall. */
  readonly falseNegatives: number;
  /** Keep detections of this score and higher. */
  readonly threshold: number | null;
}

/** Means over the classes that have truth (and, but for `oLRP` and `falseNegatives`, detections that fit); -1 if none. */
export interface OptimalLrp {
  readonly iouThreshold: number;
  readonly oLRP: number;
  readonly localisation: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  /** oLRP of objects in each area range, by its name. */
  readonly byArea: Readonly<Record<string, number>>;
  readonly perClass: readonly OfClass<ClassLrp>[];
}

/**
 * Optimal LRP (Oksuz, Cam, Akbas, Kalkan: "One Metric to Measure them All", TPAMI 2021, equations 7 and 10; figures of
 * their LRP-Error): one number for false, missed and badly placed boxes at the best score threshold of each class.
 *
 * @throws BoxwrightError `config` for an IoU threshold of 1 or more, which leaves no room for a badly placed box, or none.
 */
export function optimalLrp(data: EvaluationData, options: LrpOptions = {}): OptimalLrp {
  const { iouThreshold = 0.5, maxDetections, areas = cocoAreas } = options;
  if (!(iouThreshold < 1)) {
    throw new BoxwrightError('config', `iouThreshold is ${iouThreshold}, expected a number above 0 and below 1`);
  }
  const byArea = areas.map((area) =>
    Array.from(outcomesByClass(data, { iouThreshold, maxDetections, area }), (own) => classLrp(own, iouThreshold)),
  );
  const classes = byArea[0];
  return {
    iouThreshold,
    oLRP: meanOf(classes.map(({ oLRP }) => oLRP)),
    localisation: meanOf(classes.map(({ localisation }) => localisation)),
    falsePositives: meanOf(classes.map(({ falsePositives }) => falsePositives)),
    falseNegatives: meanOf(classes.map(({ falseNegatives }) => falseNegatives)),
    byArea: Object.fromEntries(areas.map(({ name }, a) => [name, meanOf(byArea[a].map(({ oLRP }) => oLRP))])),
    perClass: data.classes.map((name, k) => ({ name, ...classes[k] })),
  };
}

/** The best score threshold of each class that has one, for a checkpoint's metadata and `Detector`. */
export function suggestedThresholds({ perClass }: Pick<OptimalLrp, 'perClass'>): Record<string, number> {
  const entries = perClass.map(({ name, threshold }) => [name, threshold] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, number] => entry[1] !== null && entry[1] >= 0));
}

/** The least error of one class. */
export function classLrp(own: ClassOutcomes, iouThreshold: number): ClassLrp {
  const { positives, scores, matched, ignored, overlaps } = own;
  if (positives === 0) {
    return { oLRP: -1, localisation: -1, falsePositives: -1, falseNegatives: -1, threshold: -1 };
  }
  let [right, wrong, misplaced] = [0, 0, 0];
  let best: ClassLrp = { oLRP: 1, localisation: null, falsePositives: null, falseNegatives: 1, threshold: null };
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < scores.length; i++) {
    if (ignored[i]) continue;
    if (matched[i]) {
      right++;
      misplaced += 1 - overlaps[i];
    } else {
      wrong++;
    }
    const missed = positives - right;
    const error = (misplaced / (1 - iouThreshold) + wrong + missed) / (right + wrong + missed);
    if (right === 0 || error >= least) continue;
    least = error;
    best = {
      oLRP: error,
      localisation: misplaced / right,
      falsePositives: wrong / (right + wrong),
      falseNegatives: missed / positives,
      threshold: scores[i],
    };
  }
  return best;
}

function meanOf(values: readonly (number | null)[]): number {
  const known = values.filter((value): value is number => value !== null && value !== -1);
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : -1;
}
