import { type AreaRange, everyArea, requireIouThresholds } from '../coco/coco-settings.js';
import type { EvaluationData } from '../evaluation-data.js';
import { ClassMatcher } from './class-matcher.js';
import { largestClass, orderByClass, picturesById } from './class-order.js';
import { ClassRanking } from './class-ranking.js';

/** By which rules detections are matched with truths. */
export interface OutcomeOptions {
  /** Default 0.5. */
  readonly iouThreshold?: number;
  /** Detections of a picture and class that count, best first; default 100. */
  readonly maxDetections?: number;
  /** Which objects count, by area; default all. */
  readonly area?: AreaRange;
  /** Match without regard to class; default false. */
  readonly agnostic?: boolean;
}

/** What became of the detections of one class at one IoU threshold; n of them, by falling score over all pictures. */
export interface ClassOutcomes {
  /** Label of the class; 0 if agnostic. */
  readonly label: number;
  /** Truths to be found. */
  readonly positives: number;
  /** Index into the data's detections, `[n]`. */
  readonly detections: Uint32Array;
  /** `[n]` */
  readonly scores: Float64Array;
  /** Index of the picture in the data, `[n]`. */
  readonly pictures: Uint32Array;
  /** Index of the truth that the detection has, in the data's truths, or −1; `[n]`. */
  readonly truths: Int32Array;
  /** IoU with that truth (a crowd region: intersection over the detection's area), 0 without one; `[n]`. */
  readonly overlaps: Float64Array;
  /** 1: a true positive, `[n]`. */
  readonly matched: Uint8Array;
  /** 1: neither true nor false (matched with a crowd region or a truth outside the area range, or itself outside), `[n]`. */
  readonly ignored: Uint8Array;
}

/**
 * Which detection is of which truth by COCO's greedy rule, class by class: what curves, optimal LRP, calibration and
 * intervals are computed from. Equal scores stand by rising picture id and then as given, as in pycocotools.
 *
 * @throws BoxwrightError `config` for a threshold that is none.
 */
export function* outcomesByClass(data: EvaluationData, options: OutcomeOptions = {}): Generator<ClassOutcomes> {
  const { iouThreshold = 0.5, maxDetections = 100, area = everyArea, agnostic = false } = options;
  requireIouThresholds([iouThreshold]);
  const order = orderByClass(data, agnostic);
  const byId = picturesById(data.pictures);
  const capacity = largestClass(order);
  const ranking = new ClassRanking(capacity);
  const matcher = new ClassMatcher(data, { iouThresholds: [iouThreshold], areas: [area], maxDetections }, capacity);
  for (let label = 0; label < order.classes; label++) {
    ranking.rank(order, label);
    matcher.match(order, label, ranking);
    const counting = countingOf(ranking, maxDetections);
    const ranks = ranking.pictureRanks();
    yield {
      label,
      positives: matcher.positives[0],
      detections: counting.map((s) => ranking.index[s]),
      scores: Float64Array.from(counting, (s) => ranking.scores[s]),
      pictures: counting.map((s) => byId[ranks[s]]),
      truths: Int32Array.from(counting, (s) => matcher.truths[s]),
      overlaps: Float64Array.from(counting, (s) => matcher.overlaps[s]),
      matched: Uint8Array.from(counting, (s) => (matcher.matched[s] && !matcher.ignored[s] ? 1 : 0)),
      ignored: Uint8Array.from(counting, (s) => matcher.ignored[s]),
    };
  }
}

/** The detections that are among their picture's best. */
function countingOf({ length, places }: ClassRanking, maxDetections: number): Uint32Array {
  const counting = new Uint32Array(length);
  let count = 0;
  for (let s = 0; s < length; s++) if (places[s] < maxDetections) counting[count++] = s;
  return counting.subarray(0, count);
}
