import { type AreaRange, cocoIouThresholds, everyArea, requireIouThresholds } from '../coco/coco-settings.js';
import type { EvaluationData } from '../evaluation-data.js';
import { ClassMatcher } from './class-matcher.js';
import { type ClassOrder, largestClass, orderByClass } from './class-order.js';
import { ClassRanking } from './class-ranking.js';
import { allBits } from './matching.js';

/** At which thresholds, and of which detections and objects, matches are looked for. */
export interface MatchOptions {
  /** At most 32; default 0.5, 0.55 … 0.95. */
  readonly iouThresholds?: readonly number[];
  /** How many detections of a picture and class count, best first; default 100. */
  readonly maxDetections?: number;
  /** Default: one range with everything. */
  readonly areas?: readonly AreaRange[];
}

/**
 * Detections of one class in one area range by falling score, n of them; those left out that count at no threshold.
 * Pictures are numbered by rising id.
 */
export interface RankedMatches {
  /** `[n]` */
  readonly scores: Float64Array;
  /** `[n]` */
  readonly pictures: Uint32Array;
  /** Bit t is set where the detection has a match at threshold t, `[n]`. */
  readonly matched: Uint32Array;
  /** Bit t is set where the detection is neither true nor false at threshold t, `[n]`. */
  readonly ignored: Uint32Array;
  /** Picture of each truth to be found, `[positives]`. */
  readonly positives: Uint32Array;
}

/** May change `matcher.ignored` of class k before it is taken. */
export type Adjust = (k: number, ranking: ClassRanking, matcher: ClassMatcher) => void;

/**
 * Which detection is right, by COCO's matching: `[areas][classes]`.
 *
 * @throws BoxwrightError `config` for thresholds that are none, or too many.
 */
export function rankedMatches(data: EvaluationData, options: MatchOptions = {}, adjust?: Adjust): RankedMatches[][] {
  const { iouThresholds = cocoIouThresholds, maxDetections = 100, areas = [everyArea] } = options;
  requireIouThresholds(iouThresholds);
  const order = orderByClass(data, false);
  const capacity = largestClass(order);
  const ranking = new ClassRanking(capacity);
  const matcher = new ClassMatcher(data, { iouThresholds, maxDetections, areas }, capacity);
  const every = allBits(iouThresholds.length) >>> 0;
  const byArea: RankedMatches[][] = areas.map(() => []);
  for (let k = 0; k < order.classes; k++) {
    ranking.rank(order, k);
    matcher.match(order, k, ranking);
    adjust?.(k, ranking, matcher);
    const pictures = ranking.pictureRanks();
    for (const [a, area] of areas.entries()) {
      const matched = matcher.matched.subarray(a * ranking.length, (a + 1) * ranking.length);
      const ignored = matcher.ignored.subarray(a * ranking.length, (a + 1) * ranking.length);
      const counting = pictures
        .map((_, s) => s)
        .filter((s) => ranking.places[s] < maxDetections && ignored[s] !== every);
      byArea[a].push({
        scores: Float64Array.from(counting, (s) => ranking.scores[s]),
        pictures: counting.map((s) => pictures[s]),
        matched: counting.map((s) => matched[s]),
        ignored: counting.map((s) => ignored[s]),
        positives: positivesOf(data, order, k, area),
      });
    }
  }
  return byArea;
}

function positivesOf({ truths }: EvaluationData, order: ClassOrder, k: number, { from, to }: AreaRange): Uint32Array {
  const { index, ranks, starts } = order.truths;
  return ranks.subarray(starts[k], starts[k + 1]).filter((_, i) => {
    const truth = index[starts[k] + i];
    return !truths.crowd[truth] && truths.areas[truth] >= from && truths.areas[truth] <= to;
  });
}
