import type { Engine, Session } from '../src/engine/engine.js';
import { elementCount, newArray, type Tensor } from '../src/graph/tensor.js';
import { isInput, leafName, topological, type Value } from '../src/graph/value.js';
import type { Target } from '../src/lowering/index.js';
import { writeLowered } from '../src/lowering/write.js';

/** Numbers in [-scale, scale), always the same. */
export function noise(count: number, scale = 1): Float32Array {
  let state = 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return scale * (state / 2 ** 31 - 1);
  });
}

export function noiseTensor(shape: readonly number[], scale = 1): Tensor {
  return { dtype: 'float32', shape, data: noise(elementCount(shape), scale) };
}

/** Lowers and loads a graph. */
export async function loadGraph(
  engine: Engine,
  outputs: Readonly<Record<string, Value>>,
  target: Target,
  { initializers, profile }: { initializers?: ReadonlyMap<string, Tensor>; profile?: string } = {},
): Promise<Session> {
  const { bytes } = writeLowered({ name: 'bench', outputs, initializers }, target);
  return engine.load(bytes, { profile });
}

/** The inputs that a graph reads, by name. */
export function inputsOf(outputs: readonly Value[]): Map<string, Value> {
  const values = topological(outputs)
    .map((node) => node.outputs[0])
    .filter(isInput);
  return new Map(values.map((value) => [leafName(value), value]));
}

export function zeroTensor(value: Value): Tensor {
  return {
    dtype: value.dtype,
    shape: value.staticShape,
    data: newArray(value.dtype, elementCount(value.staticShape)),
  } as Tensor;
}
