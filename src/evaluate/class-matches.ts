import { sortByFallingScore } from './stable-order.js';

/**
 * What became of the detections of one class, picture after picture, in R ranges. IoU thresholds are the bits of a mask.
 * Arrays are longer than `length`: the rest is room to grow.
 */
export class ClassMatches {
  length = 0;
  scores: Float64Array;
  /** The picture of each detection, counted from 0 as they were added; never falls. */
  pictures: Uint32Array;
  /** `[length, ranges]`: bit t is set where the detection has a match at threshold t. */
  matched: Uint32Array;
  /** `[length, ranges]`: bit t is set where the detection is neither true nor false at threshold t. */
  ignored: Uint32Array;
  /** `[length, ranges]`: IoU with the truth that the detection has at the first threshold; 0 without one. */
  overlaps: Float64Array;
  /** Truths to be found, `[ranges]`. */
  readonly positives: Float64Array;
  /** Pictures with such truths in the first range, and how many. */
  readonly positivePictures: number[] = [];
  readonly positiveCounts: number[] = [];

  constructor(readonly ranges: number) {
    this.scores = new Float64Array(16);
    this.pictures = new Uint32Array(16);
    this.matched = new Uint32Array(16 * ranges);
    this.ignored = new Uint32Array(16 * ranges);
    this.overlaps = new Float64Array(16 * ranges);
    this.positives = new Float64Array(ranges);
  }

  /** Makes room for `count` detections and returns the place of the first. */
  add(count: number): number {
    const start = this.length;
    this.length += count;
    if (this.length > this.scores.length) this.#grow(Math.max(this.length, 2 * this.scores.length));
    return start;
  }

  #grow(capacity: number): void {
    this.scores = copied(new Float64Array(capacity), this.scores);
    this.pictures = copied(new Uint32Array(capacity), this.pictures);
    this.matched = copied(new Uint32Array(capacity * this.ranges), this.matched);
    this.ignored = copied(new Uint32Array(capacity * this.ranges), this.ignored);
    this.overlaps = copied(new Float64Array(capacity * this.ranges), this.overlaps);
  }

  /** Places of all detections by falling score; equal ones by the rank of their picture, then as they were added. */
  byScore(rankOf: Uint32Array): Uint32Array {
    const order = Uint32Array.from({ length: this.length }, (_, place) => place);
    let rising = true;
    for (let i = 1; i < this.length && rising; i++) rising = rankOf[this.pictures[i]] >= rankOf[this.pictures[i - 1]];
    if (!rising) order.sort((i, j) => rankOf[this.pictures[i]] - rankOf[this.pictures[j]] || i - j);
    sortByFallingScore(order, this.scores, new Uint32Array(order.length));
    return order;
  }
}

function copied<T extends Float64Array | Uint32Array>(to: T, from: T): T {
  to.set(from);
  return to;
}
