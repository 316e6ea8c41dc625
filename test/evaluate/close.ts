import assert from 'node:assert/strict';

/** Holds where `found` is within `tolerance` of `expected`, or both are null. */
export function close(found: number | null, expected: number | null, tolerance: number, what: string): void {
  if (expected === null || found === null) assert.equal(found, expected, what);
  else assert.ok(Math.abs(found - expected) <= tolerance, `${what} is ${found}, expected ${expected}`);
}
