import { type Random, randomStream } from '../src/data/augment/random.js';
import { mutations } from './mutations.js';
import { loadTarget } from './targets.js';

/** The files that a target's reader is given: number `k` of a seed is always the same. */
export interface Cases {
  /** Valid files come first, this many. */
  readonly valid: number;
  bytes(number: number): Uint8Array;
}

/**
 * Valid files as they are; then, in turns, valid files cut short (every one at every byte, in a shuffled order, so that a
 * short run meets all kinds of boundaries) and valid files with one to four mutations.
 */
export async function casesOf(name: string, seed: number): Promise<Cases> {
  const { samples, mutations: own } = await loadTarget(name);
  const cuts = samples.flatMap((sample) => Array.from(sample, (_, length) => sample.subarray(0, length)));
  const stream = hash(name);
  const shuffle = randomStream(seed, ~stream, 0);
  const order = Uint32Array.from(cuts, (_, i) => i);
  for (let i = order.length - 1; i > 0; i--) {
    const j = shuffle.int(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  const mutated = (random: Random) => {
    const all = [...mutations, ...own, ...own]; // those that know the format reach deeper
    let bytes = samples[random.int(samples.length)];
    for (let n = 1 + random.int(4); n > 0; n--) bytes = all[random.int(all.length)](bytes, random, samples);
    return bytes;
  };
  return {
    valid: samples.length,
    bytes(number) {
      if (number < samples.length) return samples[number];
      const cut = (number - samples.length) / 2;
      if (Number.isInteger(cut) && cut < cuts.length) return cuts[order[cut]].slice();
      return mutated(randomStream(seed, stream, number));
    },
  };
}

/** FNV-1a: a target's cases do not change when others join. */
function hash(text: string): number {
  return Array.from(text).reduce((sum, letter) => Math.imul(sum ^ letter.charCodeAt(0), 0x01000193), 0x811c9dc5);
}
