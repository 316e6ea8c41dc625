import { BoxwrightError } from '../errors.js';
import { overlapsOf } from './matching/overlaps.js';
import {
  type BoxFormat,
  checkPicture,
  type EvaluatedPicture,
  edgesAndAreas,
  groupByClass,
} from './matching/picture.js';
import { sortByFallingScore } from './matching/stable-order.js';
import type { OfClass } from './per-class.js';

/** What can be wrong with a detection, and what stays missed. */
export type TideError = 'Cls' | 'Loc' | 'Both' | 'Dupe' | 'Bkg' | 'Miss';

/** What TIDE is to tell apart. */
export interface TideOptions {
  /** Names of the classes, by label. */
  readonly classes: readonly string[];
  /** How boxes are given; default `xyxy`. */
  readonly boxFormat?: BoxFormat;
  /** A detection is right from this IoU on; default 0.5. */
  readonly iouThreshold?: number;
  /** A detection with less is of the background; default 0.1. */
  readonly background?: number;
  /** How many detections of a picture count, over all classes; default 100. */
  readonly maxDetections?: number;
}

/**
 * The AP that each kind of error costs. All are fractions (tidecv prints them times 100). null: with those errors gone
 * there is no class left to average over, where tidecv fails.
 */
export interface TideResult {
  readonly iouThreshold: number;
  readonly background: number;
  /** Mean average precision by TIDE's own rule, close to COCO's AP50. */
  readonly AP: number | null;
  /**
   * What AP would gain if all errors of one kind were mended: `Cls` right place, wrong class; `Loc` right class, badly
   * placed; `Both` of it; `Dupe` an object found already; `Bkg` nothing there; `Miss` an object that no detection is near.
   */
  readonly dAP: Readonly<Record<TideError, number | null>>;
  /** The same for all false detections, and for all objects not found. */
  readonly special: { readonly FalsePos: number | null; readonly FalseNeg: number | null };
  /** Errors of each kind; those of detections that do not count because of a crowd are among them. */
  readonly counts: Readonly<Record<TideError, number>>;
  readonly positives: number;
  readonly falsePositives: number;
  readonly ignored: number;
  readonly falseNegatives: number;
  /** Classes with truth or detections. */
  readonly perClass: readonly OfClass<{ readonly AP: number }>[];
}

const kinds: readonly TideError[] = ['Cls', 'Loc', 'Both', 'Dupe', 'Bkg', 'Miss'];
const [Cls, Loc, Both, Dupe, Bkg] = [0, 1, 2, 3, 4];

/** Detections in the order in which precision is to count equal scores. */
class Points {
  readonly labels: number[] = [];
  readonly scores: number[] = [];
  readonly right: number[] = [];

  push(label: number, score: number, right: number): void {
    this.labels.push(label);
    this.scores.push(score);
    this.right.push(right);
  }
}

/**
 * TIDE's breakdown of errors (Bolya, Foley, Hays, Hoffman: "TIDE: A General Toolbox for Identifying Object Detection
 * Errors", ECCV 2020; figures of tidecv 1.0.1). Equal scores count in the order in which pictures are added.
 */
export class TideEvaluator {
  readonly #options: Required<TideOptions>;
  readonly #known = new Set<number | string>();
  /** Objects to find, by class. */
  readonly #toFind: Float64Array;
  readonly #missed: Float64Array;
  /** Missed objects that mending no other error would find, by class. */
  readonly #unreached: Float64Array;
  /** Detections that are right or wrong, as AP sees them. */
  readonly #points = new Points();
  /** Errors as they were found: the detections' labels and scores, and what kind of error each is. */
  readonly #errors = new Points();
  readonly #kinds: number[] = [];
  /** The class that an error would have when mended, if it would then find an object; else -1. */
  readonly #mendedLabels: number[] = [];
  /** 1 for an error that counts only when mended, since a crowd covers it. */
  readonly #uncounted: number[] = [];
  #ignored = 0;

