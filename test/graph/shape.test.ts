import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  concat,
  constant,
  depthToSpace,
  expand,
  expandLike,
  mul,
  openEnd,
  pad,
  range,
  reshape,
  slice,
  split,
  squeeze,
  tile,
  transpose,
  unsqueeze,
  type Value,
} from '../../src/graph/index.js';
import { checkGradient, evaluate, numbersOf } from './harness.js';

interface ShapeCase {
  readonly inputs: Record<string, readonly number[]>;
  readonly build: (v: Record<string, Value>) => Value;
  readonly wrt?: readonly string[];
}

const cases: Record<string, ShapeCase> = {
  'reshape with the rest': { inputs: { x: [2, 3, 4] }, build: ({ x }) => reshape(x, [4, -1]) },
  'reshape with a copy': { inputs: { x: [2, 3, 4] }, build: ({ x }) => reshape(x, [0, 12]) },
  'reshape to a scalar': { inputs: { x: [1, 1] }, build: ({ x }) => reshape(x, []) },
  transpose: { inputs: { x: [2, 3, 4] }, build: ({ x }) => transpose(x, [2, 0, 1]) },
  'concat axis 0': { inputs: { a: [2, 3], b: [1, 3] }, build: ({ a, b }) => concat([a, b], 0) },
  'concat axis -1 of three': {
    inputs: { a: [2, 3], b: [2, 1], c: [2, 2] },
    build: ({ a, b, c }) => concat([a, b, c], -1),
  },
  'concat with a frozen part': {
    inputs: { a: [2, 3], b: [2, 1], c: [2, 2] },
    build: ({ a, b, c }) => concat([a, b, c], 1),
    wrt: ['b'],
  },
  'concat of one value twice': { inputs: { a: [2, 2] }, build: ({ a }) => concat([a, a], 1) },
  'split, one part used': { inputs: { x: [5, 2] }, build: ({ x }) => split(x, [1, 3, 1], 0)[1] },
  'split, two parts used': {
    inputs: { x: [2, 4] },
    build: ({ x }) => mul(split(x, [2, 2], -1)[0], split(x, [2, 2], -1)[1]),
  },
  'slice in the middle': { inputs: { x: [3, 5] }, build: ({ x }) => slice(x, [1], [4], [1]) },
  'slice from the back': { inputs: { x: [3, 5] }, build: ({ x }) => slice(x, [-3, 0], [-1, 2], [1, 0]) },
  'slice by a negative axis': { inputs: { x: [3, 5] }, build: ({ x }) => slice(x, [2], [openEnd], [-1]) },
  'slice, every second': { inputs: { x: [3, 5] }, build: ({ x }) => slice(x, [0], [openEnd], [1], [2]) },
  'slice, every second of two axes': {
    inputs: { x: [4, 5] },
    build: ({ x }) => slice(x, [1, 1], [4, openEnd], [0, 1], [2, 3]),
  },
  'slice backwards': { inputs: { x: [3, 5] }, build: ({ x }) => slice(x, [-1], [-openEnd], [1], [-1]) },
  'slice backwards by 2': { inputs: { x: [6, 2] }, build: ({ x }) => slice(x, [4], [0], [0], [-2]) },
  'slice beyond the end': { inputs: { x: [3, 5] }, build: ({ x }) => slice(x, [2], [100], [1]) },
  pad: { inputs: { x: [2, 3] }, build: ({ x }) => pad(x, [1, 0], [0, 2]) },
  'pad with a value': { inputs: { x: [2, 3] }, build: ({ x }) => pad(x, [1, 1], [1, 1], 7) },
  'pad that cuts': { inputs: { x: [4, 5] }, build: ({ x }) => pad(x, [-1, 0], [0, -2]) },
  'pad that cuts and adds': { inputs: { x: [4, 5] }, build: ({ x }) => pad(x, [-1, 2], [1, -2]) },
  expand: { inputs: { x: [3, 1] }, build: ({ x }) => expand(x, [2, 3, 4]) },
  'expand to its own shape': { inputs: { x: [3, 2] }, build: ({ x }) => mul(expand(x, [3, 2]), x) },
  'expand like': { inputs: { a: [1, 3], b: [2, 3] }, build: ({ a, b }) => mul(expandLike(a, b), b) },
  unsqueeze: { inputs: { x: [3, 2] }, build: ({ x }) => unsqueeze(x, -1) },
  squeeze: { inputs: { x: [3, 1, 2] }, build: ({ x }) => squeeze(x, -2) },
  'depth to space DCR': { inputs: { x: [2, 8, 2, 3] }, build: ({ x }) => depthToSpace(x, 2) },
  'depth to space CRD': { inputs: { x: [1, 8, 3, 2] }, build: ({ x }) => depthToSpace(x, 2, 'CRD') },
};

for (const [name, shapeCase] of Object.entries(cases)) {
  test(`gradient of ${name}`, () => checkGradient({ name, ...shapeCase }));
}

test('slices take what NumPy takes', async () => {
  const x = range(7);
  const numpy: [number, number, number, number[]][] = [
    [0, 3, 1, [0, 1, 2]],
    [-3, openEnd, 1, [4, 5, 6]],
    [2, -2, 1, [2, 3, 4]],
    [5, 1, -2, [5, 3]],
    [-1, -openEnd, -1, [6, 5, 4, 3, 2, 1, 0]],
    [100, -100, -3, [6, 3, 0]],
    [-2, 0, -1, [5, 4, 3, 2, 1]],
    [3, 3, 1, []],
    [5, 2, 1, []],
    [1, 100, 4, [1, 5]],
  ];
  for (const [start, end, step, expected] of numpy) {
    const { y } = await evaluate({ y: slice(x, [start], [end], [0], [step]) });
    assert.deepEqual(numbersOf(y), expected, `[${start}:${end}:${step}]`);
  }
});

test('depth to space, tile and the modes of pad move elements as ONNX defines', async () => {
  const x = constant('float32', [1, 4, 1, 2], Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7));
  const two = constant('float32', [1, 8, 1, 1], Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7));
  const row = constant('float32', [3], Float32Array.of(1, 2, 3));
  const results = await evaluate({
    one: depthToSpace(x, 2),
    dcr: depthToSpace(two, 2),
    crd: depthToSpace(two, 2, 'CRD'),
    tiled: tile(row, [2]),
    edge: pad(row, [2], [1], 0, 'edge'),
    reflect: pad(row, [2], [1], 0, 'reflect'),
  });
  assert.deepEqual(numbersOf(results.one), [0, 2, 1, 3, 4, 6, 5, 7]);
  assert.deepEqual(numbersOf(results.dcr), [0, 2, 4, 6, 1, 3, 5, 7]);
  assert.deepEqual(numbersOf(results.crd), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(numbersOf(results.tiled), [1, 2, 3, 1, 2, 3]);
  assert.deepEqual(numbersOf(results.edge), [1, 1, 1, 2, 3, 3]);
  assert.deepEqual(numbersOf(results.reflect), [3, 2, 1, 2, 3, 2]);
});
