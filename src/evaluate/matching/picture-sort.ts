/** Places of n entries by the picture that each is of, entries of a picture in the order given. */
export interface ByPicture {
  /** Entries of picture p are `order[starts[p]]` to `order[starts[p + 1]]`; `[pictures + 1]`. */
  readonly starts: Uint32Array;
  /** `[n]`, or undefined where the entries are in this order already. */
  readonly order: Uint32Array | undefined;
}

/** Counting sort of entries by `pictures[i]`, which are below `count`. */
export function sortByPicture(pictures: Uint32Array, count: number): ByPicture {
  const starts = new Uint32Array(count + 1);
  let sorted = true;
  for (let i = 0; i < pictures.length; i++) {
    starts[pictures[i] + 1]++;
    if (i > 0 && pictures[i] < pictures[i - 1]) sorted = false;
  }
  for (let p = 0; p < count; p++) starts[p + 1] += starts[p];
  if (sorted) return { starts, order: undefined };
  const next = starts.slice();
  const order = new Uint32Array(pictures.length);
  for (let i = 0; i < pictures.length; i++) order[next[pictures[i]]++] = i;
  return { starts, order };
}

/** The column in a new order, `width` numbers an entry. */
export function reordered<T extends Float64Array | Uint32Array | Uint8Array>(
  column: T,
  order: Uint32Array | undefined,
  width = 1,
): T {
  if (!order) return column;
  const out = column.slice() as T;
  for (let i = 0; i < order.length; i++) {
    for (let c = 0; c < width; c++) out[width * i + c] = column[width * order[i] + c];
  }
  return out;
}
