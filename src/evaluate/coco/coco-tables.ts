import type { EvaluationData } from '../evaluation-data.js';
import { ClassMatcher } from '../matching/class-matcher.js';
import { type ClassOrder, largestClass, orderByClass } from '../matching/class-order.js';
import { ClassRanking } from '../matching/class-ranking.js';
import { allBits } from '../matching/matching.js';
import { PrecisionCurve, positivesAtRecall } from '../matching/precision-recall.js';
import { type CocoOptions, type CocoSettings, cocoRecallPoints, cocoSettings } from './coco-settings.js';

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

/** COCO's options, less what the data say themselves. */
export type TableOptions = Omit<CocoOptions, 'classes' | 'boxFormat'>;

/** What to average over; left out: the first area range, the largest number of detections, all thresholds and classes. */
export interface CocoSelection {
  readonly iouThreshold?: number;
  readonly area?: string;
  readonly maxDetections?: number;
  readonly classIndex?: number;
}

/**
 * COCO's tables of a whole data set in memory.
 *
 * @throws BoxwrightError `config` for options that cannot be met.
 */
export function cocoTables(data: EvaluationData, options: TableOptions = {}): CocoTables {
  const settings = cocoSettings({ ...options, classes: data.classes, boxFormat: data.boxFormat });
  const order = orderByClass(data, settings.agnostic);
  const tables = emptyTables(settings, order.classes);
  const filler = new TableFiller(data, order, tables);
  for (let k = 0; k < order.classes; k++) filler.fill(k);
  return tables;
}

/** Tables without any class's figures. */
function emptyTables(settings: CocoSettings, classCount: number): CocoTables {
  const { iouThresholds, areas, maxDetections } = settings;
  const cells = classCount * areas.length * maxDetections.length;
  const points = iouThresholds.length * cocoRecallPoints.length;
  return {
    settings,
    recallPoints: cocoRecallPoints,
    classCount,
    precision: new Float64Array(points * cells),
    scores: new Float64Array(points * cells),
    recall: new Float64Array(iouThresholds.length * cells).fill(-1),
  };
}

/** Mean of the precisions that a selection names, over recall points: average precision. -1 if there are none. */
export function meanPrecision(tables: CocoTables, selection: CocoSelection = {}): number {
  return meanOf(tables, tables.precision, tables.recallPoints.length, selection);
}

/** Mean of the recalls that a selection names: average recall. -1 if there are none. */
export function meanRecall(tables: CocoTables, selection: CocoSelection = {}): number {
  return meanOf(tables, tables.recall, 1, selection);
}

/** Fills tables class by class, each in the same memory. */
class TableFiller {
  readonly #order: ClassOrder;
  readonly #tables: CocoTables;
  readonly #ranking: ClassRanking;
  readonly #matcher: ClassMatcher;
  readonly #curve: PrecisionCurve;
  /** One class's part of the tables, `[A, M, T, R]`; written to its places, which are far apart, once it is whole. */
  readonly #precision: Float64Array;
  readonly #scores: Float64Array;

  constructor(data: EvaluationData, order: ClassOrder, tables: CocoTables) {
    const { iouThresholds, areas, maxDetections } = tables.settings;
    const capacity = largestClass(order);
    const rules = { iouThresholds, areas, maxDetections: maxDetections.at(-1)! };
    [this.#order, this.#tables] = [order, tables];
    this.#ranking = new ClassRanking(capacity);
    this.#matcher = new ClassMatcher(data, rules, capacity);
    this.#curve = new PrecisionCurve(capacity);
    const numbers = areas.length * maxDetections.length * iouThresholds.length * tables.recallPoints.length;
    this.#precision = new Float64Array(numbers);
    this.#scores = new Float64Array(numbers);
  }

  fill(k: number): void {
    this.#ranking.rank(this.#order, k);
    this.#matcher.match(this.#order, k, this.#ranking);
    this.#precision.fill(-1);
    this.#scores.fill(-1);
    const { areas, maxDetections } = this.#tables.settings;
    for (let a = 0; a < areas.length; a++) {
      if (this.#matcher.positives[a] === 0) continue;
      const needed = positivesAtRecall(this.#tables.recallPoints, this.#matcher.positives[a]);
      for (let m = 0; m < maxDetections.length; m++) {
        const cell = a * maxDetections.length + m;
        // Where no picture has more detections than a lower limit allows, a higher one changes nothing.
        if (m > 0 && this.#ranking.most <= maxDetections[m - 1]) this.#copyCell(k, cell - 1, cell);
        else this.#fillCell(k, cell, a, maxDetections[m], needed);
      }
    }
    this.#write(k);
  }

  #fillCell(k: number, cell: number, a: number, maxDetections: number, needed: Uint32Array): void {
    const { recall, recallPoints, settings } = this.#tables;
    const thresholds = settings.iouThresholds.length;
    const [own, all] = this.#cells();
    const [precision, scores, curve] = [this.#precision, this.#scores, this.#curve];
    curve.select(this.#ranking, this.#matcher, a, maxDetections, allBits(thresholds));
    let at = cell * thresholds * needed.length;
    for (let t = 0; t < thresholds; t++) {
      curve.at(t);
      const { found } = curve;
      recall[t * all + k * own + cell] = found / this.#matcher.positives[a];
      for (let r = 0; r < needed.length; r++, at++) {
        const reached = needed[r] < found;
        precision[at] = reached ? curve.precision[needed[r]] : 0;
        // Recall 0 is reached by the first detection, whatever became of it.
        scores[at] = recallPoints[r] <= 0 ? curve.firstScore : reached ? curve.scores[needed[r]] : 0;
      }
    }
  }

  #copyCell(k: number, from: number, to: number): void {
    const { recall } = this.#tables;
    const [own, all] = this.#cells();
    for (let at = k * own; at < recall.length; at += all) recall[at + to] = recall[at + from];
    const length = this.#precision.length / own;
    this.#precision.copyWithin(to * length, from * length, (from + 1) * length);
    this.#scores.copyWithin(to * length, from * length, (from + 1) * length);
  }

  #write(k: number): void {
    const [own, all] = this.#cells();
    const points = this.#precision.length / own;
    for (const [part, table] of [
      [this.#precision, this.#tables.precision],
      [this.#scores, this.#tables.scores],
    ]) {
      for (let point = 0; point < points; point++) {
        const at = point * all + k * own;
        for (let cell = 0; cell < own; cell++) table[at + cell] = part[cell * points + point];
      }
    }
  }

  /** Area ranges times numbers of detections, and that times classes. */
  #cells(): [own: number, all: number] {
    const { areas, maxDetections } = this.#tables.settings;
    const own = areas.length * maxDetections.length;
    return [own, own * this.#tables.classCount];
  }
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
