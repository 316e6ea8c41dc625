import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldBatchNorm } from '../../src/export/fold-batch-norm.js';
import {
  add,
  batchNorm,
  constant,
  conv2d,
  convTranspose2d,
  elementCount,
  input,
  relu,
  type Tensor,
  topological,
  type Value,
} from '../../src/graph/index.js';
import { pseudo, runner } from '../graph/harness.js';
import { assertClose } from '../lowering/same-as-reference.js';

/** Parameters that fill themselves: variances in 0.5 … 1.5, all else in -1 … 1. */
class Weights {
  readonly values = new Map<string, Tensor>();

  get(name: string, shape: readonly number[]): Value {
    const any = pseudo(elementCount(shape), this.values.size + 1);
    const data = name.endsWith('variance') ? any.map((value) => 1 + value / 2) : any;
    this.values.set(name, { dtype: 'float32', shape, data });
    return input(name, 'float32', shape);
  }

  norm(name: string, x: Value, epsilon = 1e-3): Value {
    const channels = x.shape[1] as number;
    const vector = (part: string) => this.get(`${name}.${part}`, [channels]);
    return batchNorm(
      x,
      { scale: vector('scale'), bias: vector('bias'), mean: vector('mean'), variance: vector('variance') },
      epsilon,
    );
  }
}

const norms = (outputs: readonly Value[]) =>
  topological(outputs).filter(({ operator }) => operator.type === 'BatchNormalization').length;

/** Runs a graph as it is and folded, on the same input, and compares; gives the number of norms that are left. */
async function assertFolds(weights: Weights, x: Value, outputs: readonly Value[], expected: number): Promise<void> {
  const before = norms(outputs);
  const graph = foldBatchNorm({ outputs, weights: weights.values });
  assert.equal(graph.folded, expected);
  assert.equal(norms(graph.outputs), before - expected, 'norms left in the graph');
  assert.equal(norms(outputs), before, 'the graph given is as it was');
  const pictures: Tensor = { dtype: 'float32', shape: x.staticShape, data: pseudo(elementCount(x.staticShape), 99) };
  const run = async (values: readonly Value[], parameters: ReadonlyMap<string, Tensor>) => {
    const named = Object.fromEntries(values.map((value, i) => [`y${i}`, value]));
    return (await runner(named)).run({ ...Object.fromEntries(parameters), x: pictures });
  };
  const [plain, folded] = [await run(outputs, weights.values), await run(graph.outputs, graph.weights)];
  for (const name of Object.keys(plain)) {
    assertClose(folded[name].data as Float32Array, plain[name].data as Float32Array, 1e-5, name);
  }
}

for (const { name, groups, bias } of [
  { name: 'plain', groups: 1, bias: false },
  { name: 'with a bias', groups: 1, bias: true },
  { name: 'in groups', groups: 2, bias: true },
  { name: 'depthwise', groups: 4, bias: false },
]) {
  test(`a convolution ${name} takes the batch norm in`, async () => {
    const weights = new Weights();
    const x = input('x', 'float32', [2, 4, 7, 6]);
    const w = weights.get('conv.weight', [8, 4 / groups, 3, 3]);
    const b = bias ? weights.get('conv.bias', [8]) : undefined;
    const y = relu(weights.norm('bn', conv2d(x, w, { bias: b, groups, padding: 1, stride: 2 })));
    await assertFolds(weights, x, [y], 1);
  });

  test(`a transposed convolution ${name} takes the batch norm in`, async () => {
    const weights = new Weights();
    const x = input('x', 'float32', [2, 4, 5, 3]);
    const w = weights.get('up.weight', [4, 6 / (groups === 4 ? 1 : groups), 2, 2]);
    const out = groups === 4 ? 24 : 6;
    const b = bias ? weights.get('up.bias', [out]) : undefined;
    await assertFolds(weights, x, [weights.norm('bn', convTranspose2d(x, w, { bias: b, groups, stride: 2 }))], 1);
  });
}

test('a chain of pairs is folded whole, and what is between stays', async () => {
  const weights = new Weights();
  const x = input('x', 'float32', [1, 3, 8, 8]);
  const layer = (name: string, from: Value) =>
    weights.norm(`${name}.bn`, conv2d(from, weights.get(`${name}.weight`, [3, 3, 3, 3]), { padding: 1 }));
  const first = relu(layer('a', x));
  await assertFolds(weights, x, [add(first, layer('c', relu(layer('b', first))))], 3);
});

test('constants as weights are folded too', async () => {
  const weights = new Weights();
  const x = input('x', 'float32', [1, 3, 4, 4]);
  const w = constant('float32', [2, 3, 1, 1], pseudo(6, 5));
  await assertFolds(weights, x, [weights.norm('bn', conv2d(x, w))], 1);
});

test('what something else reads is left alone', async () => {
  const x = input('x', 'float32', [1, 3, 6, 6]);
  const raw = new Weights();
  const y = conv2d(x, raw.get('w', [3, 3, 1, 1]));
  await assertFolds(raw, x, [raw.norm('bn', y), y], 0);
  const used = new Weights();
  const z = conv2d(x, used.get('w', [3, 3, 1, 1]));
  await assertFolds(used, x, [add(used.norm('bn', z), z)], 0);
  const shared = new Weights();
  const w = shared.get('w', [3, 3, 1, 1]);
  await assertFolds(shared, x, [shared.norm('a', conv2d(x, w)), shared.norm('b', conv2d(relu(x), w))], 0);
  const between = new Weights();
  await assertFolds(between, x, [between.norm('bn', relu(conv2d(x, between.get('w', [3, 3, 1, 1]))))], 0);
});

test('weights that are not at hand are left alone', () => {
  const weights = new Weights();
  const x = input('x', 'float32', [1, 3, 4, 4]);
  const y = weights.norm('bn', conv2d(x, weights.get('w', [3, 3, 1, 1])));
  weights.values.delete('w');
  assert.equal(foldBatchNorm({ outputs: [y], weights: weights.values }).folded, 0);
});
