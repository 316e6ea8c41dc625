import assert from 'node:assert/strict';
import { readGolden } from '../golden.js';

export interface GoldenArrays {
  /** Elements of a float32 tensor. */
  floats(name: string): Float32Array;
  /** Elements of an integer or bool tensor, as numbers. */
  integers(name: string): number[];
}

/** The tensors of a recorded file by name; a name that is not there fails the test. */
export async function openGolden(path: string): Promise<GoldenArrays> {
  const { tensors } = await readGolden(path);
  const find = (name: string) => tensors.get(name) ?? assert.fail(`${path} has no ${name}`);
  return {
    floats(name) {
      const { data } = find(name);
      assert.ok(data instanceof Float32Array, `${name} is float32`);
      return data;
    },
    integers(name) {
      return Array.from(find(name).data as ArrayLike<number | bigint>, Number);
    },
  };
}

/** Every value within atol + rtol · |expected|. */
export function assertClose(actual: Float32Array, expected: Float32Array, rtol: number, atol: number): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    const within = Math.abs(actual[i] - expected[i]) <= atol + rtol * Math.abs(expected[i]);
    assert.ok(within, `value ${i}: ${actual[i]}, expected ${expected[i]}`);
  }
}

/** Columns `from` to `from` + `count` of rows of `width`: [n, width] to [n, count]. */
export function columns(rows: Float32Array, width: number, from: number, count: number): Float32Array {
  const result = new Float32Array((rows.length / width) * count);
  return result.map((_, i) => rows[Math.floor(i / count) * width + from + (i % count)]);
}
