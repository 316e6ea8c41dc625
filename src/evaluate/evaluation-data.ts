// Boxes here are [x1, y1, x2, y2] or [x, y, width, height], as `boxFormat` says.
import { BoxwrightError } from '../errors.js';
import { type BoxFormat, checkPicture, type EvaluatedPicture } from './matching/picture.js';

/** The annotated objects of a data set, picture by picture; n of them in P pictures. */
export interface TruthColumns {
  /** Those of picture p are `starts[p]` to `starts[p + 1]`; `[P + 1]`. */
  readonly starts: Uint32Array;
  /** Index of each object's class, `[n]`. */
  readonly labels: Uint32Array;
  /** `[n, 4]`, in pixels. */
  readonly boxes: Float64Array;
  /** Square pixels by which an object falls into an area range, `[n]`. */
  readonly areas: Float64Array;
  /** 1 for a region of uncounted objects, `[n]`. */
  readonly crowd: Uint8Array;
  /** COCO annotation ids, NaN where none was given, `[n]`. */
  readonly ids: Float64Array;
}

/** What a detector found in a data set, picture by picture; n detections in P pictures. */
export interface DetectionColumns {
  /** Those of picture p are `starts[p]` to `starts[p + 1]`; `[P + 1]`. */
  readonly starts: Uint32Array;
  /** Index of each detection's class, `[n]`. */
  readonly labels: Uint32Array;
  /** `[n, 4]`, in pixels. */
  readonly boxes: Float64Array;
  /** `[n]`; not NaN. */
  readonly scores: Float64Array;
}

/**
 * Truths and detections of P pictures as columns of numbers: 44 bytes a detection, no object for any of them. What every
 * metric is computed from; `outcomesByClass` says which detection is of which truth.
 */
export interface EvaluationData {
  /** Names of the classes, by label. */
  readonly classes: readonly string[];
  readonly boxFormat: BoxFormat;
  /** Id of each picture, `[P]`. */
  readonly pictures: readonly (number | string)[];
  readonly truths: TruthColumns;
  readonly detections: DetectionColumns;
}

/** The pictures of columns one by one, as views into them: nothing is copied. */
export function* picturesOf({ pictures, truths, detections }: EvaluationData): Generator<EvaluatedPicture> {
  for (let p = 0; p < pictures.length; p++) {
    const [g, gEnd] = [truths.starts[p], truths.starts[p + 1]];
    const [d, dEnd] = [detections.starts[p], detections.starts[p + 1]];
    yield {
      id: pictures[p],
      truth: {
        boxes: truths.boxes.subarray(4 * g, 4 * gEnd),
        labels: truths.labels.subarray(g, gEnd),
        crowd: truths.crowd.subarray(g, gEnd),
        area: truths.areas.subarray(g, gEnd),
        ids: truths.ids.subarray(g, gEnd),
      },
      detections: {
        boxes: detections.boxes.subarray(4 * d, 4 * dEnd),
        labels: detections.labels.subarray(d, dEnd),
        scores: detections.scores.subarray(d, dEnd),
      },
    };
  }
}

/** Gathers pictures into columns. */
export class EvaluationDataBuilder {
  readonly #classes: readonly string[];
  readonly #boxFormat: BoxFormat;
  readonly #ids: (number | string)[] = [];
  readonly #known = new Set<number | string>();
  readonly #truthStarts: number[] = [0];
  readonly #detectionStarts: number[] = [0];
  #truths = truthRoom(64);
  #detections = detectionRoom(256);

  constructor(classes: readonly string[], boxFormat: BoxFormat) {
    this.#classes = classes;
    this.#boxFormat = boxFormat;
  }

  /** Number of pictures added. */
  get pictures(): number {
    return this.#ids.length;
  }

