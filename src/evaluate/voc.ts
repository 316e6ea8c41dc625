import { BoxwrightError } from '../errors.js';
import { picturesById } from './matching/class-order.js';
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

/** What Pascal VOC's metric is to compute. */
export interface VocOptions {
  /** Names of the classes, by label. */
  readonly classes: readonly string[];
  /** How boxes are given; default `xyxy`. */
  readonly boxFormat?: BoxFormat;
  /** A detection must overlap its object by more; default 0.5. */
  readonly iouThreshold?: number;
  /**
   * Boxes are first and last pixels, as in VOC's own files: sides are one more than the difference. The devkit's figures
   * need it; default false, as the MindSpore zoo measures.
   */
  readonly plusOne?: boolean;
}

/** Figures of one class. Without an object to find, `AP11` and `APall` are -1. */
export interface VocClass {
  /** Objects that are not difficult. */
  readonly positives: number;
  readonly detections: number;
  /** VOC 2007: mean of the precision at the recalls 0, 0.1 … 1. */
  readonly AP11: number;
  /** VOC 2010 and later: area under the falling envelope of precision over recall. */
  readonly APall: number;
  readonly tp: number;
  /** Detections of difficult objects are neither true nor false. */
  readonly fp: number;
  readonly recall: number;
  readonly precision: number;
}

/** Means are over the classes with objects; -1 if there are none. */
export interface VocResult {
  readonly iouThreshold: number;
  readonly mAP11: number;
  readonly mAPall: number;
  readonly perClass: readonly OfClass<VocClass>[];
}

/** What became of a class's detections; `outcomes` has 1 for true, 0 for false. */
interface Outcomes {
  positives: number;
  /** Those of difficult objects included. */
  detections: number;
  readonly scores: number[];
  readonly outcomes: number[];
  readonly pictures: number[];
}

/**
 * Pascal VOC's average precision (Everingham et al., IJCV 2010; figures of the devkit's `VOCevaldet`). Differs from COCO:
 * a detection is compared with the object that it overlaps most, found or not, and needs an IoU *above* the threshold;
 * all detections count. Truths marked `crowd` are taken as difficult, as `truthOf` marks VOC's.
 */
export class VocEvaluator {
  readonly #classes: readonly string[];
  readonly #format: BoxFormat;
  readonly #threshold: number;
  readonly #plusOne: boolean;
  readonly #outcomes: Outcomes[];
  readonly #ids: (number | string)[] = [];
  readonly #known = new Set<number | string>();

  /** @throws BoxwrightError `config` for a threshold outside 0 to 1. */
  constructor({ classes, boxFormat = 'xyxy', iouThreshold = 0.5, plusOne = false }: VocOptions) {
    if (!(iouThreshold >= 0 && iouThreshold < 1)) {
      throw new BoxwrightError('config', `iouThreshold is ${iouThreshold}, expected a number from 0 to below 1`);
    }
    this.#classes = [...classes];
    this.#format = boxFormat;
    this.#threshold = iouThreshold;
    this.#plusOne = plusOne;
    this.#outcomes = classes.map(() => ({ positives: 0, detections: 0, scores: [], outcomes: [], pictures: [] }));
  }

