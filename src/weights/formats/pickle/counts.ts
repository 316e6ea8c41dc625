import { PickleProblem } from './values.js';

/** A shape, or strides, as a pickle gives them. */
export function countsOf(value: unknown, what: string): number[] {
  if (!Array.isArray(value)) throw new PickleProblem(`${what} is no tuple of whole numbers`);
  // numpy's and PyTorch's own bound.
  if (value.length > 64) throw new PickleProblem(`${what} has ${value.length} dimensions; up to 64 are read`);
  return value.map((item) => countOf(item, what));
}

/** A length, a size or an offset as a pickle gives it; `what` is its name in errors. */
export function countOf(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  const found = typeof value === 'number' || typeof value === 'bigint' ? value : `of type ${typeof value}`;
  throw new PickleProblem(`${what} is ${found}, expected a whole number from 0`);
}
