import type { AreaRange } from '../coco/coco-settings.js';
import type { EvaluationData } from '../evaluation-data.js';
import type { ClassOrder } from './class-order.js';
import type { ClassRanking } from './class-ranking.js';
import { allBits, leastOverlap } from './matching.js';
import { writeEdges } from './picture.js';

/** What matching is to find out. */
export interface MatchingRules {
  /** At most 32. */
  readonly iouThresholds: readonly number[];
  /** At most 32. */
  readonly areas: readonly AreaRange[];
  /** Detections of a picture and class that take part, best first. */
  readonly maxDetections: number;
}

/**
 * COCO's greedy matching of one class after the other, at T IoU thresholds and in A area ranges at once: thresholds and
 * ranges are the bits of masks, and each IoU is computed once.
 *
 * `match` overwrites the result of the class before; of the arrays, the first `[A, ranking.length]` entries count.
 */
export class ClassMatcher {
  /** Bit t is set where the detection has a match at threshold t, `[A, length]`. */
  readonly matched: Uint32Array;
  /** Bit t is set where the detection is neither true nor false at threshold t, `[A, length]`. */
  readonly ignored: Uint32Array;
  /** Truths to be found, `[A]`. */
  readonly positives: Uint32Array;
  /** Of the first area range and the first threshold: index of the truth into the data's, or −1, `[length]`. */
  readonly truths: Int32Array;
  /** IoU with that truth (with a crowd region: intersection over the detection's area), 0 without one, `[length]`. */
  readonly overlaps: Float64Array;
  readonly #data: EvaluationData;
  readonly #rules: MatchingRules;
  readonly #least: Float64Array;
  readonly #lowest: number;
  #group: ReturnType<typeof groupRoom>;

  /** @param capacity the most detections that a class has. */
  constructor(data: EvaluationData, rules: MatchingRules, capacity: number) {
    const areas = rules.areas.length;
    this.matched = new Uint32Array(areas * capacity);
    this.ignored = new Uint32Array(areas * capacity);
    this.positives = new Uint32Array(areas);
    this.truths = new Int32Array(capacity);
    this.overlaps = new Float64Array(capacity);
    this.#data = data;
    this.#rules = rules;
    this.#least = Float64Array.from(rules.iouThresholds, leastOverlap);
    this.#lowest = Math.min(...this.#least);
    this.#group = groupRoom(16, areas);
  }

