import { BACKGROUND } from './matcher.js';

/** How many anchors or RoIs of a picture learn. Plain data. */
export interface SampleSizes {
  /** All of them. */
  readonly samples: number;
  /** At most so many positives; what is left is filled with negatives. */
  readonly positives: number;
}

/** Chooses `count` of `candidates` (rising indices, more than `count`). */
export type Choose = (candidates: Int32Array, count: number) => Int32Array;

/** The chosen ones, in the order in which they were chosen. */
export interface Sampled {
  readonly positives: Int32Array;
  readonly negatives: Int32Array;
}

/**
 * Chooses which anchors learn (Fast R-CNN, section 2.3): positives up to their limit, then negatives until all places
 * are taken. Ignored anchors never learn.
 *
 * @param box [anchors] of `Matches`
 */
export function sampleMatches(box: Int32Array, { samples, positives }: SampleSizes, choose: Choose): Sampled {
  const chosen = atMost(
    indicesWhere(box, (j) => j >= 0),
    Math.min(positives, samples),
    choose,
  );
  const background = indicesWhere(box, (j) => j === BACKGROUND);
  return { positives: chosen, negatives: atMost(background, samples - chosen.length, choose) };
}

/** A choice in which every set of candidates is equally likely. */
export function chooseAtRandom(random: () => number): Choose {
  return (candidates, count) => {
    // The first steps of a Fisher–Yates shuffle.
    const pool = Int32Array.from(candidates);
    for (let i = 0; i < count; i++) {
      const j = i + Math.floor(random() * (pool.length - i));
      [pool[i], pool[j]] = [pool[j], pool[i]];
    }
    return pool.slice(0, count);
  };
}

function atMost(candidates: Int32Array, count: number, choose: Choose): Int32Array {
  return candidates.length > count ? choose(candidates, count) : candidates;
}

function indicesWhere(box: Int32Array, holds: (box: number) => boolean): Int32Array {
  const indices = new Int32Array(box.length);
  let count = 0;
  for (let i = 0; i < box.length; i++) if (holds(box[i])) indices[count++] = i;
  return indices.slice(0, count);
}
