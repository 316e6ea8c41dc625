// Runs model graphs with given parameters, as training and evaluation do: parameters as state of an engine.
import type { Engine, Session, State } from '../../src/engine/engine.js';
import { elementCount, type Tensor } from '../../src/graph/tensor.js';
import type { Value } from '../../src/graph/value.js';
import type { Target } from '../../src/lowering/index.js';
import { writeLowered } from '../../src/lowering/write.js';
import type { ParameterSpec } from '../../src/nn/parameters.js';

export const reference: Target = { provider: 'cpu', form: 'reference' };
export const fast: Target = { provider: 'cpu', form: 'fast' };

export async function load(engine: Engine, outputs: Record<string, Value>, target: Target): Promise<Session> {
  return engine.load(writeLowered({ name: 'test', outputs }, target).bytes);
}

/** Runs a graph once on the feeds and parameters. */
export async function runOnce(
  engine: Engine,
  outputs: Record<string, Value>,
  feeds: Record<string, Tensor>,
  target: Target,
  state?: State,
): Promise<Record<string, Tensor>> {
  const session = await load(engine, outputs, target);
  const results = await session.run(feeds, { state });
  await session.dispose();
  return results;
}

/** A tensor for each parameter. */
export function fill(
  specs: Iterable<ParameterSpec>,
  values: (spec: ParameterSpec) => Float32Array,
): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {};
  for (const spec of specs) {
    const data = values(spec);
    if (data.length !== elementCount(spec.shape)) throw new Error(`${spec.name}: ${data.length} values`);
    tensors[spec.name] = { dtype: 'float32', shape: spec.shape, data };
  }
  return tensors;
}

export function float32(shape: readonly number[], data: Float32Array): Tensor<'float32'> {
  return { dtype: 'float32', shape, data };
}
