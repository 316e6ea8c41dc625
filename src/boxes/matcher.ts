import { boxAreas, countBoxes, iou } from './iou.js';

/** How anchors (or proposals) are assigned to ground-truth boxes by overlap. Plain data. */
export interface Matcher {
  /** An anchor whose best overlap reaches this belongs to that box (of equal ones, the first). */
  readonly positive: number;
  /** Whether the overlap has to exceed `positive`, not only to reach it. */
  readonly strict?: boolean;
  /** Anchors whose best overlap is below this are background, those between are ignored; `positive` if left out. */
  readonly negative?: number;
  /** Whether overlaps count x2 and y2 as the last pixels inside. */
  readonly plusOne?: boolean;
  /** Gives each box its best anchor besides, whatever the threshold; not done if left out. */
  readonly best?: BestAnchorRule;
}

/** How a box's best anchor is given to it. */
export interface BestAnchorRule {
  /**
   * Which box gets an anchor that is the best of several: the `first` or the `last` of them, the others getting none; or
   * `bipartite`, the pair of largest overlap first, the other boxes then taking the best anchor still free (Caffe's SSD).
   */
  readonly shared: 'first' | 'last' | 'bipartite';
  /** Of anchors with equal (float32) overlap, whether a box takes the first or all. `bipartite` takes the first always. */
  readonly ties: 'first' | 'all';
  /** Overlap below which a box's best anchor is not given to it. */
  readonly minimum: number;
}

/** `Matches.box` of an anchor that is background. */
export const BACKGROUND = -1;
/** `Matches.box` of an anchor that counts neither as object nor as background. */
export const IGNORED = -2;

export interface Matches {
  /** [anchors] index of the box that an anchor belongs to, `BACKGROUND` or `IGNORED`. */
  readonly box: Int32Array;
  /** [anchors] best overlap of an anchor with any box. */
  readonly overlap: Float32Array;
}

/**
 * Assigns anchors [n, 4] to boxes [k, 4] (both corners, one unit). Without boxes all anchors are background.
 *
 * One rule with fields covers the references: SSD and RefineDet in Caffe (Matching strategy, SSD section 2.2) and in
 * PyTorch, the MindSpore zoo's RefineDet, and the maximum-overlap assigner of Faster and Cascade R-CNN.
 *
 * @param areas `boxAreas` of the anchors, for callers that keep them
 * @param near for each box the rising indices of the anchors that it is compared with, for callers who know that it
 *   reaches no threshold with any other; all by default
 * @throws BoxwrightError `shape` if either does not hold four numbers a box.
 */
export function matchAnchors(
  anchors: Float32Array,
  boxes: Float32Array,
  matcher: Matcher,
  areas: Float32Array = boxAreas(anchors, matcher.plusOne),
  near?: readonly Int32Array[],
): Matches {
  const anchorCount = countBoxes(anchors, 'matchAnchors, anchors');
  const boxCount = countBoxes(boxes, 'matchAnchors, boxes');
  const box = new Int32Array(anchorCount);
  const overlap = new Float32Array(anchorCount);
  if (boxCount === 0 || anchorCount === 0) return { box: box.fill(BACKGROUND), overlap };

  const row = new Float32Array(anchorCount);
  const ownAreas = boxAreas(boxes, matcher.plusOne);
  const extra = matcher.plusOne ? 1 : 0;
  const compared = near ?? new Array<Int32Array>(boxCount).fill(upTo(anchorCount));
  const overlapsOf = (j: number): Int32Array => {
    const indices = compared[j];
    for (let k = 0; k < indices.length; k++) row[k] = iou(boxes, ownAreas, j, anchors, areas, indices[k], extra);
    return indices;
  };
  const search: Search = { box, row, overlapsOf, anchor: new Int32Array(boxCount), best: new Float32Array(boxCount) };
  findBest(search, overlap);
  applyThresholds(box, overlap, matcher);
  if (matcher.best?.shared === 'bipartite') giveBipartite(search, matcher.best);
  else if (matcher.best) giveBest(search, matcher.best);
  return { box, overlap };
}

