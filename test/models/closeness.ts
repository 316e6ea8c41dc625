import assert from 'node:assert/strict';
import type { Tensor } from '../../src/graph/tensor.js';

/** Largest |a − b| / max(|b|, scale): a relative error that does not blow up where b is near zero. */
export function worstError(actual: ArrayLike<number>, expected: ArrayLike<number>, scale = rms(expected)): number {
  assert.equal(actual.length, expected.length);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    if (!Number.isFinite(error)) assert.fail(`value ${i}: ${actual[i]}, expected ${expected[i]}`);
    if (error > 0) worst = Math.max(worst, error / Math.max(Math.abs(expected[i]), scale));
  }
  return worst;
}

export function rms(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ** 2;
  return Math.sqrt(sum / Math.max(values.length, 1));
}

/** Euclidean length, summed in float64. */
export function norm(values: ArrayLike<number>): number {
  return rms(values) * Math.sqrt(values.length);
}

/** Every stride-th of the flat elements, `count` of them. */
export function sample({ data }: Tensor, stride: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => Number(data[i * stride]));
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** Collects errors by name and fails with the worst of them. */
export class Errors {
  readonly #errors = new Map<string, number>();

  add(name: string, error: number): void {
    this.#errors.set(name, Math.max(error, this.#errors.get(name) ?? 0));
  }

  get count(): number {
    return this.#errors.size;
  }

  get worst(): readonly [string, number] {
    return [...this.#errors].reduce((worst, entry) => (entry[1] > worst[1] ? entry : worst), ['none', 0] as const);
  }

  get median(): number {
    return median([...this.#errors.values()]);
  }

  assertBelow(limit: number, what: string): void {
    const [name, error] = this.worst;
    assert.ok(error <= limit, `${what}: ${name} is off by ${error.toExponential(2)}, allowed ${limit}`);
  }

  toString(): string {
    const [name, error] = this.worst;
    return `worst relative error ${error.toExponential(2)} (${name}), median ${this.median.toExponential(1)}, of ${this.#errors.size}`;
  }
}
