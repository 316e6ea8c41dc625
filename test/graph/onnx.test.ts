import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as ort from 'onnxruntime-node';
import { Engine } from '../../src/engine/engine.js';
import * as g from '../../src/graph/index.js';
import { readOnnx } from '../../src/graph/onnx/read.js';
import { opset, writeOnnx } from '../../src/graph/onnx/write.js';
import { lowerFor } from '../../src/lowering/index.js';
import { temporaryFolder } from '../temporary-folder.js';
import { floats, numbersOf, pseudo, referenceTarget } from './harness.js';

const { input, scope } = g;
const tensor = (shape: number[], seed = 1): g.Tensor<'float32'> => ({
  dtype: 'float32',
  shape,
  data: pseudo(g.elementCount(shape), seed),
});

function small() {
  const x = input('pictures', 'float32', ['batch', 3, 8, 'width'], 'RGB, 0 to 1');
  const w = input('backbone/conv1/weight', 'float32', [4, 3, 3, 3]);
  const y = scope('backbone', () => scope('conv1', () => g.relu(g.conv2d(x, w, { padding: 1 }))));
  const z = scope('backbone', () => scope('conv1', () => g.relu(g.neg(y))));
  const { values, indices } = scope('head', () => g.topK(g.reshape(g.add(y, z), ['batch', -1]), 3));
  return { x, w, y, values, indices };
}

function written() {
  const { x, values, indices, y } = small();
  return writeOnnx({
    name: 'detector',
    doc: 'A test',
    inputs: [x],
    outputs: { scores: values, places: g.identity(indices), map: y },
    outputDocs: { scores: 'Falling' },
    initializers: new Map([['backbone/conv1/weight', tensor([4, 3, 3, 3])]]),
    metadata: { names: '["cat"]', task: 'detect' },
  });
}

test('what is read back is what was written', () => {
  const file = readOnnx(written().bytes, 'test.onnx');
  assert.equal(file.name, 'detector');
  assert.equal(file.producer, 'boxwright');
  assert.deepEqual(file.opsets, { '': opset });
  assert.deepEqual(file.inputs, [
    { name: 'pictures', doc: 'RGB, 0 to 1', dtype: 'float32', shape: ['batch', 3, 8, 'width'] },
  ]);
  assert.deepEqual(file.outputs, [
    { name: 'scores', doc: 'Falling', dtype: 'float32', shape: ['batch', 3] },
    { name: 'places', doc: '', dtype: 'int64', shape: ['batch', 3] },
    { name: 'map', doc: '', dtype: 'float32', shape: ['batch', 4, 8, 'width'] },
  ]);
  assert.deepEqual(file.metadata, { names: '["cat"]', task: 'detect' });
  assert.deepEqual(file.initializers.get('backbone/conv1/weight'), tensor([4, 3, 3, 3]));
  const conv = file.nodes[0];
  assert.deepEqual(conv, {
    name: 'backbone/conv1/Conv',
    type: 'Conv',
    domain: '',
    inputs: ['pictures', 'backbone/conv1/weight'],
    outputs: ['backbone/conv1/Conv'],
    attributes: { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], group: 1 },
  });
});

test('names say where a node was written, and are unique', () => {
  const { nodes } = readOnnx(written().bytes, 'test.onnx');
  assert.deepEqual(
    nodes.map(({ name }) => name),
    [
      'backbone/conv1/Conv',
      'backbone/conv1/Relu',
      'backbone/conv1/Neg',
      'backbone/conv1/Relu_1',
      'head/Add',
      'head/Reshape',
      'head/TopK',
      'Identity',
    ],
  );
  assert.deepEqual(nodes.find(({ type }) => type === 'TopK')?.outputs, ['scores', 'head/TopK:1']);
});

