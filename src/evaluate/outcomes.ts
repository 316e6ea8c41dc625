/**
 * What became of the detections of one class, picture after picture, for A area ranges: whether each was matched, and
 * whether it counts at all. IoU thresholds are the bits of a mask, so that a detection costs 8 bytes an area range.
 */
export class ClassOutcomes {
  length = 0;
  scores: Float64Array;
  /** Place of each detection in its picture by falling score, from 0. */
  ranks: Uint32Array;
  /** `[length, areas]`: bit t is set where the detection has a match at threshold t. */
  matched: Uint32Array;
  /** `[length, areas]`: bit t is set where the detection is neither true nor false at threshold t. */
  ignored: Uint32Array;
  /** Number of truths to be found, an entry an area range. */
  readonly positives: Float64Array;
  /** Detections of the picture that was added as number `pictures[i]` begin at `starts[i]`. */
  readonly pictures: number[] = [];
  readonly starts: number[] = [];

  constructor(readonly areas: number) {
    this.scores = new Float64Array(16);
    this.ranks = new Uint32Array(16);
    this.matched = new Uint32Array(16 * areas);
    this.ignored = new Uint32Array(16 * areas);
    this.positives = new Float64Array(areas);
  }

  /** Makes room for `count` detections of a picture and returns the place of the first; all bits are 0. */
  add(picture: number, count: number): number {
    const start = this.length;
    this.pictures.push(picture);
    this.starts.push(start);
    this.length += count;
    if (this.length > this.scores.length) this.grow(Math.max(this.length, 2 * this.scores.length));
    return start;
  }

  private grow(capacity: number): void {
    this.scores = copied(new Float64Array(capacity), this.scores);
    this.ranks = copied(new Uint32Array(capacity), this.ranks);
    this.matched = copied(new Uint32Array(capacity * this.areas), this.matched);
    this.ignored = copied(new Uint32Array(capacity * this.areas), this.ignored);
  }

  /**
   * Places of all detections, picture by picture in the order `rankOf` (number of the picture → its rank), and within
   * each picture as they were added.
   */
  inOrderOf(rankOf: Uint32Array): Uint32Array {
    const chunks = Array.from(this.pictures.keys());
    chunks.sort((a, b) => rankOf[this.pictures[a]] - rankOf[this.pictures[b]]);
    const places = new Uint32Array(this.length);
    let at = 0;
    for (const chunk of chunks) {
      const end = this.starts[chunk + 1] ?? this.length;
      for (let place = this.starts[chunk]; place < end; place++) places[at++] = place;
    }
    return places;
  }
}

function copied<T extends Float64Array | Uint32Array>(to: T, from: T): T {
  to.set(from);
  return to;
}
