import assert from 'node:assert/strict';
import * as ort from 'onnxruntime-node';
import { gradient } from '../../src/graph/gradient.js';
import { input, mul, reduceSum, type Tensor, type Value } from '../../src/graph/index.js';
import { writeOnnx } from '../../src/graph/onnx/write.js';
import type { Target } from '../../src/lowering/index.js';
import { lowerFor } from '../../src/lowering/index.js';

export const referenceTarget: Target = { provider: 'cpu', form: 'reference' };
export const fastTarget: Target = { provider: 'cpu', form: 'fast' };

/** Deterministic values in [-1, 1): small, unequal, never exactly 0. */
export function pseudo(count: number, seed: number): Float32Array {
  const values = new Float32Array(count);
  let state = (seed * 2654435761) >>> 0;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = ((state >>> 8) + 0.5) / 2 ** 23 - 1;
  }
  return values;
}

export interface Runner {
  run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>>;
  readonly session: ort.InferenceSession;
}

/** Lowers, writes and loads a graph. */
export async function runner(outputs: Record<string, Value>, target: Target = referenceTarget): Promise<Runner> {
  const names = Object.keys(outputs);
  const lowered = lowerFor(Object.values(outputs), target);
  const { bytes } = writeOnnx({
    name: 'test',
    outputs: Object.fromEntries(names.map((name, i) => [name, lowered[i]])),
  });
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  requireRuntimeAgrees(session, names, lowered);
  return {
    session,
    async run(feeds) {
      const used = session.inputNames.map((name) => [name, toOrt(feeds[name])] as const);
      const results = await session.run(Object.fromEntries(used));
      return Object.fromEntries(
        names.map((name) => [
          name,
          { dtype: results[name].type, shape: results[name].dims, data: results[name].data } as Tensor,
        ]),
      );
    },
  };
}

function toOrt({ dtype, data, shape }: Tensor): ort.Tensor {
  return new ort.Tensor(dtype as 'float32', data as Float32Array, shape as number[]);
}

/** The runtime infers shapes too: a known dimension of ours must be its dimension. */
function requireRuntimeAgrees(session: ort.InferenceSession, names: readonly string[], values: readonly Value[]): void {
  for (const meta of session.outputMetadata) {
    const value = values[names.indexOf(meta.name)];
    if (!meta.isTensor) assert.fail(`${meta.name} is no tensor`);
    assert.equal(meta.shape.length, value.rank, `${meta.name}: the runtime's rank`);
    meta.shape.forEach((dim, axis) => {
      const own = value.shape[axis];
      if (typeof dim === 'number' && typeof own === 'number')
        assert.equal(dim, own, `${meta.name}, axis ${axis}: runtime against ours`);
    });
  }
}

export interface GradientCase {
  readonly name: string;
  /** Inputs by shape; float32 unless a tensor is given. */
  readonly inputs: Readonly<Record<string, readonly number[] | Tensor>>;
  readonly build: (inputs: Record<string, Value>) => Value;
  /** Inputs to differentiate by; default all that are given by shape. */
  readonly wrt?: readonly string[];
  /** Maps the pseudo-random values, to keep away from kinks. */
  readonly values?: (value: number, index: number) => number;
  readonly step?: number;
  readonly tolerance?: number;
}

/**
 * Checks a gradient against central differences of Σ y·v with pseudo-random v, summed in float64 on the host.
 * Every element of small inputs is checked, else 40 of them.
 */
export async function checkGradient(test: GradientCase, target: Target = referenceTarget): Promise<void> {
  const feeds: Record<string, Tensor> = {};
  const values: Record<string, Value> = {};
  Object.entries(test.inputs).forEach(([name, given], seed) => {
    if ('data' in given) feeds[name] = given;
    else {
      const count = given.reduce((product, dim) => product * dim, 1);
      const data = pseudo(count, seed + 1);
      feeds[name] = { dtype: 'float32', shape: given, data: test.values ? data.map(test.values) : data };
    }
    values[name] = input(name, feeds[name].dtype, feeds[name].shape);
  });
  const wrt = test.wrt ?? Object.keys(test.inputs).filter((name) => !('data' in test.inputs[name]));
  const y = test.build(values);
  const weights = pseudo(
    y.staticShape.reduce((product, dim) => product * dim, 1),
    99,
  );
  const direction = input('direction', 'float32', y.shape);
  feeds.direction = { dtype: 'float32', shape: y.staticShape, data: weights };
  const gradients = gradient(
    reduceSum(mul(y, direction)),
    wrt.map((name) => values[name]),
  );
  const backward = await runner(Object.fromEntries(wrt.map((name, i) => [`d_${name}`, gradients[i]])), target);
  const forward = await runner({ y }, target);
  const results = await backward.run(feeds);
  const project = async () => {
    const { y: out } = await forward.run(feeds);
    return (out.data as Float32Array).reduce((sum, value, i) => sum + value * weights[i], 0);
  };
  for (const name of wrt) {
    const data = feeds[name].data as Float32Array;
    const analytic = results[`d_${name}`].data as Float32Array;
    assert.deepEqual(results[`d_${name}`].shape, feeds[name].shape);
    const step = test.step ?? 1e-2;
    const scale = Math.max(...analytic.map(Math.abs), 1e-3);
    const every = Math.max(1, Math.floor(data.length / 40));
    for (let i = 0; i < data.length; i += every) {
      const original = data[i];
      data[i] = original + step;
      const above = await project();
      const up = data[i];
      data[i] = original - step;
      const below = await project();
      const numeric = (above - below) / (up - data[i]);
      data[i] = original;
      const error = Math.abs(numeric - analytic[i]);
      assert.ok(
        error <= (test.tolerance ?? 5e-3) * Math.max(scale, Math.abs(numeric)),
        `${test.name}: d ${name}[${i}] is ${analytic[i]}, finite differences give ${numeric}`,
      );
    }
  }
}
