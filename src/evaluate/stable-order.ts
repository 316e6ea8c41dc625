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