/** Each box's best anchor, and what it takes to look again. */
interface Search {
  /** [boxes] index of the best anchor */
  readonly anchor: Int32Array;
  /** [boxes] its overlap */
  readonly best: Float32Array;
  /** [anchors] result so far, changed */
  readonly box: Int32Array;
  /** Overlaps that `overlapsOf` wrote last, one for each index that it gave. */
  readonly row: Float32Array;
  /** Indices of the anchors that a box is compared with. */
  overlapsOf(box: number): Int32Array;
}

function upTo(count: number): Int32Array {
  const indices = new Int32Array(count);
  for (let i = 0; i < count; i++) indices[i] = i;
  return indices;
}

/** The box of each anchor's largest overlap, and each box's best anchor: the first of equal ones. */
function findBest({ anchor, best, box, row, overlapsOf }: Search, overlap: Float32Array): void {
  for (let j = 0; j < anchor.length; j++) {
    const indices = overlapsOf(j);
    // A box that is compared with nothing reaches no minimum.
    let most = indices.length > 0 ? 0 : -1;
    let first = indices[0] ?? 0;
    for (let k = 0; k < indices.length; k++) {
      const i = indices[k];
      const value = row[k];
      if (value > overlap[i]) {
        overlap[i] = value;
        box[i] = j;
      }
      if (value > most) {
        most = value;
        first = i;
      }
    }
    anchor[j] = first;
    best[j] = most;
  }
}

function applyThresholds(box: Int32Array, overlap: Float32Array, matcher: Matcher): void {
  // The references compare float32 overlaps with the threshold rounded to float32.
  const positive = Math.fround(matcher.positive);
  const negative = Math.fround(matcher.negative ?? matcher.positive);
  const between = matcher.negative === undefined ? BACKGROUND : IGNORED;
  for (let i = 0; i < box.length; i++) {
    const value = overlap[i];
    if (matcher.strict ? value > positive : value >= positive) continue;
    box[i] = value < negative ? BACKGROUND : between;
  }
}

/** Every box's own best anchors; where boxes share one, the box that is written last keeps it. */
function giveBest({ anchor, best, box, row, overlapsOf }: Search, rule: BestAnchorRule): void {
  const minimum = Math.fround(rule.minimum);
  for (let turn = 0; turn < anchor.length; turn++) {
    const j = rule.shared === 'last' ? turn : anchor.length - 1 - turn;
    if (best[j] < minimum) continue;
    box[anchor[j]] = j;
    if (rule.ties === 'first') continue;
    const indices = overlapsOf(j);
    for (let k = 0; k < indices.length; k++) if (row[k] === best[j]) box[indices[k]] = j;
  }
}

/** Largest overlap first; a box whose best anchor is taken searches again among those that are free. */
function giveBipartite({ anchor, best, box, row, overlapsOf }: Search, rule: BestAnchorRule): void {
  const minimum = Math.fround(rule.minimum);
  const taken = new Uint8Array(box.length);
  const done = new Uint8Array(anchor.length);
  for (let turn = 0; turn < anchor.length; turn++) {
    let next = -1;
    for (let j = 0; j < anchor.length; j++) {
      if (done[j] || best[j] < minimum) continue;
      if (next < 0 || best[j] > best[next]) next = j;
    }
    if (next < 0) return;
    box[anchor[next]] = next;
    taken[anchor[next]] = 1;
    done[next] = 1;
    for (let j = 0; j < anchor.length; j++) {
      if (done[j] || anchor[j] !== anchor[next]) continue;
      const indices = overlapsOf(j);
      best[j] = -1;
      for (let k = 0; k < indices.length; k++) {
        if (taken[indices[k]] || row[k] <= best[j]) continue;
        best[j] = row[k];
        anchor[j] = indices[k];
      }
    }
  }
}