test('attributes of 0 are kept, and strings and types are what they were', () => {
  const x = input('x', 'float32', [3, 4]);
  const outputs = { a: g.softmax(x, 0), b: g.cast(x, 'uint8'), c: g.argMax(x, 0), d: g.gather(x, g.int64s([1])) };
  const { nodes } = readOnnx(writeOnnx({ name: 't', outputs }).bytes, 't');
  const attributes = Object.fromEntries(nodes.map((node) => [node.type, node.attributes]));
  assert.deepEqual(attributes, {
    Softmax: { axis: 0 },
    Cast: { to: 2 },
    ArgMax: { axis: 0, keepdims: 0, select_last_index: 0 },
    Gather: { axis: 0 },
  });
  const resized = g.upsample(input('x', 'float32', [1, 1, 2, 2]), 2, { mode: 'nearest' });
  const [node] = readOnnx(writeOnnx({ name: 't', outputs: { resized } }).bytes, 't').nodes;
  assert.deepEqual(node.attributes, {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  });
  assert.deepEqual(node.inputs.slice(0, 2), ['x', ''], 'an absent optional input keeps its place');
});

test('constants of every element type come back', () => {
  const arrays = {
    float32: Float32Array.of(-0.5, 3e38),
    float64: Float64Array.of(Math.PI, -1),
    float16: Uint16Array.of(0x3c00, 0xbc00),
    uint8: Uint8Array.of(0, 255),
    int8: Int8Array.of(-128, 127),
    int32: Int32Array.of(-(2 ** 31), 5),
    int64: BigInt64Array.of(-(2n ** 63n), 2n ** 53n + 1n),
    uint32: Uint32Array.of(0, 2 ** 32 - 1),
    bool: Uint8Array.of(0, 1),
  } as const;
  const outputs = Object.fromEntries(
    Object.entries(arrays).map(([dtype, data]) => [dtype, g.constant(dtype as 'float32', [2], data as Float32Array)]),
  );
  const empty = g.constant('float32', [0, 4], new Float32Array(0));
  const file = readOnnx(writeOnnx({ name: 't', outputs: { ...outputs, empty } }).bytes, 't');
  assert.deepEqual(
    [...file.initializers.values()],
    [
      ...Object.entries(arrays).map(([dtype, data]) => ({ dtype, shape: [2], data })),
      { dtype: 'float32', shape: [0, 4], data: new Float32Array(0) },
    ],
  );
});

test('outputs may be inputs, constants, or one value twice', async () => {
  const x = input('x', 'float32', [2]);
  const y = g.add(x, 1);
  const outputs = { through: x, fixed: g.int64s([4]), one: y, two: y };
  const session = await ort.InferenceSession.create(writeOnnx({ name: 't', outputs }).bytes);
  const results = await session.run({ x: new ort.Tensor('float32', Float32Array.of(1, 2), [2]) });
  assert.deepEqual([...(results.through.data as Float32Array)], [1, 2]);
  assert.deepEqual([...(results.fixed.data as BigInt64Array)], [4n]);
  assert.deepEqual([...(results.two.data as Float32Array)], [2, 3]);
});

test('what cannot be written is refused', () => {
  const x = input('x', 'float32', [2]);
  const twin = input('x', 'float32', [2]);
  const write = (outputs: Record<string, g.Value>, more = {}) => writeOnnx({ name: 't', outputs, ...more });
  assert.throws(() => write({ y: g.add(x, twin) }), { code: 'graph', message: /Two inputs are called "x"/ });
  assert.throws(() => write({ x: g.neg(x) }), { code: 'graph', message: /Output "x" has the name of an input/ });
  assert.throws(() => write({ y: g.neg(x) }, { inputs: [g.abs(x)] }), { code: 'graph', message: /Abs.*computed/ });
  assert.throws(() => write({ y: g.neg(x) }, { initializers: new Map([['x', tensor([3])]]) }), {
    code: 'graph',
    message: /"x" is float32\[3\].*float32\[2\]/,
  });
  const relu = g.gradient(g.reduceSum(g.scope('neck', () => g.relu(x))), [x])[0];
  assert.throws(() => write({ relu }), { code: 'graph', message: /ReluGradient at "gradient\/neck".*lower/ });
});

