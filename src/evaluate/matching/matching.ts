/** The overlap that a match needs: at a threshold of 1 a bit less, as rounding can keep equal boxes from an IoU of 1. */
export function leastOverlap(threshold: number): number {
  return Math.min(threshold, 1 - 1e-10);
}

/** A mask with the lowest `count` bits set, of at most 32. */
export function allBits(count: number): number {
  return count === 32 ? 0xffffffff : 2 ** count - 1;
}
