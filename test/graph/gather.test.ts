import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import {
  cast,
  compress,
  constant,
  gather,
  gatherElements,
  gatherNd,
  gradient,
  greater,
  input,
  nonZero,
  reduceSum,
  reshape,
  scatterElements,
  scatterNd,
  type Tensor,
  type Value,
} from '../../src/graph/index.js';
import { writeLowered } from '../../src/lowering/write.js';
import { checkGradient, evaluate, integers, numbersOf } from './harness.js';

interface GatherCase {
  readonly inputs: Record<string, readonly number[] | Tensor>;
  readonly build: (v: Record<string, Value>) => Value;
  readonly wrt?: readonly string[];
}

const cases: Record<string, GatherCase> = {
  'gather rows, some twice': {
    inputs: { x: [4, 3], i: integers([3], [2, 0, 2]) },
    build: ({ x, i }) => gather(x, i),
  },
  'gather columns by a matrix': {
    inputs: { x: [2, 4, 3], i: integers([2, 2], [3, 1, 1, 0]) },
    build: ({ x, i }) => gather(x, i, -2),
  },
  'gather from the back': {
    inputs: { x: [4, 3], i: integers([2], [-1, -4]) },
    build: ({ x, i }) => gather(x, i),
  },
  'gather by a scalar': { inputs: { x: [4, 3], i: integers([], [1]) }, build: ({ x, i }) => gather(x, i, 1) },
  'gather by int32': {
    inputs: { x: [4, 3], i: integers([2], [1, 3]) },
    build: ({ x, i }) => gather(x, cast(i, 'int32')),
  },
  'gather elements, some twice': {
    inputs: { x: [2, 3], i: integers([2, 4], [0, 0, 2, 1, 2, 2, 2, -1]) },
    build: ({ x, i }) => gatherElements(x, i, 1),
  },
  'gather fewer elements': {
    inputs: { x: [3, 3], i: integers([2, 2], [2, 0, 1, 1]) },
    build: ({ x, i }) => gatherElements(x, i, -2),
  },
  'gather tuples': {
    inputs: { x: [3, 4], i: integers([3, 2], [0, 1, 2, 3, 0, 1]) },
    build: ({ x, i }) => gatherNd(x, i),
  },
  'gather rows by tuples': {
    inputs: { x: [3, 2, 4], i: integers([2, 2, 2], [0, 1, 2, 0, -1, 1, 1, 1]) },
    build: ({ x, i }) => gatherNd(x, i),
  },
  'scatter elements': {
    inputs: { x: [3, 4], u: [2, 2], i: integers([2, 2], [0, 3, 2, 1]) },
    build: ({ x, i, u }) => scatterElements(x, i, u, 1),
  },
  'scatter elements, added twice': {
    inputs: { x: [3, 4], u: [2, 4], i: integers([2, 4], [0, 1, 2, 0, 0, 1, 2, 0]) },
    build: ({ x, i, u }) => scatterElements(x, i, u, 0, 'add'),
  },
  'scatter tuples': {
    inputs: { x: [3, 4], u: [2], i: integers([2, 2], [0, 3, 2, 1]) },
    build: ({ x, i, u }) => scatterNd(x, i, u),
  },
  'scatter rows, added twice': {
    inputs: { x: [3, 4], u: [3, 4], i: integers([3, 1], [1, 1, 0]) },
    build: ({ x, i, u }) => scatterNd(x, i, u, 'add'),
  },
  'scatter into frozen data': {
    inputs: { x: [3, 4], u: [2, 4], i: integers([2, 1], [1, -1]) },
    build: ({ x, i, u }) => scatterNd(x, i, u),
    wrt: ['u'],
  },
};

for (const [name, gatherCase] of Object.entries(cases)) {
  test(`gradient of ${name}`, () => checkGradient({ name, ...gatherCase }));
}

test('scatters with repeats add, and take extremes', async () => {
  const zeros = constant('float32', [4], new Float32Array(4));
  const at = (data: number[]) => constant('int64', [data.length, 1], BigInt64Array.from(data, BigInt));
  const flat = constant('int64', [3], BigInt64Array.of(2n, 2n, 0n));
  const updates = constant('float32', [3], Float32Array.of(5, 7, -1));
  const results = await evaluate({
    added: scatterNd(zeros, at([2, 2, 0]), updates, 'add'),
    largest: scatterNd(zeros, at([2, 2, 0]), updates, 'max'),
    elements: scatterElements(zeros, flat, updates, 0, 'add'),
    smallest: scatterElements(zeros, flat, updates, 0, 'min'),
  });
  assert.deepEqual(numbersOf(results.added), [-1, 0, 12, 0]);
  assert.deepEqual(numbersOf(results.largest), [0, 0, 7, 0]);
  assert.deepEqual(numbersOf(results.elements), [-1, 0, 12, 0]);
  assert.deepEqual(numbersOf(results.smallest), [-1, 0, 0, 0]);
});

test('what only the data decides: nonZero, compress, gathers with batch dimensions', async () => {
  const x = constant('float32', [2, 3], Float32Array.of(0, 1, 2, 3, 0, 5));
  const results = await evaluate({
    places: nonZero(x),
    columns: compress(x, greater(constant('float32', [3], Float32Array.of(1, -1, 1)), 0), 1),
    batched: gatherNd(x, constant('int64', [2, 1], BigInt64Array.of(2n, 0n)), 1),
  });
  assert.deepEqual(results.places.shape, [2, 4]);
  assert.deepEqual(numbersOf(results.places), [0, 0, 1, 1, 1, 2, 0, 2]);
  assert.deepEqual(numbersOf(results.columns), [0, 2, 3, 5]);
  assert.deepEqual(numbersOf(results.batched), [2, 3]);
});

test('gradients of gathers lose nothing where many rows add to one, on several threads', async () => {
  const [rows, length, count] = [4, 64, 40_000];
  const x = input('x', 'float32', [rows, length]);
  const index = input('index', 'int64', [count]);
  const byGather = reduceSum(gather(x, index));
  const byTuples = reduceSum(gatherNd(x, reshape(index, [count, 1])));
  const outputs = { gather: gradient(byGather, [x])[0], gatherNd: gradient(byTuples, [x])[0] };
  await using engine = await Engine.start({ threads: 4 });
  const session = await engine.load(
    writeLowered({ name: 'gathers', outputs }, { provider: 'cpu', form: 'fast' }).bytes,
  );
  const data = BigInt64Array.from({ length: count }, (_, i) => BigInt(i % rows));
  // Threads that lose additions do not do so in every run.
  for (let round = 0; round < 10; round++) {
    const results = await session.run({ index: { dtype: 'int64', shape: [count], data } });
    for (const [name, { data: sums }] of Object.entries(results)) {
      assert.ok(
        (sums as Float32Array).every((sum) => sum === count / rows),
        `${name} adds up every row`,
      );
    }
  }
});
