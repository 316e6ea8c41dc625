import type { ClassMatches } from './class-matches.js';
import { cocoRecallPoints } from './coco-settings.js';
import { type DetectionMatches, everyBit } from './detection-matches.js';

/**
 * Detections of one class by falling score, those left out that count at no threshold; `[length]` each. Beside them the
 * truths to be found: which pictures have some, and how many.
 */
export interface RankedMatches {
  readonly length: number;
  readonly pictures: Uint32Array;
  readonly matched: Uint32Array;
  readonly ignored: Uint32Array;
  readonly positivePictures: ArrayLike<number>;
  readonly positiveCounts: ArrayLike<number>;
  readonly room: Room;
}

/** Arrays that every computation of a class overwrites: there are thousands of them. */
interface Room {
  readonly weights: Float64Array;
  readonly falseBefore: Float64Array;
  readonly entries: Uint32Array;
  readonly found: Float64Array;
  readonly precision: Float64Array;
}

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

/** Every class of `matches` in one range, ready for `meanPrecisions`. */
export function rankClasses(matches: DetectionMatches, range = 0): RankedMatches[] {
  const ranks = matches.pictureRanks();
  const every = everyBit(matches.iouThresholds.length);
  return matches.byClass.map((own) => rankMatches(own, every, ranks, range));
}

/** @param every mask of all thresholds. */
export function rankMatches(own: ClassMatches, every: number, pictureRanks: Uint32Array, range = 0): RankedMatches {
  const order = own.byScore(pictureRanks);
  const pictures = new Uint32Array(order.length);
  const matched = new Uint32Array(order.length);
  const ignored = new Uint32Array(order.length);
  let length = 0;
  let entries = 0;
  for (let i = 0; i < order.length; i++) {
    const at = order[i] * own.ranges + range;
    if (own.ignored[at] === every) continue;
    pictures[length] = own.pictures[order[i]];
    matched[length] = own.matched[at];
    ignored[length++] = own.ignored[at];
    if (own.matched[at] || own.ignored[at]) entries++;
  }
  // Of ranges but the first only the sum is known; who weighs pictures takes the first.
  const whole = { positivePictures: [0], positiveCounts: [own.positives[range]] };
  const { positivePictures, positiveCounts } = range === 0 ? own : whole;
  const room = {
    weights: new Float64Array(entries),
    falseBefore: new Float64Array(entries),
    entries: new Uint32Array(entries),
    found: new Float64Array(entries),
    precision: new Float64Array(entries),
  };
  return { length, pictures, matched, ignored, positivePictures, positiveCounts, room };
}

/**
 * COCO's average precision (101 recall points) where every picture counts `weights` times: whole numbers give what a data
 * set with copies of its pictures would, 0 leaves a picture out.
 *
 * @param weights one a picture; left out, each counts once.
 */
export function meanPrecisions(
  classes: readonly RankedMatches[],
  thresholds: number,
  weights?: Float64Array,
): Precisions {
  const byThreshold = new Float64Array(thresholds);
  const byClass = new Float64Array(classes.length).fill(-1);
  const own = new Float64Array(thresholds);
  let counted = 0;
  for (let k = 0; k < classes.length; k++) {
    if (!weightedPrecision(classes[k], weights, own)) continue;
    counted++;
    let sum = 0;
    for (let t = 0; t < thresholds; t++) {
      byThreshold[t] += own[t];
      sum += own[t];
    }
    byClass[k] = sum / thresholds;
  }
  let sum = 0;
  for (let t = 0; t < thresholds; t++) {
    sum += byThreshold[t];
    byThreshold[t] = counted > 0 ? byThreshold[t] / counted : -1;
  }
  return { AP: counted > 0 ? sum / (counted * thresholds) : -1, byThreshold, byClass };
}

/**
 * @param out gets the average precision at each threshold, `[thresholds]`.
 * @returns false if there is no truth; `out` is then left as it is.
 */
function weightedPrecision(ranked: RankedMatches, weights: Float64Array | undefined, out: Float64Array): boolean {
  const positives = weightedPositives(ranked, weights);
  if (positives === 0) return false;
  const { length, pictures, matched, ignored, room } = ranked;
  let entries = 0;
  let wrong = 0;
  for (let i = 0; i < length; i++) {
    const weight = weights ? weights[pictures[i]] : 1;
    if (matched[i] === 0 && ignored[i] === 0) {
      wrong += weight;
    } else if (weight > 0) {
      room.weights[entries] = weight;
      room.falseBefore[entries] = wrong;
      room.entries[entries++] = i;
    }
  }
  for (let t = 0; t < out.length; t++) out[t] = precisionAt(ranked, 1 << t, entries, positives);
  return true;
}

function precisionAt(
  { matched, ignored, room }: RankedMatches,
  bit: number,
  length: number,
  positives: number,
): number {
  const { entries, weights, falseBefore, found, precision } = room;
  let count = 0;
  let right = 0;
  let wrong = 0;
  for (let e = 0; e < length; e++) {
    const i = entries[e];
    if (ignored[i] & bit) continue;
    if (!(matched[i] & bit)) {
      wrong += weights[e];
      continue;
    }
    right += weights[e];
    found[count] = right;
    precision[count++] = right / (falseBefore[e] + wrong + right + epsilon);
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

function weightedPositives(
  { positivePictures, positiveCounts }: RankedMatches,
  weights: Float64Array | undefined,
): number {
  let sum = 0;
  for (let i = 0; i < positivePictures.length; i++) {
    sum += (weights ? weights[positivePictures[i]] : 1) * positiveCounts[i];
  }
  return sum;
}