  /** @throws BoxwrightError `config` for thresholds that are no numbers from 0 to 1. */
  constructor(options: TideOptions) {
    this.#options = {
      classes: [...options.classes],
      boxFormat: options.boxFormat ?? 'xyxy',
      iouThreshold: options.iouThreshold ?? 0.5,
      background: options.background ?? 0.1,
      maxDetections: options.maxDetections ?? 100,
    };
    const { iouThreshold, background, maxDetections, classes } = this.#options;
    if (!(background >= 0 && background <= iouThreshold && iouThreshold <= 1)) {
      throw new BoxwrightError(
        'config',
        `background is ${background} and iouThreshold ${iouThreshold}: expected 0 ≤ background ≤ iouThreshold ≤ 1`,
      );
    }
    if (!(maxDetections >= 1)) {
      throw new BoxwrightError('config', `maxDetections is ${maxDetections}, expected a number from 1`);
    }
    this.#toFind = new Float64Array(classes.length);
    this.#missed = new Float64Array(classes.length);
    this.#unreached = new Float64Array(classes.length);
  }

  /** @throws BoxwrightError `data` for a second picture of the same id and for arrays that do not fit each other. */
  addPicture(picture: EvaluatedPicture): void {
    const { classes, boxFormat, maxDetections, iouThreshold } = this.#options;
    const { id, truth, detections } = picture;
    if (this.#known.has(id)) {
      throw new BoxwrightError('data', `picture ${JSON.stringify(id)} was added before: each counts once`);
    }
    checkPicture(picture, classes.length, boxFormat);
    this.#known.add(id);
    const all = Uint32Array.from({ length: truth.labels.length }, (_, g) => g);
    const truths = all.filter((g) => !truth.crowd?.[g]);
    const crowds = all.filter((g) => truth.crowd?.[g]);
    for (const g of truths) this.#toFind[truth.labels[g]]++;

    const scores = Float64Array.from(detections?.scores ?? []);
    const order = Uint32Array.from(scores, (_, d) => d);
    sortByFallingScore(order, scores, new Uint32Array(order.length));
    const kept = order.subarray(0, Math.min(order.length, maxDetections));
    const labels = Int32Array.from(kept, (d) => detections!.labels[d]);
    const objects = Int32Array.from(truths, (g) => truth.labels[g]);
    const detectionBoxes = edgesAndAreas(detections?.boxes ?? [], boxFormat);
    const truthBoxes = edgesAndAreas(truth.boxes, boxFormat);
    const values = overlapsOf(detectionBoxes, kept, truthBoxes, truths, undefined);
    const { matched, taken } = matchByClass(values, labels, objects, iouThreshold);
    const inCrowd = new Uint8Array(kept.length);
    if (crowds.length > 0) {
      const covered = overlapsOf(detectionBoxes, kept, truthBoxes, crowds, truth.crowd);
      for (let d = 0; d < kept.length; d++) {
        for (let c = 0; c < crowds.length; c++) {
          const own = truth.labels[crowds[c]] === labels[d];
          if (own && covered[d * crowds.length + c] > iouThreshold) inCrowd[d] = 1;
        }
      }
    }
    const bestError = new Int32Array(objects.length).fill(-1);
    for (let d = 0; d < kept.length; d++) {
      const score = scores[kept[d]];
      if (matched[d] >= 0) this.#points.push(labels[d], score, 1);
      else if (inCrowd[d]) this.#ignored++;
      else this.#points.push(labels[d], score, 0);
      if (matched[d] >= 0) continue;
      this.#uncounted.push(inCrowd[d]);
      this.#addError(d, score, values, labels, objects, taken, bestError);
    }
    for (let g = 0; g < objects.length; g++) {
      if (taken[g]) continue;
      this.#missed[objects[g]]++;
      if (bestError[g] < 0) this.#unreached[objects[g]]++;
    }
  }

  result(): TideResult {
    const { classes, iouThreshold, background } = this.#options;
    const base = this.#precisions(this.#points, this.#toFind);
    const ap = meanOf(base);
    const gain = (precisions: readonly number[], least = Number.NEGATIVE_INFINITY) => {
      const mended = meanOf(precisions);
      return mended === null || ap === null ? null : Math.max(mended - ap, least);
    };
    const toFind = (less: Float64Array) => this.#toFind.map((count, k) => count - less[k]);
    const dAP = (kind: number) =>
      // Mending cannot hurt: a loss comes from the 101 recall points, and tidecv leaves it out.
      gain(this.#precisions(this.#mended(kind), kinds[kind] === 'Miss' ? toFind(this.#unreached) : this.#toFind), 0);
    const positives = sum(this.#points.right);
    return {
      iouThreshold,
      background,
      AP: ap,
      dAP: byKind(dAP),
      special: {
        FalsePos: gain(this.#precisions(this.#mended(-1, true), this.#toFind)),
        FalseNeg: gain(this.#precisions(this.#mended(-1), toFind(this.#missed))),
      },
      counts: byKind((kind) =>
        kinds[kind] === 'Miss' ? sum(this.#unreached) : this.#kinds.filter((own) => own === kind).length,
      ),
      positives,
      falsePositives: this.#points.right.length - positives,
      ignored: this.#ignored,
      falseNegatives: sum(this.#missed),
      perClass: classes.flatMap((name, k) => (Number.isNaN(base[k]) ? [] : [{ name, AP: base[k] }])),
    };
  }

  /**
   * @param values IoU, `[detections, truths]`.
   * @param bestError of each object the best-scored error that would find it, or -1.
   */
  #addError(
    d: number,
    score: number,
    values: Float64Array,
    labels: Int32Array,
    objects: Int32Array,
    taken: Uint8Array,
    bestError: Int32Array,
  ): void {
    const { iouThreshold, background } = this.#options;
    const row = values.subarray(d * objects.length, (d + 1) * objects.length);
    const { kind, object } = errorOf(row, labels[d], objects, taken, iouThreshold, background);
    const error = this.#kinds.length;
    this.#kinds.push(kind);
    this.#errors.push(labels[d], score, 0);
    this.#mendedLabels.push(-1);
    if (object < 0 || taken[object]) return;
    const best = bestError[object];
    // Detections come by falling score: the first is the best, and of equal ones the one that counts.
    if (best >= 0) return;
    bestError[object] = error;
    this.#mendedLabels[error] = kind === Cls ? objects[object] : labels[d];
  }

  /** All detections with the errors of one kind mended; with `perfect` all right ones come before all others. */
  #mended(kind: number, perfect = false): Points {
    const points = new Points();
    const { labels, scores } = this.#errors;
    for (let e = 0; e < labels.length; e++) {
      if (this.#kinds[e] !== kind) {
        if (!this.#uncounted[e]) points.push(labels[e], perfect ? 0 : scores[e], 0);
      } else if (this.#mendedLabels[e] >= 0) points.push(this.#mendedLabels[e], scores[e], 1);
    }
    const { right } = this.#points;
    for (let i = 0; i < right.length; i++) {
      if (right[i]) points.push(this.#points.labels[i], perfect ? 1 : this.#points.scores[i], 1);
    }
    return points;
  }

  /** Average precision of each class; NaN for one with neither truth nor detections. */
  #precisions(points: Points, toFind: Float64Array): number[] {
    const scores = Float64Array.from(points.scores);
    const { index, starts } = groupByClass(points.labels, toFind.length, false);
    const scratch = new Uint32Array(index.length);
    return Array.from(toFind, (positives, k) => {
      const [from, to] = [starts[k], starts[k + 1]];
      if (positives === 0) return from === to ? Number.NaN : 0;
      sortByFallingScore(index, scores, scratch, from, to);
      return averagePrecision(index.subarray(from, to), points.right, positives);
    });
  }
}

/** Each detection takes the free object of its class that it overlaps most, the first of equal ones. */
function matchByClass(values: Float64Array, labels: Int32Array, objects: Int32Array, iouThreshold: number) {
  const matched = new Int32Array(labels.length).fill(-1);
  const taken = new Uint8Array(objects.length);
  for (let d = 0; d < labels.length; d++) {
    let best = -1;
    let overlap = 0;
    for (let g = 0; g < objects.length; g++) {
      const value = values[d * objects.length + g];
      if (taken[g] || objects[g] !== labels[d] || value <= overlap) continue;
      best = g;
      overlap = value;
    }
    if (best < 0 || overlap < iouThreshold) continue;
    matched[d] = best;
    taken[best] = 1;
  }
  return { matched, taken };
}

/** The kind of an error, and the object that is concerned by one of class or place, else -1. */
function errorOf(
  row: Float64Array,
  label: number,
  objects: Int32Array,
  taken: Uint8Array,
  iouThreshold: number,
  background: number,
): { kind: number; object: number } {
  let [own, other, used, any] = [0, 0, 0, 0];
  let [ownObject, otherObject] = [-1, -1];
  for (let g = 0; g < objects.length; g++) {
    any = Math.max(any, row[g]);
    if (objects[g] === label) {
      if (taken[g]) used = Math.max(used, row[g]);
      if (row[g] > own) [own, ownObject] = [row[g], g];
    } else if (row[g] > other) {
      [other, otherObject] = [row[g], g];
    }
  }
  if (objects.length === 0) return { kind: Bkg, object: -1 };
  if (ownObject >= 0 && own >= background && own <= iouThreshold) return { kind: Loc, object: ownObject };
  if (otherObject >= 0 && other >= iouThreshold) return { kind: Cls, object: otherObject };
  if (used >= iouThreshold) return { kind: Dupe, object: -1 };
  return { kind: any <= background ? Bkg : Both, object: -1 };
}

/** TIDE's: 101 recall points k / 100, and no guard in the precision. */
function averagePrecision(ranked: Uint32Array, right: readonly number[], positives: number): number {
  const precisions = new Float64Array(ranked.length);
  const found = new Float64Array(ranked.length);
  let count = 0;
  for (let i = 0; i < ranked.length; i++) {
    count += right[ranked[i]];
    found[i] = count;
    precisions[i] = count / (i + 1);
  }
  for (let i = ranked.length - 1; i > 0; i--) precisions[i - 1] = Math.max(precisions[i - 1], precisions[i]);
  let total = 0;
  let at = 0;
  for (let k = 0; k <= 100; k++) {
    while (at < ranked.length && found[at] / positives < k / 100) at++;
    if (at < ranked.length) total += precisions[at];
  }
  return total / 101;
}

/** Mean of the classes with truth or detections; null if there are none. */
function meanOf(precisions: readonly number[]): number | null {
  const known = precisions.filter((precision) => !Number.isNaN(precision));
  return known.length > 0 ? sum(known) / known.length : null;
}

function byKind<T>(of: (kind: number) => T): Record<TideError, T> {
  return Object.fromEntries(kinds.map((name, kind) => [name, of(kind)])) as Record<TideError, T>;
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  return total;
}
