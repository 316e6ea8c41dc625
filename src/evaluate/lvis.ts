import { BoxwrightError } from '../errors.js';
import { cocoAreas, cocoIouThresholds } from './coco/coco-settings.js';
import { meanRecalls, WeightedPrecision } from './coco/weighted-precision.js';
import { EvaluationDataBuilder } from './evaluation-data.js';
import { picturesById } from './matching/class-order.js';
import { allBits } from './matching/matching.js';
import { type BoxFormat, checkPicture, type Detections, type EvaluatedPicture } from './matching/picture.js';
import { type Adjust, rankedMatches } from './matching/ranked-matches.js';
import { sortByFallingScore } from './matching/stable-order.js';
import type { OfClass } from './per-class.js';

/** In how many training pictures a class occurs: r up to 10, c up to 100, f more. */
export type Frequency = 'r' | 'c' | 'f';

/** What LVIS's metric needs to know. */
export interface LvisOptions {
  /** Names of the classes, by label. */
  readonly classes: readonly string[];
  /** Of each class. */
  readonly frequencies: readonly Frequency[];
  /** How boxes are given; default `xyxy`. */
  readonly boxFormat?: BoxFormat;
  /** How many detections of a picture count, over all classes, best first; default 300. */
  readonly maxDetections?: number;
}

/** What a federated data set says of a picture beyond its objects. */
export interface LvisPicture extends EvaluatedPicture {
  /** Labels of classes known not to be in the picture. */
  readonly negative?: ArrayLike<number>;
  /** Labels of classes of which not every object is annotated. */
  readonly notExhaustive?: ArrayLike<number>;
}

/** LVIS's figures, fractions; -1 where there is nothing to average. */
export interface LvisMetrics {
  readonly AP: number;
  readonly AP50: number;
  readonly AP75: number;
  readonly APs: number;
  readonly APm: number;
  readonly APl: number;
  /** Of rare, common and frequent classes. */
  readonly APr: number;
  readonly APc: number;
  readonly APf: number;
  /** Mean recall over classes and thresholds. */
  readonly AR: number;
  readonly ARs: number;
  readonly ARm: number;
  readonly ARl: number;
}

/** LVIS's figures as a whole and of each class. */
export interface LvisResult {
  readonly lvis: LvisMetrics;
  /** AP, and how frequent the class is. */
  readonly perClass: readonly OfClass<{ readonly AP: number; readonly frequency: Frequency }>[];
}

/**
 * Federated evaluation as LVIS does it (Gupta, Dollár, Girshick: "LVIS: A Dataset for Large Vocabulary Instance
 * Segmentation", CVPR 2019; rules of lvis-api): in a picture only classes count that have an object there or are known
 * not to be there; a detection without an object does not count where its class is not annotated exhaustively. Boxes
 * only. Crowd regions, which LVIS does not have, count as COCO's.
 */
export class LvisEvaluator {
  readonly #classes: readonly string[];
  readonly #frequencies: readonly Frequency[];
  readonly #boxFormat: BoxFormat;
  readonly #maxDetections: number;
  readonly #builder: EvaluationDataBuilder;
  /** Labels of classes that are not exhaustive, of each picture as they were added. */
  readonly #notExhaustive: ReadonlySet<number>[] = [];

  /** @throws BoxwrightError `config` for options that cannot be met. */
  constructor({ classes, frequencies, boxFormat = 'xyxy', maxDetections = 300 }: LvisOptions) {
    const bad = frequencies.findIndex((frequency) => !['r', 'c', 'f'].includes(frequency));
    if (frequencies.length !== classes.length || bad >= 0) {
      const found = bad >= 0 ? `frequencies[${bad}] is ${JSON.stringify(frequencies[bad])}` : `${frequencies.length}`;
      throw new BoxwrightError('config', `frequencies: found ${found}, expected "r", "c" or "f" for each class`);
    }
    if (!(maxDetections >= 1)) {
      throw new BoxwrightError('config', `maxDetections is ${maxDetections}, expected a number from 1`);
    }
    this.#classes = [...classes];
    this.#frequencies = [...frequencies];
    this.#boxFormat = boxFormat;
    this.#maxDetections = maxDetections;
    this.#builder = new EvaluationDataBuilder(this.#classes, boxFormat);
  }

