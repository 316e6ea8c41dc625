import assert from 'node:assert/strict';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import * as ort from 'onnxruntime-node';
import { gradient } from '../../src/graph/gradient.js';
import { input, mul, reduceSum, type Tensor, type Value } from '../../src/graph/index.js';
import { ModelProtoSchema } from '../../src/graph/onnx/onnx_pb.js';
import { writeOnnx } from '../../src/graph/onnx/write.js';
import type { PoolAttributes } from '../../src/graph/ops/pooling.js';
import { isLeaf, leafName, topological } from '../../src/graph/value.js';
import type { Target } from '../../src/lowering/index.js';
import { lowerFor } from '../../src/lowering/index.js';

/** The tests of operators run on another provider where this says so; test/engine/webgpu.full.test.ts does. */
const provider = (process.env.BOXWRIGHT_TEST_PROVIDER ?? 'cpu') as Target['provider'];
const sessionOptions = { executionProviders: [provider], intraOpNumThreads: 1, logSeverityLevel: 3 } as const;

export const referenceTarget: Target = { provider, form: 'reference' };
export const fastTarget: Target = { provider, form: 'fast' };

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

export function floats(shape: readonly number[], data: readonly number[]): Tensor<'float32'> {
  return { dtype: 'float32', shape, data: Float32Array.from(data) };
}

export function integers(shape: readonly number[], data: readonly number[]): Tensor<'int64'> {
  return { dtype: 'int64', shape, data: BigInt64Array.from(data, BigInt) };
}

export interface Runner {
  run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>>;
  readonly session: ort.InferenceSession;
}

/** Lowers, writes and loads a graph, and checks the shapes of all that is in it. */
export async function runner(outputs: Record<string, Value>, target: Target = referenceTarget): Promise<Runner> {
  const names = Object.keys(outputs);
  const lowered = lowerFor(Object.values(outputs), target);
  await checkLowered(lowered);
  const model = writeOnnx({
    name: 'test',
    outputs: Object.fromEntries(names.map((name, i) => [name, lowered[i]])),
  });
  const session = await ort.InferenceSession.create(model.bytes, sessionOptions);
  return {
    session,
    async run(feeds) {
      const used = session.inputNames.map((name) => [name, toOrt(feeds[name])] as const);
      const results = await session.run(Object.fromEntries(used));
      return Object.fromEntries(names.map((name) => [name, fromOrt(results[name])]));
    },
  };
}

/** Runs a graph once. */
export async function evaluate(
  outputs: Record<string, Value>,
  feeds: Record<string, Tensor> = {},
  target: Target = referenceTarget,
): Promise<Record<string, Tensor>> {
  return (await runner(outputs, target)).run(feeds);
}

/** The numbers of a tensor, for comparisons. */
export function numbersOf(tensor: Tensor): number[] {
  return Array.from(tensor.data as ArrayLike<number | bigint>, Number);
}

function toOrt({ dtype, data, shape }: Tensor): ort.Tensor {
  return new ort.Tensor(dtype as 'float32', data as Float32Array, shape as number[]);
}

function fromOrt(tensor: ort.Tensor): Tensor {
  return { dtype: tensor.type, shape: tensor.dims, data: tensor.data } as Tensor;
}

/**
 * Checks every value of the lowered graph, intermediate ones too, against the runtime's own shape inference: its element
 * type and rank must be ours, and a dimension that both know must be equal. With `feeds` the graph also runs, and every
 * dimension, the expressions of free ones included, must be what we said. Gives the number of values checked.
 */
export async function checkShapes(
  outputs: Record<string, Value> | readonly Value[],
  target: Target = referenceTarget,
  feeds?: Record<string, Tensor>,
): Promise<number> {
  return checkLowered(lowerFor(Object.values(outputs), target), feeds);
}

