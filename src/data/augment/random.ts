/** The random numbers that an augmentation draws, so that a test can play back a recorded stream. */
export interface Random {
  /** A number from low (inclusive) to high (exclusive). */
  uniform(low: number, high: number): number;
  /** A whole number from 0 to n - 1. */
  int(n: number): number;
  /** The index of one of n options; apart from `int` only so that recorded streams stay readable. */
  choice(n: number): number;
}

/** Stands for "no picture" where a stream belongs to a whole epoch, such as its order. */
const WHOLE_EPOCH = 0xffffffff;

/**
 * An independent stream for each (seed, epoch, index): sfc32 (Chris Doty-Humphrey's Small Fast Counting generator) started
 * from the three numbers. What a picture gets depends on nothing else, least of all on the number of workers.
 */
export function randomStream(seed: number, epoch: number, index: number): Random {
  let a = seed | 0;
  let b = epoch | 0;
  let c = index | 0;
  let counter = 1;
  const next = () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return (t >>> 0) / 2 ** 32;
  };
  // As many rounds as it takes for close seeds to have nothing in common.
  for (let round = 0; round < 16; round++) next();
  const int = (n: number) => Math.floor(next() * n);
  return { uniform: (low, high) => low + (high - low) * next(), int, choice: int };
}

/** A permutation of 0 … count - 1 for an epoch (Fisher–Yates). */
export function shuffledOrder(count: number, seed: number, epoch: number): Uint32Array {
  const random = randomStream(seed, epoch, WHOLE_EPOCH);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.int(i + 1);
    const kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
  return order;
}