  /** @throws BoxwrightError `data` for a second picture of the same id and for arrays that do not fit each other. */
  addPicture(picture: EvaluatedPicture): void {
    const { id, truth, detections } = picture;
    if (this.#known.has(id)) {
      throw new BoxwrightError('data', `picture ${JSON.stringify(id)} was added before: each counts once`);
    }
    checkPicture(picture, this.#classes.length, this.#format);
    const truths = groupByClass(truth.labels, this.#classes.length, false);
    const found = groupByClass(detections?.labels ?? [], this.#classes.length, false);
    const boxes = this.#edges(truth.boxes);
    const detectionBoxes = this.#edges(detections?.boxes ?? []);
    const scores = Float64Array.from(detections?.scores ?? []);
    const scratch = new Uint32Array(found.index.length);
    for (let k = 0; k < this.#classes.length; k++) {
      const own = truths.index.subarray(truths.starts[k], truths.starts[k + 1]);
      const outcomes = this.#outcomes[k];
      for (const g of own) if (!truth.crowd?.[g]) outcomes.positives++;
      const [from, to] = [found.starts[k], found.starts[k + 1]];
      if (from === to) continue;
      sortByFallingScore(found.index, scores, scratch, from, to);
      const ranked = found.index.subarray(from, to);
      outcomes.detections += ranked.length;
      const values = overlapsOf(detectionBoxes, ranked, boxes, own, undefined);
      const taken = new Uint8Array(own.length);
      for (let d = 0; d < ranked.length; d++) {
        let best = -1;
        for (let g = 0; g < own.length; g++) {
          if (best < 0 || values[d * own.length + g] > values[d * own.length + best]) best = g;
        }
        const overlaps = best >= 0 && values[d * own.length + best] > this.#threshold;
        if (overlaps && truth.crowd?.[own[best]]) continue;
        outcomes.scores.push(scores[ranked[d]]);
        outcomes.outcomes.push(overlaps && !taken[best] ? 1 : 0);
        outcomes.pictures.push(this.#ids.length);
        if (overlaps) taken[best] = 1;
      }
    }
    this.#known.add(id);
    this.#ids.push(id);
  }

  result(): VocResult {
    const ranks = new Uint32Array(this.#ids.length);
    picturesById(this.#ids).forEach((picture, rank) => {
      ranks[picture] = rank;
    });
    const perClass = this.#classes.map((name, k) => ({ name, ...classFigures(this.#outcomes[k], ranks) }));
    const counted = perClass.filter(({ positives }) => positives > 0);
    const mean = (of: (figures: VocClass) => number) =>
      counted.length > 0 ? counted.reduce((sum, figures) => sum + of(figures), 0) / counted.length : -1;
    return {
      iouThreshold: this.#threshold,
      mAP11: mean(({ AP11 }) => AP11),
      mAPall: mean(({ APall }) => APall),
      perClass,
    };
  }

  #edges(boxes: ArrayLike<number>): Float64Array {
    const edges = edgesAndAreas(boxes, this.#format);
    if (!this.#plusOne) return edges;
    for (let at = 0; at < edges.length; at += 5) {
      edges[at + 2] += 1;
      edges[at + 3] += 1;
      edges[at + 4] = (edges[at + 2] - edges[at]) * (edges[at + 3] - edges[at + 1]);
    }
    return edges;
  }
}

function classFigures(own: Outcomes, ranks: Uint32Array): VocClass {
  const { positives, detections } = own;
  const scores = Float64Array.from(own.scores);
  const order = Uint32Array.from(scores, (_, i) => i);
  order.sort((i, j) => ranks[own.pictures[i]] - ranks[own.pictures[j]] || i - j);
  sortByFallingScore(order, scores, new Uint32Array(order.length));
  const recalls = new Float64Array(order.length);
  const precisions = new Float64Array(order.length);
  let tp = 0;
  for (let i = 0; i < order.length; i++) {
    tp += own.outcomes[order[i]];
    recalls[i] = tp / positives;
    precisions[i] = tp / (i + 1);
  }
  const fp = order.length - tp;
  const precision = tp + fp > 0 ? tp / (tp + fp) : 0;
  if (positives === 0) return { positives, detections, AP11: -1, APall: -1, tp, fp, recall: 0, precision };
  // The largest precision at this recall or a higher one.
  for (let i = order.length - 2; i >= 0; i--) precisions[i] = Math.max(precisions[i], precisions[i + 1]);
  const AP11 = elevenPoints(recalls, precisions);
  const APall = areaUnder(recalls, precisions);
  return { positives, detections, AP11, APall, tp, fp, recall: tp / positives, precision };
}

/** The points are those of numpy.arange(0, 1.1, 0.1): a recall of exactly 3/10 does not reach 0.30000000000000004. */
function elevenPoints(recalls: Float64Array, precisions: Float64Array): number {
  let sum = 0;
  let at = 0;
  for (let point = 0; point <= 10; point++) {
    while (at < recalls.length && recalls[at] < point * 0.1) at++;
    if (at < recalls.length) sum += precisions[at] / 11;
  }
  return sum;
}

function areaUnder(recalls: Float64Array, precisions: Float64Array): number {
  let area = 0;
  let reached = 0;
  for (let i = 0; i < recalls.length; i++) {
    area += (recalls[i] - reached) * precisions[i];
    reached = recalls[i];
  }
  return area;
}