  /** Matches the detections of class k, which `ranking` ranks. */
  match(order: ClassOrder, k: number, ranking: ClassRanking): void {
    const { length } = ranking;
    this.matched.fill(0, 0, length * this.#rules.areas.length);
    this.ignored.fill(0, 0, length * this.#rules.areas.length);
    this.positives.fill(0);
    this.truths.fill(-1, 0, length);
    this.overlaps.fill(0, 0, length);
    const { index, ranks, starts } = order.truths;
    let group = 0;
    for (let from = starts[k]; from < starts[k + 1]; ) {
      const picture = ranks[from];
      let to = from + 1;
      while (to < starts[k + 1] && ranks[to] === picture) to++;
      this.#lookAtTruths(index, from, to);
      while (group < ranking.groups && ranking.pictures[group] < picture) group++;
      if (group < ranking.groups && ranking.pictures[group] === picture) this.#matchGroup(ranking, group, to - from);
      from = to;
    }
    this.#ignoreOutside(ranking);
  }

  /** Copies what is needed of a picture's truths to the front of `#group`, and counts them. */
  #lookAtTruths(index: Uint32Array, from: number, to: number): void {
    const { boxFormat, truths } = this.#data;
    const { areas } = this.#rules;
    if (to - from > this.#group.index.length) this.#group = groupRoom(2 * (to - from), areas.length);
    const group = this.#group;
    for (let g = 0; g < to - from; g++) {
      const truth = index[from + g];
      group.index[g] = truth;
      writeEdges(truths.boxes, truth, boxFormat === 'xywh', group.edges, g);
      let outside = 0;
      for (let a = 0; a < areas.length; a++) {
        const counts =
          !truths.crowd[truth] && truths.areas[truth] >= areas[a].from && truths.areas[truth] <= areas[a].to;
        if (counts) this.positives[a]++;
        else outside |= 1 << a;
      }
      group.ignored[g] = outside;
    }
  }

  #matchGroup(ranking: ClassRanking, number: number, truths: number): void {
    const group = this.#group;
    const { areas, maxDetections } = this.#rules;
    const from = ranking.starts[number];
    const to = Math.min(ranking.starts[number + 1], from + maxDetections);
    group.taken.fill(0, 0, areas.length * truths);
    for (let i = from; i < to; i++) {
      const s = ranking.byGroup[i];
      const candidates = this.#findCandidates(ranking.index[s], truths);
      if (candidates > 0) this.#take(s, ranking.length, candidates, truths);
    }
  }

  /** Truths that detection i overlaps enough for some threshold, most first, the later one of equal ones; their number. */
  #findCandidates(i: number, truths: number): number {
    const { boxFormat, detections, truths: all } = this.#data;
    const { edges, index, candidates, overlaps } = this.#group;
    const given = boxFormat === 'xywh';
    const x1 = detections.boxes[4 * i];
    const y1 = detections.boxes[4 * i + 1];
    const third = detections.boxes[4 * i + 2];
    const fourth = detections.boxes[4 * i + 3];
    const x2 = given ? x1 + third : third;
    const y2 = given ? y1 + fourth : fourth;
    const area = given ? third * fourth : (x2 - x1) * (y2 - y1);
    let count = 0;
    // Products and sums are those of pycocotools, in its order, so that a borderline IoU falls on the same side.
    for (let g = 0; g < truths; g++) {
      const width = Math.min(x2, edges[5 * g + 2]) - Math.max(x1, edges[5 * g]);
      if (width <= 0) continue;
      const height = Math.min(y2, edges[5 * g + 3]) - Math.max(y1, edges[5 * g + 1]);
      if (height <= 0) continue;
      const intersection = width * height;
      const overlap = intersection / (all.crowd[index[g]] ? area : area + edges[5 * g + 4] - intersection);
      if (overlap < this.#lowest) continue;
      let place = count++;
      for (; place > 0 && overlaps[place - 1] <= overlap; place--) {
        overlaps[place] = overlaps[place - 1];
        candidates[place] = candidates[place - 1];
      }
      overlaps[place] = overlap;
      candidates[place] = g;
    }
    return count;
  }

  /**
   * At each threshold the detection takes the first candidate that is free and overlaps it enough; ignored ones only
   * where no counted one does. `open` are the thresholds at which it has none yet.
   */
  #take(s: number, length: number, count: number, truths: number): void {
    const { truths: all } = this.#data;
    const { index, candidates, overlaps, reach, ignored, taken } = this.#group;
    for (let c = 0; c < count; c++) reach[c] = this.#reached(overlaps[c]);
    for (let a = 0; a < this.#rules.areas.length; a++) {
      let open = allBits(this.#least.length);
      let matched = 0;
      let ignores = 0;
      for (let round = 0; round < 2 && open !== 0; round++) {
        for (let c = 0; c < count; c++) {
          const g = candidates[c];
          if (((ignored[g] >>> a) & 1) !== round) continue;
          const at = a * truths + g;
          const crowd = all.crowd[index[g]];
          const hit = open & reach[c] & (crowd ? -1 : ~taken[at]);
          if (hit === 0) continue;
          taken[at] |= hit;
          open &= ~hit;
          if (round) ignores |= hit;
          // pycocotools stores a match as the annotation's id, and takes 0 for none.
          if (all.ids[index[g]] !== 0) matched |= hit;
          if (a === 0 && hit & 1) {
            this.truths[s] = index[g];
            this.overlaps[s] = overlaps[c];
          }
        }
      }
      this.matched[a * length + s] = matched;
      this.ignored[a * length + s] = ignores;
    }
  }

  #reached(overlap: number): number {
    let mask = 0;
    for (let t = 0; t < this.#least.length; t++) if (overlap >= this.#least[t]) mask |= 1 << t;
    return mask;
  }

  /** A detection outside an area range is false only where it has a match that counts. */
  #ignoreOutside({ boxAreas, length }: ClassRanking): void {
    const { areas } = this.#rules;
    const every = allBits(this.#least.length);
    for (let a = 0; a < areas.length; a++) {
      const { from, to } = areas[a];
      const matched = this.matched.subarray(a * length, (a + 1) * length);
      const ignored = this.ignored.subarray(a * length, (a + 1) * length);
      for (let s = 0; s < length; s++) {
        const area = boxAreas[s];
        if (area < from || area > to) ignored[s] |= every & ~matched[s];
      }
    }
  }
}

/** Room for so many truths of one picture and class. */
function groupRoom(truths: number, areas: number) {
  return {
    /** Index into the data's truths. */
    index: new Uint32Array(truths),
    /** x1, y1, x2, y2, area of the box; `[truths, 5]`. */
    edges: new Float64Array(5 * truths),
    /** Bit a is set where the truth does not count in area range a. */
    ignored: new Uint32Array(truths),
    /** Bit t is set where a detection has the truth at threshold t; `[areas, truths]`. */
    taken: new Uint32Array(areas * truths),
    /** Truths that one detection may take, with their overlaps and the thresholds that those reach. */
    candidates: new Uint32Array(truths),
    overlaps: new Float64Array(truths),
    reach: new Uint32Array(truths),
  };
}
