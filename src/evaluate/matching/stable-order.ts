/** Ranges up to this length are sorted by insertion, which is faster there. */
const insertionLength = 16;

/**
 * Sorts the indices `order[from..to)` by falling `scores[index]`; equal scores keep their order, on which the published
 * metrics depend.
 *
 * @param scratch at least as long as `order`; overwritten.
 */
export function sortByFallingScore(
  order: Uint32Array,
  scores: Float64Array,
  scratch: Uint32Array,
  from = 0,
  to = order.length,
): void {
  for (let start = from; start < to; start += insertionLength) {
    insertionSort(order, scores, start, Math.min(start + insertionLength, to));
  }
  let source = order;
  let target = scratch;
  for (let width = insertionLength; width < to - from; width *= 2) {
    for (let start = from; start < to; start += 2 * width) {
      const middle = Math.min(start + width, to);
      merge(source, target, scores, start, middle, Math.min(middle + width, to));
    }
    [source, target] = [target, source];
  }
  if (source !== order) order.set(source.subarray(from, to), from);
}

function insertionSort(order: Uint32Array, scores: Float64Array, from: number, to: number): void {
  for (let i = from + 1; i < to; i++) {
    const index = order[i];
    const score = scores[index];
    let j = i;
    for (; j > from && scores[order[j - 1]] < score; j--) order[j] = order[j - 1];
    order[j] = index;
  }
}

function merge(
  source: Uint32Array,
  target: Uint32Array,
  scores: Float64Array,
  from: number,
  middle: number,
  to: number,
): void {
  let left = from;
  let right = middle;
  for (let at = from; at < to; at++) {
    const takeLeft = left < middle && (right >= to || scores[source[left]] >= scores[source[right]]);
    target[at] = takeLeft ? source[left++] : source[right++];
  }
}

/** Ranges up to this length are merged: a radix sort's tables cost more there. */
const mergeLength = 256;
const digitBits = 11;
const digits = 1 << digitBits;

/**
 * Gives 0 … length − 1 by falling `scores[i]`; equal scores by rising i. Not for NaN.
 *
 * A radix sort by the upper 32 bits of the float64, then the few neighbours that agree in those by what is left.
 *
 * @param order gets the places, at least `[length]`.
 * @param scratch at least `[3 · length]`; overwritten.
 */
export function sortPlacesByFallingScore(
  scores: Float64Array,
  length: number,
  order: Uint32Array,
  scratch: Uint32Array,
): void {
  if (length <= mergeLength) {
    for (let i = 0; i < length; i++) order[i] = i;
    sortByFallingScore(order, scores, scratch, 0, length);
    return;
  }
  const keys = scratch.subarray(0, length);
  const others = scratch.subarray(length, 2 * length);
  const otherOrder = scratch.subarray(2 * length, 3 * length);
  fallingKeys(scores, keys);
  // Three passes of 11, 11 and 10 bits: others ← keys ← others, so that the sorted ones end in `order`.
  for (let i = 0; i < length; i++) otherOrder[i] = i;
  scatter(keys, otherOrder, others, order, 0);
  scatter(others, order, keys, otherOrder, digitBits);
  scatter(keys, otherOrder, others, order, 2 * digitBits);
  sortWithinEqualKeys(others, order, scores, length, keys);
}

/** Whole numbers that rise as scores fall; scores that differ in the last bits alone share one. */
function fallingKeys(scores: Float64Array, keys: Uint32Array): void {
  const words = new Uint32Array(scores.buffer, scores.byteOffset, 2 * keys.length);
  for (let i = 0; i < keys.length; i++) {
    const high = words[2 * i + upperWord];
    // As whole numbers, positive floats rise with their value and negative ones fall; −0 is 0.
    keys[i] = high >>> 31 ? (high === 0x80000000 && scores[i] === 0 ? 0x7fffffff : high) : 0x7fffffff - high;
  }
}

/** Which half of a float64 has the sign and the exponent: the second on little-endian machines. */
const upperWord = new Uint8Array(Uint16Array.of(1).buffer)[0];

const counts = new Uint32Array(digits);

function scatter(
  keys: Uint32Array,
  order: Uint32Array,
  toKeys: Uint32Array,
  toOrder: Uint32Array,
  shift: number,
): void {
  const { length } = keys;
  counts.fill(0);
  for (let i = 0; i < length; i++) counts[(keys[i] >>> shift) & (digits - 1)]++;
  let sum = 0;
  for (let digit = 0; digit < digits; digit++) {
    const count = counts[digit];
    counts[digit] = sum;
    sum += count;
  }
  for (let i = 0; i < length; i++) {
    const key = keys[i];
    const place = counts[(key >>> shift) & (digits - 1)]++;
    toKeys[place] = key;
    toOrder[place] = order[i];
  }
}

function sortWithinEqualKeys(
  keys: Uint32Array,
  order: Uint32Array,
  scores: Float64Array,
  length: number,
  scratch: Uint32Array,
): void {
  let start = 0;
  for (let i = 1; i <= length; i++) {
    if (i < length && keys[i] === keys[start]) continue;
    if (i - start > 1) sortByFallingScore(order, scores, scratch, start, i);
    start = i;
  }
}
