import { BoxwrightError } from '../errors.js';
import { type CocoOptions, type CocoSettings, cocoSettings } from './coco-settings.js';
import { accumulate, allBits, type CocoTables, meanPrecision, meanRecall } from './coco-tables.js';
import { leastOverlap, matchDetections } from './matching.js';
import { ClassOutcomes } from './outcomes.js';
import { type Overlaps, overlapsOf } from './overlaps.js';
import {
  checkPicture,
  type Detections,
  type EvaluatedPicture,
  edgesAndAreas,
  groupByClass,
  type Truth,
} from './picture.js';
import { sortByFallingScore } from './stable-order.js';

/**
 * COCO's twelve numbers, fractions from 0 to 1, and -1 where there is nothing to average. AP, AP50, AP75 and those by
 * size take the largest of `maxDetections`; AR1, AR10 and AR100 are -1 if that number is not in the list.
 */
export interface CocoMetrics {
  /** Mean of the average precisions over IoU thresholds 0.5 to 0.95 and classes. */
  readonly AP: number;
  readonly AP50: number;
  readonly AP75: number;
  /** Small objects: area at most 32². */
  readonly APs: number;
  readonly APm: number;
  readonly APl: number;
  /** Mean recall with one detection a picture and class. */
  readonly AR1: number;
  readonly AR10: number;
  readonly AR100: number;
  readonly ARs: number;
  readonly ARm: number;
  readonly ARl: number;
}

/** An evaluation's figures, as `JSON.stringify` writes them at full precision. */
export interface CocoResult {
  readonly coco: CocoMetrics;
  /** By class name, in the order of the classes; empty if agnostic. */
  readonly perClass: Readonly<Record<string, { readonly AP: number; readonly AP50: number }>>;
}

/** One group of boxes that can match each other: a picture's truths and detections of a class (of all, if agnostic). */
interface Group {
  readonly truth: Truth;
  readonly truthBoxes: Float64Array;
  /** Truths in the order of the picture. */
  readonly truths: Uint32Array;
  readonly detectionBoxes: Float64Array;
  readonly scores: Float64Array;
  /** Detections by falling score, as many as count. */
  readonly detections: Uint32Array;
}

/**
 * COCO's detection metrics (bounding boxes), equal to pycocotools' figures, for pictures that are added one at a time and
 * in any order. A picture costs what its detections cost: 8 bytes each and area range, and 12 more.
 *
 * ```ts
 * const evaluator = new CocoEvaluator({ classes: ['cat', 'dog'] });
 * for (const picture of pictures) evaluator.addPicture(picture);
 * console.log(evaluator.result().coco.AP50);
 * ```
 */
export class CocoEvaluator {
  readonly settings: CocoSettings;
  readonly #ids: (number | string)[] = [];
  readonly #known = new Set<number | string>();
  readonly #outcomes: ClassOutcomes[];
  readonly #lowestThreshold: number;

  /** @throws BoxwrightError `config` for options that cannot be met. */
  constructor(options: CocoOptions) {
    this.settings = cocoSettings(options);
    this.#lowestThreshold = leastOverlap(Math.min(...this.settings.iouThresholds));
    const groups = this.settings.agnostic ? 1 : this.settings.classes.length;
    this.#outcomes = Array.from({ length: groups }, () => new ClassOutcomes(this.settings.areas.length));
  }

  /** Number of pictures added. */
  get pictures(): number {
    return this.#ids.length;
  }

  /**
   * Matches one picture's detections with its truth. Pictures without truth count: their detections are false.
   *
   * @throws BoxwrightError `data` for a second picture of the same id and for arrays that do not fit each other; the
   *   picture is then not added.
   */
  addPicture(picture: EvaluatedPicture): void {
    const { classes, boxFormat, agnostic } = this.settings;
    if (this.#known.has(picture.id)) {
      throw new BoxwrightError('data', `picture ${JSON.stringify(picture.id)} was added before: each counts once`);
    }
    checkPicture(picture, classes.length, boxFormat);
    const { truth, detections = noDetections } = picture;
    const truths = groupByClass(truth.labels, classes.length, agnostic);
    const found = groupByClass(detections.labels, classes.length, agnostic);
    const boxes = {
      truth,
      truthBoxes: edgesAndAreas(truth.boxes, boxFormat),
      detectionBoxes: edgesAndAreas(detections.boxes, boxFormat),
      scores: Float64Array.from(detections.scores),
    };
    const scratch = new Uint32Array(found.index.length);
    const mostDetections = this.settings.maxDetections.at(-1)!;
    for (let k = 0; k < this.#outcomes.length; k++) {
      const [from, to] = [found.starts[k], found.starts[k + 1]];
      const hasTruth = truths.starts[k] < truths.starts[k + 1];
      if (!hasTruth && from === to) continue;
      sortByFallingScore(found.index, boxes.scores, scratch, from, to);
      const best = found.index.subarray(from, Math.min(to, from + mostDetections));
      const start = this.#addDetections(k, boxes.scores, best);
      if (hasTruth) {
        const group = {
          ...boxes,
          truths: truths.index.subarray(truths.starts[k], truths.starts[k + 1]),
          detections: best,
        };
        this.#match(this.#outcomes[k], start, group);
      }
      this.#ignoreOutside(this.#outcomes[k], start, boxes.detectionBoxes, best);
    }
    this.#known.add(picture.id);
    this.#ids.push(picture.id);
  }

