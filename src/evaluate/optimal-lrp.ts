import type { ClassMatches } from './class-matches.js';
import type { DetectionMatches } from './detection-matches.js';

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
  /** oLRP in each range, by its name. */
  readonly byRange: Readonly<Record<string, number>>;
  readonly perClass: Readonly<Record<string, ClassLrp>>;
}

/**
 * Optimal LRP (Oksuz, Cam, Akbas, Kalkan: "One Metric to Measure them All", TPAMI 2021, equations 7 and 10; figures of
 * their LRP-Error): one number for false, missed and badly placed boxes at the best score threshold of each class.
 *
 * @param matches its first IoU threshold counts, and overlaps are judged from it up to 1.
 */
export function optimalLrp(matches: DetectionMatches): OptimalLrp {
  const [iouThreshold] = matches.iouThresholds;
  const ranks = matches.pictureRanks();
  const orders = matches.byClass.map((own) => own.byScore(ranks));
  const of = (range: number) => matches.byClass.map((own, k) => classLrp(own, orders[k], range, iouThreshold));
  const ranges = matches.ranges.map((_, r) => of(r));
  const classes = ranges[0];
  return {
    iouThreshold,
    oLRP: meanOf(classes.map(({ oLRP }) => oLRP)),
    localisation: meanOf(classes.map(({ localisation }) => localisation)),
    falsePositives: meanOf(classes.map(({ falsePositives }) => falsePositives)),
    falseNegatives: meanOf(classes.map(({ falseNegatives }) => falseNegatives)),
    byRange: Object.fromEntries(matches.ranges.map(({ name }, r) => [name, meanOf(ranges[r].map(({ oLRP }) => oLRP))])),
    perClass: Object.fromEntries(matches.classes.map((name, k) => [name, classes[k]])),
  };
}

/** The best score threshold of each class that has one, for a checkpoint's metadata and `Detector`. */
export function suggestedThresholds({ perClass }: Pick<OptimalLrp, 'perClass'>): Record<string, number> {
  const entries = Object.entries(perClass).map(([name, { threshold }]) => [name, threshold] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, number] => entry[1] !== null && entry[1] >= 0));
}

/** @param order places by falling score. */
export function classLrp(own: ClassMatches, order: Uint32Array, range: number, iouThreshold: number): ClassLrp {
  const positives = own.positives[range];
  if (positives === 0) {
    return { oLRP: -1, localisation: -1, falsePositives: -1, falseNegatives: -1, threshold: -1 };
  }
  let [right, wrong, misplaced] = [0, 0, 0];
  let best: ClassLrp = { oLRP: 1, localisation: null, falsePositives: null, falseNegatives: 1, threshold: null };
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < order.length; i++) {
    const at = order[i] * own.ranges + range;
    if (own.ignored[at] & 1) continue;
    if (own.matched[at] & 1) {
      right++;
      misplaced += 1 - own.overlaps[at];
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
      threshold: own.scores[order[i]],
    };
  }
  return best;
}

function meanOf(values: readonly (number | null)[]): number {
  const known = values.filter((value): value is number => value !== null && value !== -1);
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : -1;
}
