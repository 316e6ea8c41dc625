import type { AreaRange } from './coco/coco-settings.js';
import { cocoIouThresholds } from './coco/coco-settings.js';
import { meanRecalls, WeightedPrecision } from './coco/weighted-precision.js';
import type { EvaluationData } from './evaluation-data.js';
import { allBits } from './matching/matching.js';
import { type Adjust, type MatchOptions, type RankedMatches, rankedMatches } from './matching/ranked-matches.js';

/** Objects of one range of size or shape, and how well they are found. -1 where there is none. */
export interface RangeFigures extends AreaRange {
  /** Objects in the range. */
  readonly positives: number;
  /** Mean over the classes with such objects and the IoU thresholds. */
  readonly AP: number;
  /** At an IoU of 0.5; -1 too if that is not among the thresholds. */
  readonly AP50: number;
  /** Part of the objects that are found, mean over classes and thresholds. */
  readonly recall: number;
  readonly recall50: number;
}

/** How well objects of each size and of each shape are found. */
export interface Breakdown {
  /** By area in square pixels. `to` of the last range is infinite, which JSON writes as null. */
  readonly sizes: readonly RangeFigures[];
  /** By width divided by height of the box. */
  readonly aspects: readonly RangeFigures[];
}

/** Five sizes: side of a square of the same area up to 16, 32, 96 and 288 pixels, and above. */
export const sizeRanges: readonly AreaRange[] = between(
  ['tiny', 'small', 'medium', 'large', 'huge'],
  [16 ** 2, 32 ** 2, 96 ** 2, 288 ** 2],
);

/** Five shapes by width divided by height: up to 1/3, 2/3, 3/2 and 3, and above. */
export const aspectRanges: readonly AreaRange[] = between(
  ['very tall', 'tall', 'square', 'wide', 'very wide'],
  [1 / 3, 2 / 3, 3 / 2, 3],
);

/**
 * AP and recall of objects by size and by shape, by COCO's rule for its areas: objects outside a range do not count, nor
 * do detections that have one or that, without an object, are outside it themselves. Both bounds belong to a range.
 *
 * @throws BoxwrightError `config` for thresholds that are none, or more than 32.
 */
export function breakdown(data: EvaluationData, options: Omit<MatchOptions, 'areas'> = {}): Breakdown {
  const { iouThresholds = cocoIouThresholds } = options;
  const figures = (areas: readonly AreaRange[], ranked: readonly RankedMatches[][]) =>
    areas.map((range, r) => figuresOf(range, ranked[r], iouThresholds));
  return {
    sizes: figures(sizeRanges, rankedMatches(data, { ...options, areas: sizeRanges })),
    aspects: figures(aspectRanges, matchesByAspect(data, { ...options, iouThresholds })),
  };
}

function figuresOf(
  range: AreaRange,
  classes: readonly RankedMatches[],
  iouThresholds: readonly number[],
): RangeFigures {
  const half = iouThresholds.indexOf(0.5);
  const { AP, byThreshold } = new WeightedPrecision(classes, iouThresholds.length).of();
  const recalls = meanRecalls(classes, iouThresholds.length);
  return {
    ...range,
    positives: classes.reduce((sum, { positives }) => sum + positives.length, 0),
    AP,
    AP50: byThreshold[half] ?? -1,
    recall: recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length,
    recall50: recalls[half] ?? -1,
  };
}

/** Truths are given their aspect for an area; what lies outside without a match is then found by the aspect too. */
function matchesByAspect(
  data: EvaluationData,
  options: MatchOptions & { readonly iouThresholds: readonly number[] },
): RankedMatches[][] {
  const { truths, detections } = data;
  const areas = Float64Array.from(truths.labels, (_, g) => aspectOf(data, truths.boxes, g));
  const every = allBits(options.iouThresholds.length);
  const outside: Adjust = (_, { index, length }, { matched, ignored }) => {
    for (let s = 0; s < length; s++) {
      const aspect = aspectOf(data, detections.boxes, index[s]);
      for (const [r, { from, to }] of aspectRanges.entries()) {
        const at = r * length + s;
        const unmatched = every & ~matched[at];
        if (aspect >= from && aspect <= to) ignored[at] &= ~unmatched;
        else ignored[at] |= unmatched;
      }
    }
  };
  return rankedMatches({ ...data, truths: { ...truths, areas } }, { ...options, areas: aspectRanges }, outside);
}

/** A box without width and height is taken for a square. */
function aspectOf({ boxFormat }: EvaluationData, boxes: Float64Array, i: number): number {
  const given = boxFormat === 'xywh';
  const width = given ? boxes[4 * i + 2] : boxes[4 * i + 2] - boxes[4 * i];
  const height = given ? boxes[4 * i + 3] : boxes[4 * i + 3] - boxes[4 * i + 1];
  return width === height ? 1 : width / height;
}

function between(names: readonly string[], edges: readonly number[]): AreaRange[] {
  return names.map((name, i) => ({ name, from: edges[i - 1] ?? 0, to: edges[i] ?? Number.POSITIVE_INFINITY }));
}
