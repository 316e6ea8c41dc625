import { type CocoSettings, cocoRecallPoints } from './coco-settings.js';
import type { ClassOutcomes } from './outcomes.js';
import { interpolatePrecision, rankOutcomes } from './precision-recall.js';
import { sortByFallingScore } from './stable-order.js';

/**
 * Everything that COCO's figures are means of. Axes: T IoU thresholds, R 101 recall points, K classes (one if agnostic),
 * A area ranges, M numbers of detections, rising. Row-major; -1 where a class has no truth in an area range.
 */
export interface CocoTables {
  readonly settings: CocoSettings;
  readonly recallPoints: Float64Array;
  readonly classCount: number;
  /** Interpolated precision, `[T, R, K, A, M]`. */
  readonly precision: Float64Array;
  /** Score of the detection with which each recall point is reached (0: it is not), `[T, R, K, A, M]`. */
  readonly scores: Float64Array;
  /** Recall after the last detection, `[T, K, A, M]`. */
  readonly recall: Float64Array;
}

/** What to average over; left out: the first area range, the largest number of detections, all thresholds and classes. */
export interface CocoSelection {
  readonly iouThreshold?: number;
  readonly area?: string;
  readonly maxDetections?: number;
  readonly classIndex?: number;
}

/** Fills the tables from each class's outcomes; `rankOf` is the rank of each picture by its id. */
export function accumulate(
  outcomes: readonly ClassOutcomes[],
  rankOf: Uint32Array,
  settings: CocoSettings,
): CocoTables {
  const { iouThresholds, areas, maxDetections } = settings;
  const cells = outcomes.length * areas.length * maxDetections.length;
  const points = iouThresholds.length * cocoRecallPoints.length;
  const tables: CocoTables = {
    settings,
    recallPoints: cocoRecallPoints,
    classCount: outcomes.length,
    precision: new Float64Array(points * cells).fill(-1),
    scores: new Float64Array(points * cells).fill(-1),
    recall: new Float64Array(iouThresholds.length * cells).fill(-1),
  };
  for (let k = 0; k < outcomes.length; k++) {
    const order = outcomes[k].inOrderOf(rankOf);
    sortByFallingScore(order, outcomes[k].scores, new Uint32Array(order.length));
    for (let a = 0; a < areas.length; a++) {
      if (outcomes[k].positives[a] === 0) continue;
      for (let m = 0; m < maxDetections.length; m++) fillCell(tables, outcomes[k], order, k, a, m);
    }
  }
  return tables;
}

/** Mean of the precisions that a selection names, over recall points: average precision. -1 if there are none. */
export function meanPrecision(tables: CocoTables, selection: CocoSelection = {}): number {
  return meanOf(tables, tables.precision, tables.recallPoints.length, selection);
}

/** Mean of the recalls that a selection names: average recall. -1 if there are none. */
export function meanRecall(tables: CocoTables, selection: CocoSelection = {}): number {
  return meanOf(tables, tables.recall, 1, selection);
}

function fillCell(
  tables: CocoTables,
  outcomes: ClassOutcomes,
  order: Uint32Array,
  k: number,
  a: number,
  m: number,
): void {
  const { iouThresholds, areas, maxDetections } = tables.settings;
  const cells = tables.classCount * areas.length * maxDetections.length;
  const cell = (k * areas.length + a) * maxDetections.length + m;
  const points = tables.recallPoints.length;
  const curve = { precision: new Float64Array(points), scores: new Float64Array(points), recall: 0 };
  const ranked = rankOutcomes(outcomes, order, a, maxDetections[m], allBits(iouThresholds.length));
  for (let t = 0; t < iouThresholds.length; t++) {
    interpolatePrecision(ranked, 1 << t, outcomes.positives[a], tables.recallPoints, curve);
    tables.recall[t * cells + cell] = curve.recall;
    for (let r = 0; r < points; r++) {
      const at = (t * points + r) * cells + cell;
      tables.precision[at] = curve.precision[r];
      tables.scores[at] = curve.scores[r];
    }
  }
}

/** A mask with the lowest `count` bits set, of at most 32. */
export function allBits(count: number): number {
  return count === 32 ? 0xffffffff : 2 ** count - 1;
}

/** `values` has the axes [T, points, K, A, M]. */
function meanOf(tables: CocoTables, values: Float64Array, points: number, selection: CocoSelection): number {
  const { iouThresholds, areas, maxDetections } = tables.settings;
  const a = selection.area === undefined ? 0 : areas.findIndex(({ name }) => name === selection.area);
  const m =
    selection.maxDetections === undefined ? maxDetections.length - 1 : maxDetections.indexOf(selection.maxDetections);
  if (a < 0 || m < 0) return -1;
  const cells = tables.classCount * areas.length * maxDetections.length;
  const firstClass = selection.classIndex ?? 0;
  const endClass = selection.classIndex === undefined ? tables.classCount : selection.classIndex + 1;
  let sum = 0;
  let count = 0;
  for (let t = 0; t < iouThresholds.length; t++) {
    if (selection.iouThreshold !== undefined && iouThresholds[t] !== selection.iouThreshold) continue;
    for (let r = t * points; r < (t + 1) * points; r++) {
      for (let k = firstClass; k < endClass; k++) {
        const value = values[r * cells + (k * areas.length + a) * maxDetections.length + m];
        if (value < 0) continue;
        sum += value;
        count++;
      }
    }
  }
  return count > 0 ? sum / count : -1;
}
