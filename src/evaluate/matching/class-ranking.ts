import type { ClassOrder } from './class-order.js';
import { sortPlacesByFallingScore } from './stable-order.js';

/**
 * The detections of one class by falling score over all pictures, equal scores by rising picture id and then as given:
 * detection s is the s-th of these. Groups are the pictures that have any; within a group they keep that order.
 *
 * One object serves class after class: `rank` overwrites it, and only the first `length` (`groups`) entries count.
 */
export class ClassRanking {
  length = 0;
  groups = 0;
  /** Number of detections of the picture that has most. */
  most = 0;
  /** Index into the data's detections, `[length]`. */
  index: Uint32Array;
  /** `[length]` */
  scores: Float64Array;
  /** Width × height, `[length]`. */
  boxAreas: Float64Array;
  /** Place among the detections of its picture, from 0, `[length]`. */
  places: Uint32Array;
  /** The s of each group's detections, falling scores, group after group, `[length]`. */
  byGroup: Uint32Array;
  /** Those of group g are `byGroup[starts[g]]` to `byGroup[starts[g + 1]]`, `[groups + 1]`. */
  starts: Uint32Array;
  /** Rank of each group's picture by id, rising, `[groups]`. */
  pictures: Uint32Array;
  #order: Uint32Array;
  #groupOf: Uint32Array;
  readonly #scratch: Uint32Array;
  #filled: Uint32Array;

  /** @param capacity the most detections that a class has. */
  constructor(capacity: number) {
    const whole = () => new Uint32Array(capacity);
    [this.index, this.places, this.byGroup, this.pictures] = [whole(), whole(), whole(), whole()];
    [this.#order, this.#groupOf, this.#filled] = [whole(), whole(), whole()];
    this.#scratch = new Uint32Array(3 * capacity);
    this.starts = new Uint32Array(capacity + 1);
    this.scores = new Float64Array(capacity);
    this.boxAreas = new Float64Array(capacity);
  }

  rank({ detections, scores: allScores, boxAreas }: ClassOrder, k: number): void {
    const from = detections.starts[k];
    const length = detections.starts[k + 1] - from;
    this.length = length;
    this.#group(detections.ranks, from);
    const order = this.#order;
    const scores = allScores.subarray(from, from + length);
    sortPlacesByFallingScore(scores, length, order, this.#scratch);
    const filled = this.#filled.fill(0, 0, this.groups);
    let most = 0;
    for (let s = 0; s < length; s++) {
      const i = order[s];
      const group = this.#groupOf[i];
      const place = filled[group]++;
      if (place >= most) most = place + 1;
      this.index[s] = detections.index[from + i];
      this.scores[s] = scores[i];
      this.boxAreas[s] = boxAreas[from + i];
      this.places[s] = place;
      this.byGroup[this.starts[group] + place] = s;
    }
    this.most = most;
  }

  /** Rank of each detection's picture by id, `[length]`. */
  pictureRanks(): Uint32Array {
    const ranks = new Uint32Array(this.length);
    for (let group = 0; group < this.groups; group++) {
      for (let i = this.starts[group]; i < this.starts[group + 1]; i++) ranks[this.byGroup[i]] = this.pictures[group];
    }
    return ranks;
  }

  /** Neighbours of the same picture form a group. */
  #group(ranks: Uint32Array, from: number): void {
    let group = -1;
    for (let i = 0; i < this.length; i++) {
      if (group < 0 || ranks[from + i] !== this.pictures[group]) {
        this.starts[++group] = i;
        this.pictures[group] = ranks[from + i];
      }
      this.#groupOf[i] = group;
    }
    this.groups = group + 1;
    this.starts[this.groups] = this.length;
  }
}