  /** Precision, recall and scores behind the figures, for curves and other means. */
  tables(): CocoTables {
    return accumulate(this.#outcomes, ranksOf(this.#ids), this.settings);
  }

  /** The figures of all pictures added so far; more may be added after. */
  result(): CocoResult {
    return summarise(this.tables());
  }

  #addDetections(k: number, scores: Float64Array, detections: Uint32Array): number {
    const outcomes = this.#outcomes[k];
    const start = outcomes.add(this.#ids.length, detections.length);
    for (let d = 0; d < detections.length; d++) {
      outcomes.scores[start + d] = scores[detections[d]];
      outcomes.ranks[start + d] = d;
    }
    return start;
  }

  #match(outcomes: ClassOutcomes, start: number, group: Group): void {
    const { detections, detectionBoxes, truth, truthBoxes, truths } = group;
    const overlaps = overlapsOf(detectionBoxes, detections, truthBoxes, truths, truth.crowd);
    const mayMatch = overlaps.reach.some((reach) => reach >= this.#lowestThreshold);
    for (let a = 0; a < this.settings.areas.length; a++) {
      const state = this.#truthState(group, a);
      for (let g = 0; g < truths.length; g++) if (!state.ignored[g]) outcomes.positives[a]++;
      if (mayMatch) this.#recordMatches(outcomes, start, group, overlaps, state, a);
    }
  }

  #truthState({ truth, truthBoxes, truths }: Group, a: number): { ignored: Uint8Array; crowd: Uint8Array } {
    const { from, to } = this.settings.areas[a];
    const ignored = new Uint8Array(truths.length);
    const crowd = new Uint8Array(truths.length);
    for (let g = 0; g < truths.length; g++) {
      const area = truth.area ? truth.area[truths[g]] : truthBoxes[5 * truths[g] + 4];
      crowd[g] = truth.crowd?.[truths[g]] ? 1 : 0;
      ignored[g] = crowd[g] || area < from || area > to ? 1 : 0;
    }
    return { ignored, crowd };
  }

  #recordMatches(
    outcomes: ClassOutcomes,
    start: number,
    { truth, truths }: Group,
    overlaps: Overlaps,
    state: { ignored: Uint8Array; crowd: Uint8Array },
    a: number,
  ): void {
    const { iouThresholds, areas } = this.settings;
    const matches = new Int32Array(overlaps.detections);
    const taken = new Uint8Array(overlaps.truths);
    for (let t = 0; t < iouThresholds.length; t++) {
      matchDetections(overlaps, state, iouThresholds[t], matches, taken);
      for (let d = 0; d < matches.length; d++) {
        if (matches[d] < 0) continue;
        const at = (start + d) * areas.length + a;
        // pycocotools stores a match as the annotation's id, and takes 0 for none.
        if (truth.ids?.[truths[matches[d]]] !== 0) outcomes.matched[at] |= 1 << t;
        if (state.ignored[matches[d]]) outcomes.ignored[at] |= 1 << t;
      }
    }
  }

  /** A detection outside an area range is false only where it has a match that counts. */
  #ignoreOutside(outcomes: ClassOutcomes, start: number, boxes: Float64Array, detections: Uint32Array): void {
    const { iouThresholds, areas } = this.settings;
    const every = allBits(iouThresholds.length);
    for (let d = 0; d < detections.length; d++) {
      const area = boxes[5 * detections[d] + 4];
      for (let a = 0; a < areas.length; a++) {
        if (area >= areas[a].from && area <= areas[a].to) continue;
        const at = (start + d) * areas.length + a;
        outcomes.ignored[at] |= every & ~outcomes.matched[at];
      }
    }
  }
}

const noDetections: Detections = { boxes: [], labels: [], scores: [] };

/** COCO's figures from its tables. */
export function summarise(tables: CocoTables): CocoResult {
  const coco: CocoMetrics = {
    AP: meanPrecision(tables),
    AP50: meanPrecision(tables, { iouThreshold: 0.5 }),
    AP75: meanPrecision(tables, { iouThreshold: 0.75 }),
    APs: meanPrecision(tables, { area: 'small' }),
    APm: meanPrecision(tables, { area: 'medium' }),
    APl: meanPrecision(tables, { area: 'large' }),
    AR1: meanRecall(tables, { maxDetections: 1 }),
    AR10: meanRecall(tables, { maxDetections: 10 }),
    AR100: meanRecall(tables, { maxDetections: 100 }),
    ARs: meanRecall(tables, { area: 'small' }),
    ARm: meanRecall(tables, { area: 'medium' }),
    ARl: meanRecall(tables, { area: 'large' }),
  };
  const names = tables.settings.agnostic ? [] : tables.settings.classes;
  const perClass = names.map((name, classIndex) => {
    const AP = meanPrecision(tables, { classIndex });
    const AP50 = meanPrecision(tables, { classIndex, iouThreshold: 0.5 });
    return [name, { AP, AP50 }] as const;
  });
  return { coco, perClass: Object.fromEntries(perClass) };
}

/** Rank of each id: numbers before texts, rising. */
function ranksOf(ids: readonly (number | string)[]): Uint32Array {
  const order = Array.from(ids.keys());
  order.sort((i, j) => compareIds(ids[i], ids[j]));
  const ranks = new Uint32Array(ids.length);
  for (let rank = 0; rank < order.length; rank++) ranks[order[rank]] = rank;
  return ranks;
}

function compareIds(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