  /** Number of pictures added. */
  get pictures(): number {
    return this.#builder.pictures;
  }

  /** @throws BoxwrightError `data` for a second picture of the same id and for arrays that do not fit each other. */
  addPicture(picture: LvisPicture): void {
    checkPicture(picture, this.#classes.length, this.#boxFormat);
    const judged = this.#labels(picture, 'negative');
    for (let g = 0; g < picture.truth.labels.length; g++) judged.add(picture.truth.labels[g]);
    const detections = picture.detections && kept(picture.detections, judged, this.#maxDetections);
    const notExhaustive = this.#labels(picture, 'notExhaustive');
    this.#builder.addPicture({ ...picture, detections });
    this.#notExhaustive.push(notExhaustive);
  }

  result(): LvisResult {
    const data = this.#builder.data();
    const byId = picturesById(data.pictures);
    const thresholds = cocoIouThresholds.length;
    const every = allBits(thresholds);
    const lenient: Adjust = (k, ranking, { matched, ignored }) => {
      const ranks = ranking.pictureRanks();
      for (let s = 0; s < ranking.length; s++) {
        if (!this.#notExhaustive[byId[ranks[s]]].has(k)) continue;
        for (let at = s; at < cocoAreas.length * ranking.length; at += ranking.length) {
          ignored[at] |= every & ~matched[at];
        }
      }
    };
    const ranked = rankedMatches(data, { areas: cocoAreas, maxDetections: Number.POSITIVE_INFINITY }, lenient);
    const [all, small, medium, large] = ranked.map((classes) => new WeightedPrecision(classes, thresholds).of());
    const at = (threshold: number) => all.byThreshold[cocoIouThresholds.indexOf(threshold)];
    const [AR, ARs, ARm, ARl] = ranked.map((classes) => meanOf(meanRecalls(classes, thresholds)));
    const ofFrequency = (frequency: Frequency) =>
      meanOf(Array.from(all.byClass).filter((AP, k) => AP >= 0 && this.#frequencies[k] === frequency));
    const lvis = {
      AP: all.AP,
      AP50: at(0.5),
      AP75: at(0.75),
      APs: small.AP,
      APm: medium.AP,
      APl: large.AP,
      APr: ofFrequency('r'),
      APc: ofFrequency('c'),
      APf: ofFrequency('f'),
      AR,
      ARs,
      ARm,
      ARl,
    };
    const perClass = this.#classes.map((name, k) => {
      return { name, AP: all.byClass[k], frequency: this.#frequencies[k] };
    });
    return { lvis, perClass };
  }

  #labels(picture: LvisPicture, key: 'negative' | 'notExhaustive'): Set<number> {
    const labels = picture[key] ?? [];
    const { length } = this.#classes;
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i];
      if (Number.isInteger(label) && label >= 0 && label < length) continue;
      const where = `picture ${JSON.stringify(picture.id)}: ${key}[${i}]`;
      throw new BoxwrightError('data', `${where} is ${label}, expected the index of one of ${length} classes`);
    }
    return new Set(Array.from(labels));
  }
}

/** A picture's best detections, and of them those whose class is judged there. The limit comes first. */
function kept({ boxes, labels, scores }: Detections, judged: ReadonlySet<number>, most: number): Detections {
  const values = Float64Array.from(scores);
  const order = Uint32Array.from(values, (_, d) => d);
  sortByFallingScore(order, values, new Uint32Array(order.length));
  const rows = Array.from(order.subarray(0, Math.min(order.length, most))).filter((d) => judged.has(labels[d]));
  const own = new Float64Array(4 * rows.length);
  for (const [i, d] of rows.entries()) for (let side = 0; side < 4; side++) own[4 * i + side] = boxes[4 * d + side];
  return { boxes: own, labels: rows.map((d) => labels[d]), scores: rows.map((d) => values[d]) };
}

/** -1 of nothing. */
function meanOf(values: readonly number[]): number {
  return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : -1;
}
