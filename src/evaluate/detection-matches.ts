import { BoxwrightError } from '../errors.js';
import { ClassMatches } from './class-matches.js';
import { cocoIouThresholds } from './coco-settings.js';
import { leastOverlap, matchDetections } from './matching.js';
import { overlapsOf } from './overlaps.js';
import { type BoxFormat, checkPicture, type EvaluatedPicture, edgesAndAreas, groupByClass } from './picture.js';
import { ranksOfIds } from './picture-order.js';
import { sortByFallingScore } from './stable-order.js';

/** Which objects count: those whose measure lies in the range, both bounds included. */
export interface BoxRange {
  readonly name: string;
  /** `area` (default): square pixels, of a truth its `area`. `aspect`: width divided by height of the box. */
  readonly measure?: 'area' | 'aspect';
  readonly from: number;
  readonly to: number;
}

export interface MatchOptions {
  /** Names of the classes, by label. */
  readonly classes: readonly string[];
  /** How boxes are given; default `xyxy`. */
  readonly boxFormat?: BoxFormat;
  /** At most 32; the overlap of a match is kept for the first. Default 0.5, 0.55 … 0.95. */
  readonly iouThresholds?: readonly number[];
  /** How many detections of a picture and class count, best first; default 100. */
  readonly maxDetections?: number;
  /** Default: one range with everything. */
  readonly ranges?: readonly BoxRange[];
}

/** One class in one picture: boxes `[n, 5]` of the picture, and which of them are of the class. */
interface Group {
  readonly picture: EvaluatedPicture;
  readonly truthBoxes: Float64Array;
  readonly truths: Uint32Array;
  readonly detectionBoxes: Float64Array;
  /** By falling score. */
  readonly detections: Uint32Array;
}

/** Everything, whatever its size. */
export const everyBox: BoxRange = { name: 'all', from: 0, to: Number.POSITIVE_INFINITY };

/**
 * Which detection is of which object, by COCO's greedy rule, for pictures that are added one at a time: what curves,
 * optimal LRP, calibration, breakdowns and intervals are computed from. A detection costs 12 bytes, and 16 a range.
 */
export class DetectionMatches {
  readonly classes: readonly string[];
  readonly boxFormat: BoxFormat;
  readonly iouThresholds: readonly number[];
  readonly maxDetections: number;
  readonly ranges: readonly BoxRange[];
  /** By label. */
  readonly byClass: readonly ClassMatches[];
  /** Ids of the pictures as they were added. */
  readonly ids: (number | string)[] = [];
  readonly #known = new Set<number | string>();
  readonly #lowest: number;

  /** @throws BoxwrightError `config` for options that cannot be met. */
  constructor(options: MatchOptions) {
    this.classes = [...options.classes];
    this.boxFormat = options.boxFormat ?? 'xyxy';
    this.iouThresholds = [...(options.iouThresholds ?? cocoIouThresholds)];
    this.maxDetections = options.maxDetections ?? 100;
    this.ranges = [...(options.ranges ?? [everyBox])];
    checkOptions(this);
    this.byClass = this.classes.map(() => new ClassMatches(this.ranges.length));
    this.#lowest = leastOverlap(Math.min(...this.iouThresholds));
  }

  /** Number of pictures added. */
  get pictures(): number {
    return this.ids.length;
  }

  /**
   * Matches one picture's detections with its truth.
   *
   * @param notExhaustive labels of classes of which not every object in the picture is annotated: their detections
   *   without a match are neither right nor wrong.
   * @throws BoxwrightError `data` for a second picture of the same id and for arrays that do not fit each other; the
   *   picture is then not added.
   */
  addPicture(picture: EvaluatedPicture, notExhaustive: ReadonlySet<number> = new Set()): void {
    const { id, truth, detections } = picture;
    if (this.#known.has(id)) {
      throw new BoxwrightError('data', `picture ${JSON.stringify(id)} was added before: each counts once`);
    }
    checkPicture(picture, this.classes.length, this.boxFormat);
    const truths = groupByClass(truth.labels, this.classes.length, false);
    const found = groupByClass(detections?.labels ?? [], this.classes.length, false);
    const truthBoxes = edgesAndAreas(truth.boxes, this.boxFormat);
    const detectionBoxes = edgesAndAreas(detections?.boxes ?? [], this.boxFormat);
    const scores = Float64Array.from(detections?.scores ?? []);
    const scratch = new Uint32Array(found.index.length);
    for (let k = 0; k < this.classes.length; k++) {
      const [from, to] = [found.starts[k], found.starts[k + 1]];
      const own = truths.index.subarray(truths.starts[k], truths.starts[k + 1]);
      if (own.length === 0 && from === to) continue;
      sortByFallingScore(found.index, scores, scratch, from, to);
      const best = found.index.subarray(from, Math.min(to, from + this.maxDetections));
      const start = this.byClass[k].add(best.length);
      for (let d = 0; d < best.length; d++) {
        this.byClass[k].scores[start + d] = scores[best[d]];
        this.byClass[k].pictures[start + d] = this.ids.length;
      }
      const group = { picture, truthBoxes, truths: own, detectionBoxes, detections: best };
      if (own.length > 0) this.#match(this.byClass[k], start, group);
      this.#ignore(this.byClass[k], start, group, notExhaustive.has(k));
    }
    this.#known.add(id);
    this.ids.push(id);
  }

