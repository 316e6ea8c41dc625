import { BoxwrightError } from '../errors.js';
import { overlapsOf } from './matching/overlaps.js';
import { type BoxFormat, checkPicture, type EvaluatedPicture, edgesAndAreas } from './matching/picture.js';
import { sortByFallingScore } from './matching/stable-order.js';

/**
 * How detections and objects are paired.
 * - `ultralytics` (default): one to one. Detections, by falling score, each take the free object of any class that they
 *   overlap most, if by more than 0.45; scores above 0.25 count. Crowd regions are left out.
 * - `mmdet`: every pair with an IoU of at least 0.5 counts, so that a detection may count several times; scores of at
 *   least 0.3 count. An object is missed unless a detection of its own class has it. Crowds are ordinary objects.
 */
export type ConfusionConvention = 'mmdet' | 'ultralytics';

/** What is counted, and how. */
export interface ConfusionOptions {
  /** Names of the classes, by label. */
  readonly classes: readonly string[];
  /** How boxes are given; default `xyxy`. */
  readonly boxFormat?: BoxFormat;
  readonly convention?: ConfusionConvention;
  /** In place of the convention's. */
  readonly minScore?: number;
  /** In place of the convention's. */
  readonly iouThreshold?: number;
}

/** How often objects of each class were taken for each class. */
export interface ConfusionResult {
  readonly convention: ConfusionConvention;
  readonly minScore: number;
  readonly iouThreshold: number;
  /** The classes, and `background` last. */
  readonly labels: readonly string[];
  /** `[true class][detected class]`: row background has the false detections, column background the missed objects. */
  readonly counts: readonly (readonly number[])[];
}

const conventions = {
  mmdet: { minScore: 0.3, iouThreshold: 0.5 },
  ultralytics: { minScore: 0.25, iouThreshold: 0.45 },
} as const;

/** Confusion of classes, with background, as mmdetection 3.3 or ultralytics 8.4 counts it. */
export class ConfusionMatrix {
  readonly convention: ConfusionConvention;
  readonly #classes: readonly string[];
  readonly #format: BoxFormat;
  readonly #minScore: number;
  readonly #iouThreshold: number;
  /** `[n + 1, n + 1]` for n classes. */
  readonly #counts: Float64Array;

  /** @throws BoxwrightError `config` for an unknown convention or a threshold that is no number. */
  constructor({ classes, boxFormat = 'xyxy', convention = 'ultralytics', ...options }: ConfusionOptions) {
    const defaults = conventions[convention];
    if (!defaults) {
      const known = Object.keys(conventions).join(' or ');
      throw new BoxwrightError('config', `convention is ${JSON.stringify(convention)}, expected ${known}`);
    }
    this.convention = convention;
    this.#classes = [...classes];
    this.#format = boxFormat;
    this.#minScore = options.minScore ?? defaults.minScore;
    this.#iouThreshold = options.iouThreshold ?? defaults.iouThreshold;
    for (const [name, value] of Object.entries({ minScore: this.#minScore, iouThreshold: this.#iouThreshold })) {
      if (!Number.isFinite(value)) throw new BoxwrightError('config', `${name} is ${value}, expected a number`);
    }
    this.#counts = new Float64Array((classes.length + 1) ** 2);
  }

  /** @throws BoxwrightError `data` for arrays that do not fit each other; the picture then does not count. */
  addPicture(picture: EvaluatedPicture): void {
    checkPicture(picture, this.#classes.length, this.#format);
    const { truth, detections } = picture;
    const oneToOne = this.convention === 'ultralytics';
    const scores = Float64Array.from(detections?.scores ?? []);
    const kept = Uint32Array.from(scores, (_, d) => d).filter((d) =>
      oneToOne ? scores[d] > this.#minScore : scores[d] >= this.#minScore,
    );
    const truths = Uint32Array.from({ length: truth.labels.length }, (_, g) => g).filter(
      (g) => !(oneToOne && truth.crowd?.[g]),
    );
    sortByFallingScore(kept, scores, new Uint32Array(kept.length));
    const found = Int32Array.from(kept, (d) => detections!.labels[d]);
    const objects = Int32Array.from(truths, (g) => truth.labels[g]);
    const detectionBoxes = edgesAndAreas(detections?.boxes ?? [], this.#format);
    const values = overlapsOf(detectionBoxes, kept, edgesAndAreas(truth.boxes, this.#format), truths, undefined);
    if (oneToOne) this.#countOneToOne(values, found, objects);
    else this.#countEveryPair(values, found, objects);
  }

  result(): ConfusionResult {
    const size = this.#classes.length + 1;
    return {
      convention: this.convention,
      minScore: this.#minScore,
      iouThreshold: this.#iouThreshold,
      labels: [...this.#classes, 'background'],
      counts: Array.from({ length: size }, (_, row) => Array.from(this.#counts.subarray(row * size, (row + 1) * size))),
    };
  }

  /** @param values IoU, `[detections, truths]`. */
  #countOneToOne(values: Float64Array, found: Int32Array, objects: Int32Array): void {
    const background = this.#classes.length;
    const taken = new Uint8Array(objects.length);
    for (let d = 0; d < found.length; d++) {
      let best = -1;
      let overlap = this.#iouThreshold;
      for (let g = 0; g < objects.length; g++) {
        if (taken[g] || values[d * objects.length + g] <= overlap) continue;
        overlap = values[d * objects.length + g];
        best = g;
      }
      this.#count(best < 0 ? background : objects[best], found[d]);
      if (best >= 0) taken[best] = 1;
    }
    for (let g = 0; g < objects.length; g++) if (!taken[g]) this.#count(objects[g], background);
  }

  #countEveryPair(values: Float64Array, found: Int32Array, objects: Int32Array): void {
    const background = this.#classes.length;
    const hit = new Uint8Array(objects.length);
    for (let d = 0; d < found.length; d++) {
      let pairs = 0;
      for (let g = 0; g < objects.length; g++) {
        if (values[d * objects.length + g] < this.#iouThreshold) continue;
        pairs++;
        this.#count(objects[g], found[d]);
        if (objects[g] === found[d]) hit[g] = 1;
      }
      if (pairs === 0) this.#count(background, found[d]);
    }
    for (let g = 0; g < objects.length; g++) if (!hit[g]) this.#count(objects[g], background);
  }

  #count(truth: number, detected: number): void {
    this.#counts[truth * (this.#classes.length + 1) + detected]++;
  }
}
