/** Rank of each picture by its id, on which equal scores depend: numbers first, rising, then texts by code unit. */
export function ranksOfIds(ids: readonly (number | string)[]): Uint32Array {
  const order = Array.from(ids.keys());
  order.sort((i, j) => compareIds(ids[i], ids[j]));
  const ranks = new Uint32Array(ids.length);
  for (let rank = 0; rank < order.length; rank++) ranks[order[rank]] = rank;
  return ranks;
}

function compareIds(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
