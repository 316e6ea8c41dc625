/** The name that takes the fewest single-character edits (Levenshtein) to write instead. */
export function nearestName(given: string, names: readonly string[]): string {
  return names.reduce((best, name) => (edits(given, name) < edits(given, best) ? name : best), names[0] ?? '');
}

/** The nearest name if at most half of the given one would have to change, as after a slip of the finger. */
export function similarName(given: string, names: readonly string[]): string | undefined {
  const nearest = nearestName(given, names);
  return nearest !== '' && edits(given, nearest) <= given.length / 2 ? nearest : undefined;
}

function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}