  /** Rank of each picture by its id, for `ClassMatches.byScore`. */
  pictureRanks(): Uint32Array {
    return ranksOfIds(this.ids);
  }

  #match(matches: ClassMatches, start: number, group: Group): void {
    const { picture, detections, detectionBoxes, truthBoxes, truths } = group;
    const { truth } = picture;
    const overlaps = overlapsOf(detectionBoxes, detections, truthBoxes, truths, truth.crowd);
    const mayMatch = overlaps.reach.some((reach) => reach >= this.#lowest);
    const crowd = Uint8Array.from(truths, (g) => (truth.crowd?.[g] ? 1 : 0));
    const chosen = new Int32Array(detections.length);
    const taken = new Uint8Array(truths.length);
    const width = this.ranges.length;
    for (let r = 0; r < width; r++) {
      const ignored = this.#ignoredTruths(group, crowd, this.ranges[r]);
      let positives = 0;
      for (let g = 0; g < truths.length; g++) positives += 1 - ignored[g];
      matches.positives[r] += positives;
      if (r === 0 && positives > 0) {
        matches.positivePictures.push(this.ids.length);
        matches.positiveCounts.push(positives);
      }
      if (!mayMatch) continue;
      for (let t = 0; t < this.iouThresholds.length; t++) {
        matchDetections(overlaps, { ignored, crowd }, this.iouThresholds[t], chosen, taken);
        for (let d = 0; d < chosen.length; d++) {
          const g = chosen[d];
          if (g < 0) continue;
          const at = (start + d) * width + r;
          // pycocotools stores a match as the annotation's id, and takes 0 for none.
          if (truth.ids?.[truths[g]] !== 0) matches.matched[at] |= 1 << t;
          if (ignored[g]) matches.ignored[at] |= 1 << t;
          if (t === 0) matches.overlaps[at] = overlaps.values[d * truths.length + g];
        }
      }
    }
  }

  #ignoredTruths({ picture, truths, truthBoxes }: Group, crowd: Uint8Array, range: BoxRange): Uint8Array {
    const ignored = new Uint8Array(truths.length);
    for (let g = 0; g < truths.length; g++) {
      const { area } = picture.truth;
      const size = range.measure !== 'aspect' && area ? area[truths[g]] : measureOf(truthBoxes, truths[g], range);
      ignored[g] = crowd[g] || size < range.from || size > range.to ? 1 : 0;
    }
    return ignored;
  }

  /** Without a match, detections outside a range, and all of a class that is not exhaustive, do not count. */
  #ignore(matches: ClassMatches, start: number, { detections, detectionBoxes }: Group, all: boolean): void {
    const every = everyBit(this.iouThresholds.length);
    for (let r = 0; r < this.ranges.length; r++) {
      const range = this.ranges[r];
      if (range === everyBox && !all) continue;
      for (let d = 0; d < detections.length; d++) {
        const size = measureOf(detectionBoxes, detections[d], range);
        if (!all && size >= range.from && size <= range.to) continue;
        const at = (start + d) * this.ranges.length + r;
        matches.ignored[at] |= every & ~matches.matched[at];
      }
    }
  }
}

/** A mask with the lowest `count` bits set, of at most 32. */
export function everyBit(count: number): number {
  return count === 32 ? 0xffffffff : 2 ** count - 1;
}

/** A box without width and height is taken for a square. */
function measureOf(boxes: Float64Array, box: number, range: BoxRange): number {
  const at = 5 * box;
  if (range.measure !== 'aspect') return boxes[at + 4];
  const width = boxes[at + 2] - boxes[at];
  const height = boxes[at + 3] - boxes[at + 1];
  return width === height ? 1 : width / height;
}

function checkOptions({ classes, iouThresholds, maxDetections, ranges }: DetectionMatches): void {
  const repeated = classes.find((name, i) => classes.indexOf(name) !== i);
  if (classes.length === 0) throw config('there is no class to evaluate: give at least one name');
  if (repeated !== undefined)
    throw config(`class ${JSON.stringify(repeated)} is listed twice: class names must differ`);
  const { length } = iouThresholds;
  if (length === 0 || length > 32 || !iouThresholds.every((t) => t > 0 && t <= 1)) {
    throw config(`iouThresholds is ${JSON.stringify(iouThresholds)}, expected one to 32 numbers above 0 and at most 1`);
  }
  if (!(maxDetections >= 1)) throw config(`maxDetections is ${maxDetections}, expected a number from 1`);
  const bad = ranges.find(({ from, to }) => !(from <= to));
  if (ranges.length === 0 || bad) {
    throw config(`ranges is ${JSON.stringify(ranges)}, expected at least one, each with from at most to`);
  }
}

function config(message: string): BoxwrightError {
  return new BoxwrightError('config', message);
}
