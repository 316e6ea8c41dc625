import { type BoxRange, type DetectionMatches, everyBox } from './detection-matches.js';
import { meanRecalls } from './mean-recall.js';
import { meanPrecisions, rankClasses } from './weighted-precision.js';

/** Objects of one range of size or shape, and how well they are found. -1 where there is none. */
export interface RangeFigures {
  readonly range: BoxRange;
  /** Objects in the range. */
  readonly positives: number;
  /** Mean over classes with such objects and the IoU thresholds. */
  readonly AP: number;
  /** At an IoU of 0.5; -1 too if that is not among the thresholds. */
  readonly AP50: number;
  /** Part of the objects that are found, mean over classes and thresholds. */
  readonly recall: number;
  readonly recall50: number;
}

/** Five sizes: side of a square of the same area below 16, 32, 96 and 288 pixels, and above. */
export const sizeRanges: readonly BoxRange[] = between(
  'area',
  ['tiny', 'small', 'medium', 'large', 'huge'],
  [16 ** 2, 32 ** 2, 96 ** 2, 288 ** 2],
);

/** Five shapes by width divided by height: below 1/3, 2/3, 3/2 and 3, and above. */
export const aspectRanges: readonly BoxRange[] = between(
  'aspect',
  ['very tall', 'tall', 'square', 'wide', 'very wide'],
  [1 / 3, 2 / 3, 3 / 2, 3],
);

/** What `DetectionMatches` has to be made with for `breakdown`: everything, sizes and shapes. */
export const breakdownRanges: readonly BoxRange[] = [everyBox, ...sizeRanges, ...aspectRanges];

/**
 * AP and recall of objects by size and shape: in each range of `matches`, by COCO's rule for its areas. Objects outside a
 * range do not count, nor do detections that found one or that, without an object, are outside it themselves.
 */
export function breakdown(matches: DetectionMatches): RangeFigures[] {
  const thresholds = matches.iouThresholds.length;
  const half = matches.iouThresholds.indexOf(0.5);
  return matches.ranges.map((range, r) => {
    const { AP, byThreshold } = meanPrecisions(rankClasses(matches, r), thresholds);
    const recalls = meanRecalls(matches, r);
    return {
      range,
      positives: matches.byClass.reduce((sum, { positives }) => sum + positives[r], 0),
      AP,
      AP50: byThreshold[half] ?? -1,
      recall: recalls.mean,
      recall50: recalls.byThreshold[half] ?? -1,
    };
  });
}

function between(measure: 'area' | 'aspect', names: readonly string[], edges: readonly number[]): BoxRange[] {
  return names.map((name, i) => ({
    name,
    measure,
    from: edges[i - 1] ?? 0,
    to: edges[i] ?? Number.POSITIVE_INFINITY,
  }));
}
