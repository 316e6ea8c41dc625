import type { Value } from '../graph/value.js';
import { type LoweringTable, lower, type Target } from './lower.js';
import { reference } from './reference.js';

export type { Target } from './lower.js';

/** The forms for a target: fast ones first where it asks for them, the reference form behind. */
export function loweringTable(_target: Target): LoweringTable {
  return reference;
}

/** Rewrites `outputs` for a target; see `lower`. */
export function lowerFor(outputs: readonly Value[], target: Target): Value[] {
  return lower(outputs, loweringTable(target), target);
}
