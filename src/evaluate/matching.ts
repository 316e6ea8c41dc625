import type { Overlaps } from './overlaps.js';

/** What matching needs to know of one class's truths in one picture and one area range; `[truths]` each. */
export interface TruthState {
  /** 1: neither found nor missed counts (a crowd region, or outside the area range). */
  readonly ignored: Uint8Array;
  /** 1: takes any number of detections. */
  readonly crowd: Uint8Array;
}

/**
 * COCO's greedy matching at one IoU threshold. Each detection, by falling score, takes the free truth that it overlaps
 * most (the last of equal ones) if that reaches `threshold`; ignored truths are looked at only if no counted one does.
 *
 * @param overlaps rows by falling score.
 * @param matches gets each detection's truth, or -1; `[detections]`.
 * @param taken scratch, at least `[truths]`.
 */
export function matchDetections(
  overlaps: Overlaps,
  { ignored, crowd }: TruthState,
  threshold: number,
  matches: Int32Array,
  taken: Uint8Array,
): void {
  const { detections, truths, values, reach } = overlaps;
  const least = leastOverlap(threshold);
  taken.fill(0, 0, truths);
  for (let d = 0; d < detections; d++) {
    matches[d] = -1;
    if (reach[d] < least) continue;
    for (let ignoredOnes = 0; ignoredOnes < 2 && matches[d] < 0; ignoredOnes++) {
      let best = least;
      for (let g = 0; g < truths; g++) {
        if (ignored[g] !== ignoredOnes || (taken[g] && !crowd[g])) continue;
        const overlap = values[d * truths + g];
        if (overlap < best) continue;
        best = overlap;
        matches[d] = g;
      }
    }
    if (matches[d] >= 0) taken[matches[d]] = 1;
  }
}

/** The overlap that a match needs: at a threshold of 1 a bit less, as rounding can keep equal boxes from an IoU of 1. */
export function leastOverlap(threshold: number): number {
  return Math.min(threshold, 1 - 1e-10);
}

/** A mask with the lowest `count` bits set, of at most 32. */
export function allBits(count: number): number {
  return count === 32 ? 0xffffffff : 2 ** count - 1;
}