async function checkLowered(lowered: readonly Value[], feeds?: Record<string, Tensor>): Promise<number> {
  const values = topological(lowered).flatMap((node) => (isLeaf(node.outputs[0]) ? [] : node.outputs));
  if (!values.length) return 0;
  const trusted = !values.some(isOvercounted);
  const written = writeOnnx({
    name: 'twin',
    outputs: Object.fromEntries(values.map((value, i) => [`value ${i}`, value])),
  });
  const session = await ort.InferenceSession.create(withoutOutputShapes(written.bytes), {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
    graphOptimizationLevel: 'disabled',
  });
  for (const meta of session.outputMetadata) {
    const value = values[Number(meta.name.slice('value '.length))];
    if (!meta.isTensor) assert.fail(`${value} is no tensor to the runtime`);
    assert.equal(meta.type, value.dtype, `${value}: the runtime's element type`);
    // Without any knowledge of the shape the runtime reports no dimensions.
    if (meta.shape.length === 0 || !trusted) continue;
    assert.equal(meta.shape.length, value.rank, `${value}: the runtime's rank`);
    meta.shape.forEach((dim, axis) => {
      const own = value.shape[axis];
      if (typeof dim === 'number' && typeof own === 'number')
        assert.equal(own, dim, `${value}, axis ${axis}: ours against the runtime's`);
    });
  }
  if (feeds) await checkRun(session, lowered, values, feeds);
  await session.release();
  return values.length;
}

/**
 * The shape rule of ONNX before opset 22 counts a window in ceil mode that starts behind the input; the runtime's kernel
 * does not, and neither do we. What follows in such a graph is then off, too.
 */
function isOvercounted({ node, shape, index }: Value): boolean {
  const { type } = node.operator;
  if ((type !== 'MaxPool' && type !== 'AveragePool') || node.attributes.ceil_mode !== 1 || index > 0) return false;
  const { kernel_shape, strides, pads } = node.attributes as unknown as PoolAttributes;
  return [0, 1].some((i) => {
    const dim = node.inputs[0]?.shape[2 + i];
    if (typeof dim !== 'number') return false;
    return shape[2 + i] !== Math.ceil((dim + pads[i] + pads[i + 2] - kernel_shape[i]) / strides[i]) + 1;
  });
}

async function checkRun(
  session: ort.InferenceSession,
  lowered: readonly Value[],
  values: readonly Value[],
  feeds: Record<string, Tensor>,
): Promise<void> {
  const used = session.inputNames.map((name) => [name, toOrt(feeds[name])] as const);
  const results = await session.run(Object.fromEntries(used));
  const symbols = new Map<string, number>();
  for (const { outputs } of topological(lowered)) {
    const fed = feeds[leafName(outputs[0])];
    outputs[0].shape.forEach((dim, axis) => {
      if (fed && typeof dim === 'string') symbols.set(dim, fed.shape[axis]);
    });
  }
  values.forEach((value, i) => {
    const { dims } = results[`value ${i}`];
    assert.equal(dims.length, value.rank, `${value}: rank when run`);
    dims.forEach((dim, axis) => {
      const own = value.shape[axis];
      // What only the data decides (`selected_3`) is whatever comes out first, but the same everywhere.
      if (typeof own === 'string' && /^\w+_\d+$/.test(own) && !symbols.has(own)) symbols.set(own, dim);
      const expected = typeof own === 'number' ? own : evaluateDim(own, symbols);
      assert.equal(dim, expected, `${value}, axis ${axis}, when run`);
    });
  });
}

/** The number that a dimension's expression stands for. */
export function evaluateDim(dim: string, symbols: ReadonlyMap<string, number>): number {
  const known = symbols.get(dim);
  if (known !== undefined) return known;
  const names = ['floor', 'ceil', 'min', ...symbols.keys()];
  const evaluateText = new Function(...names, `return ${dim};`);
  return evaluateText(Math.floor, Math.ceil, Math.min, ...symbols.values()) as number;
}

/** The model without what we say about its outputs' shapes, so that the runtime has to find them itself. */
function withoutOutputShapes(bytes: Uint8Array): Uint8Array {
  const model = fromBinary(ModelProtoSchema, bytes);
  for (const { type } of model.graph?.output ?? []) {
    if (type?.value.case === 'tensorType') type.value.value.shape = undefined;
  }
  return toBinary(ModelProtoSchema, model);
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