  /**
   * @throws BoxwrightError `data` for a second picture of the same id and for arrays that do not fit each other; the
   *   picture is then not added.
   */
  addPicture(picture: EvaluatedPicture): void {
    const { id, truth, detections } = picture;
    if (this.#known.has(id)) {
      throw new BoxwrightError('data', `picture ${JSON.stringify(id)} was added before: each counts once`);
    }
    checkPicture(picture, this.#classes.length, this.#boxFormat);
    this.#known.add(id);
    this.#ids.push(id);
    this.#addTruth(truth);
    if (detections) this.#addDetections(detections);
    this.#detectionStarts.push(this.#detectionStarts[this.#ids.length - 1] + (detections?.labels.length ?? 0));
  }

  /** Everything added so far, as views: pictures that are added later do not show in it. */
  data(): EvaluationData {
    const truths = this.#truthStarts[this.#ids.length];
    const detections = this.#detectionStarts[this.#ids.length];
    return {
      classes: this.#classes,
      boxFormat: this.#boxFormat,
      pictures: this.#ids.slice(),
      truths: {
        starts: Uint32Array.from(this.#truthStarts),
        labels: this.#truths.labels.subarray(0, truths),
        boxes: this.#truths.boxes.subarray(0, 4 * truths),
        areas: this.#truths.areas.subarray(0, truths),
        crowd: this.#truths.crowd.subarray(0, truths),
        ids: this.#truths.ids.subarray(0, truths),
      },
      detections: {
        starts: Uint32Array.from(this.#detectionStarts),
        labels: this.#detections.labels.subarray(0, detections),
        boxes: this.#detections.boxes.subarray(0, 4 * detections),
        scores: this.#detections.scores.subarray(0, detections),
      },
    };
  }

  #addTruth({ boxes, labels, crowd, area, ids }: EvaluatedPicture['truth']): void {
    const start = this.#truthStarts[this.#ids.length - 1];
    const end = start + labels.length;
    this.#truthStarts.push(end);
    if (end > this.#truths.labels.length) this.#truths = grown(this.#truths, truthRoom(roomFor(end)));
    const to = this.#truths;
    const given = this.#boxFormat === 'xywh';
    to.labels.set(labels, start);
    to.boxes.set(boxes, 4 * start);
    for (let i = 0; i < labels.length; i++) {
      const width = given ? boxes[4 * i + 2] : boxes[4 * i + 2] - boxes[4 * i];
      const height = given ? boxes[4 * i + 3] : boxes[4 * i + 3] - boxes[4 * i + 1];
      to.areas[start + i] = area ? area[i] : width * height;
      to.crowd[start + i] = crowd?.[i] ? 1 : 0;
      to.ids[start + i] = ids ? ids[i] : Number.NaN;
    }
  }

  #addDetections({ boxes, labels, scores }: NonNullable<EvaluatedPicture['detections']>): void {
    const start = this.#detectionStarts[this.#ids.length - 1];
    const end = start + labels.length;
    if (end > this.#detections.labels.length) this.#detections = grown(this.#detections, detectionRoom(roomFor(end)));
    this.#detections.labels.set(labels, start);
    this.#detections.boxes.set(boxes, 4 * start);
    this.#detections.scores.set(scores, start);
  }
}

function truthRoom(count: number) {
  return {
    labels: new Uint32Array(count),
    boxes: new Float64Array(4 * count),
    areas: new Float64Array(count),
    crowd: new Uint8Array(count),
    ids: new Float64Array(count),
  };
}

function detectionRoom(count: number) {
  return {
    labels: new Uint32Array(count),
    boxes: new Float64Array(4 * count),
    scores: new Float64Array(count),
  };
}

/** Half as much again: doubling would leave up to half of the memory unused. */
function roomFor(count: number): number {
  return Math.ceil(1.5 * count);
}

type Column = Uint32Array | Float64Array | Uint8Array;

function grown<T extends Record<string, Column>>(from: T, to: T): T {
  for (const name of Object.keys(from)) to[name].set(from[name]);
  return to;
}
