/** Powers of ten that a float64 holds exactly. */
const powers = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
const exact = 2 ** 53;
/** 2²⁷ + 1, which splits a float64 into two halves whose products are exact. */
const splitter = 2 ** 27 + 1;

/**
 * The float64 nearest to (high · 10^`lowDigits` + low) / 10^`scale`, ties to even, as `Number` reads such a decimal: by
 * one division where that is exact, else in double-double arithmetic.
 *
 * @param high whole, below 10⁹.
 * @param low whole, below 10^`lowDigits`; `lowDigits` is at most 9.
 * @param scale at most 22.
 * @returns NaN where twice the precision does not tell on which side of a tie the decimal lies: ask `Number`.
 */
export function nearestDecimal(high: number, low: number, lowDigits: number, scale: number): number {
  if (lowDigits === 0) return high / powers[scale];
  const factor = powers[lowDigits];
  const product = high * factor;
  if (product + low < exact) return (product + low) / powers[scale];
  // The whole number as a sum of two float64s, exactly.
  const top = product + low;
  const rest = productError(high, factor, product) + (low - (top - product));
  const divisor = powers[scale];
  const quotient = top / divisor;
  const back = quotient * divisor;
  const remainder = top - back - productError(quotient, divisor, back) + rest;
  const correction = remainder / divisor;
  // What is neglected above is below 2⁻⁹⁵ of the quotient.
  const doubt = quotient * 2 ** -95;
  const nearest = quotient + (correction - doubt);
  return nearest === quotient + (correction + doubt) ? nearest : Number.NaN;
}

/** a · b − `product`, exactly, `product` being a · b as rounded (Dekker 1971). */
function productError(a: number, b: number, product: number): number {
  const aWide = splitter * a;
  const bWide = splitter * b;
  const aHigh = aWide - (aWide - a);
  const bHigh = bWide - (bWide - b);
  const aLow = a - aHigh;
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}
