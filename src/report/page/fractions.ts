// Fractions as people read them: in percent, without the sign.

/** 0.1234 as 12.3, a value that is not there as a dash. */
export function percent(fraction: number | null | undefined, digits = 1): string {
  return fraction === null || fraction === undefined || !(fraction >= 0) ? '–' : (100 * fraction).toFixed(digits);
}

/** A difference of two fractions with its sign, in points of percent. */
export function signed(difference: number | null): string {
  if (difference === null) return '–';
  const text = (100 * difference).toFixed(1);
  return difference > 0 && text !== '0.0' ? `+${text}` : text === '-0.0' ? '0.0' : text.replace('-', '−');
}