test('what is no model is refused', () => {
  assert.throws(() => readOnnx(Uint8Array.of(1, 2, 3), 'a.onnx'), {
    code: 'graph',
    message: /a\.onnx is no ONNX model/,
  });
  assert.throws(() => readOnnx(new Uint8Array(0), 'a.onnx'), { code: 'graph', message: /a\.onnx is no ONNX model/ });
  const bytes = written().bytes;
  assert.throws(() => readOnnx(bytes.subarray(0, bytes.length - 40), 'cut.onnx'), {
    code: 'graph',
    message: /cut\.onnx/,
  });
});

test('weights beyond the limit lie in a file beside, aligned, and the engine finds them there', async (t) => {
  const x = input('x', 'float32', [2, 300]);
  const [a, b, c] = [
    input('a', 'float32', [300, 301]),
    input('b', 'float32', [301, 300]),
    input('c', 'float32', [300]),
  ];
  const outputs = { y: g.add(g.matMul(g.matMul(x, a), b), c) };
  const weights = new Map([
    ['a', tensor([300, 301], 2)],
    ['b', tensor([301, 300], 3)],
    ['c', tensor([300], 4)],
  ]);
  const plain = writeOnnx({ name: 't', outputs, initializers: weights });
  assert.equal(plain.external, undefined);
  const model = writeOnnx({ name: 't', outputs, initializers: weights, externalFrom: 1000, externalName: 'm.data' });
  assert.ok(model.external && model.bytes.length < 2000);
  assert.equal(model.external.name, 'm.data');
  const data = Buffer.concat(model.external.parts);

  const asked: string[] = [];
  const file = readOnnx(model.bytes, 'm.onnx', (location) => {
    asked.push(location);
    return data;
  });
  assert.deepEqual(new Set(asked), new Set(['m.data']));
  assert.deepEqual(new Map([...file.initializers].filter(([name]) => weights.has(name))), weights);
  assert.throws(() => readOnnx(model.bytes, 'm.onnx'), { code: 'graph', message: /m\.onnx: tensor "a".*"m\.data"/ });
  assert.throws(() => readOnnx(model.bytes, 'm.onnx', () => data.subarray(0, 5000)), {
    code: 'graph',
    message: /"a" ends at byte 361200 of "m\.data", which has 5000/,
  });

  const folder = await temporaryFolder(t);
  writeFileSync(join(folder, 'm.onnx'), model.bytes);
  writeFileSync(join(folder, 'm.data'), data);
  await using engine = await Engine.start({ threads: 1 });
  const feeds = { x: tensor([2, 300], 5) };
  const beside = await (await engine.load(join(folder, 'm.onnx'))).run(feeds);
  const within = await (await engine.load(plain.bytes)).run(feeds);
  assert.deepEqual(numbersOf(beside.y), numbersOf(within.y));
  assert.ok(numbersOf(beside.y).some((value) => value !== 0));
});

test('a whole training step is a valid file: lowered, written, loaded', async () => {
  const x = input('x', 'float32', [2, 3, 9, 9]);
  const w = input('w', 'float32', [4, 3, 3, 3]);
  const scale = input('scale', 'float32', [4]);
  const { y } = g.batchNormTraining(g.conv2d(x, w, { padding: 1, stride: 2 }), scale, scale, 1e-5);
  const pooled = g.averagePool2d(g.maxPool2d(g.relu(y), { kernel: 2, ceil: true }), { kernel: 3, stride: 1 });
  const loss = g.reduceMean(pooled);
  const gradients = g.gradient(loss, [w, scale]);
  const updated = [w, scale].map((value, i) => g.sub(value, g.mul(gradients[i], 0.1)));
  const [lowLoss, newW, newScale] = lowerFor([loss, ...updated], referenceTarget);
  const { bytes } = writeOnnx({ name: 'step', outputs: { loss: lowLoss, 'new w': newW, 'new scale': newScale } });
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const feed = (value: g.Tensor<'float32'>) => new ort.Tensor('float32', value.data, value.shape);
  const results = await session.run({
    x: feed(tensor([2, 3, 9, 9])),
    w: feed(tensor([4, 3, 3, 3], 2)),
    scale: feed(floats([4], [1, 1, 1, 1])),
  });
  assert.ok(Number.isFinite((results.loss.data as Float32Array)[0]));
  assert.notDeepEqual(results['new w'].data, tensor([4, 3, 3, 3], 2).data);
});
