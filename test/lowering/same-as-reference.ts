import assert from 'node:assert/strict';
import { gradient, input, mul, reduceSum, type Tensor, type Value } from '../../src/graph/index.js';
import { withReference } from '../../src/lowering/index.js';
import { type LoweringTable, lower, type Target } from '../../src/lowering/lower.js';
import { fastTarget, pseudo, referenceTarget, runner } from '../graph/harness.js';

/** |a − b| ≤ tolerance · the largest |b|. */
export function assertClose(a: Float32Array, b: Float32Array, tolerance: number, what: string): void {
  assert.equal(a.length, b.length, what);
  const scale = b.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-6);
  a.forEach((value, i) => {
    assert.ok(Math.abs(value - b[i]) <= tolerance * scale, `${what}[${i}]: ${value} against ${b[i]}`);
  });
}

export interface FormCase {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly build: (inputs: Record<string, Value>) => Value;
  /** Maps the pseudo-random input values, to make ties for example. */
  readonly values?: (value: number, index: number) => number;
  readonly tolerance?: number;
  /** Fast forms to test in place of the CPU's whole table. */
  readonly forms?: LoweringTable;
}

function lowerNamed(outputs: Record<string, Value>, table: LoweringTable, target: Target): Record<string, Value> {
  const lowered = lower(Object.values(outputs), table, target);
  return Object.fromEntries(Object.keys(outputs).map((name, i) => [name, lowered[i]]));
}

/** Runs a graph and its gradients in the reference and in the fast forms, and compares every result. */
export async function assertSameAsReference({
  shapes,
  build,
  values,
  tolerance = 1e-5,
  forms,
}: FormCase): Promise<void> {
  const names = Object.keys(shapes);
  const inputs = Object.fromEntries(names.map((name) => [name, input(name, 'float32', shapes[name])]));
  const y = build(inputs);
  const direction = input('direction', 'float32', y.shape);
  const gradients = gradient(
    reduceSum(mul(y, direction)),
    names.map((name) => inputs[name]),
  );
  const outputs = { y, ...Object.fromEntries(names.map((name, i) => [`d_${name}`, gradients[i]])) };
  const feeds: Record<string, Tensor> = {};
  [...names, 'direction'].forEach((name, seed) => {
    const shape = shapes[name] ?? y.staticShape;
    const data = pseudo(
      shape.reduce((product, dim) => product * dim, 1),
      seed + 1,
    );
    feeds[name] = { dtype: 'float32', shape, data: values && name !== 'direction' ? data.map(values) : data };
  });
  const expected = await (await runner(outputs, referenceTarget)).run(feeds);
  const target = fastTarget;
  const found = forms
    ? await (await runner(lowerNamed(outputs, withReference(forms), target), referenceTarget)).run(feeds)
    : await (await runner(outputs, target)).run(feeds);
  for (const name of Object.keys(outputs))
    assertClose(found[name].data as Float32Array, expected[name].data as Float32Array, tolerance, name);
}
