import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as g from '../../src/graph/index.js';
import { topological } from '../../src/graph/value.js';
import { checkGradient, evaluate, floats, numbersOf } from './harness.js';

const types = (values: readonly g.Value[], within = '') =>
  topological(values)
    .filter((node) => node.scope.startsWith(within))
    .map((node) => node.operator.type);

test('dead branches are not visited', () => {
  const x = g.input('x', 'float32', [3]);
  let dead = x;
  for (let i = 0; i < 50; i++) dead = g.exp(dead);
  const [alone] = g.gradient(g.reduceSum(g.mul(x, 2)), [x]);
  const before = topological([alone]).length;
  assert.ok(before < 10, `${before} nodes`);
  assert.ok(!types([alone]).includes('Exp'));
});

test('frozen parameters cost nothing: no weight gradient below or beside what is trained', () => {
  const x = g.input('x', 'float32', [1, 3, 8, 8]);
  const layers = [3, 4, 4].map((channels, i) => g.input(`w${i}`, 'float32', [4, channels, 3, 3]));
  let y = x;
  for (const w of layers) y = g.relu(g.conv2d(y, w, { padding: 1 }));
  const loss = g.reduceSum(y);
  const count = (wrt: g.Value[], type: string) => types(g.gradient(loss, wrt)).filter((found) => found === type).length;
  assert.equal(count([layers[2]], 'ConvWeightGradient'), 1);
  assert.equal(count([layers[2]], 'ConvInputGradient'), 0, 'the last layer needs no gradient of its input');
  assert.equal(count([layers[0]], 'ConvWeightGradient'), 1, 'only its own');
  assert.equal(count([layers[0]], 'ConvInputGradient'), 2);
  assert.equal(count([x], 'ConvWeightGradient'), 0);
  assert.equal(count(layers, 'ConvWeightGradient'), 3);
  assert.equal(count(layers, 'ConvInputGradient'), 2, "the pictures' gradient is not wanted");
});

test('a parameter that is used twice gets the sum', () =>
  checkGradient({
    name: 'shared',
    inputs: { x: [2, 3], w: [3, 3] },
    build: ({ x, w }) => g.matMul(g.tanh(g.matMul(x, w)), w),
  }));

test('a deep chain neither overflows the stack nor grows without bound', () => {
  const x = g.input('x', 'float32', [2]);
  let y = x;
  for (let i = 0; i < 20_000; i++) y = g.add(y, 1);
  const [dx] = g.gradient(g.reduceSum(y), [x]);
  assert.ok(topological([dx]).length < 10, 'the gradient of a sum passes through');
});

test('what the loss does not depend on gets zeros, the loss itself 1', async () => {
  const x = g.input('x', 'float32', [2]);
  const other = g.input('other', 'float32', [2, 2]);
  const blocked = g.input('blocked', 'float32', [1]);
  const loss = g.add(g.reduceSum(x), g.reduceSum(g.stopGradient(blocked)));
  const [dx, dOther, dBlocked, dLoss] = g.gradient(loss, [x, other, blocked, loss]);
  const results = await evaluate({ dx, dOther, dBlocked, dLoss });
  assert.deepEqual(results.dOther.shape, [2, 2]);
  assert.deepEqual(Object.values(results).map(numbersOf), [[1, 1], [0, 0, 0, 0], [0], [1]]);
});

test('gradients by a value in the middle, and by what comes before it, in one walk', async () => {
  const x = g.input('x', 'float32', [2]);
  const middle = g.mul(x, x);
  const [dx, dMiddle] = g.gradient(g.reduceSum(g.mul(middle, middle)), [x, middle]);
  const results = await evaluate({ dx, dMiddle }, { x: floats([2], [2, 3]) });
  assert.deepEqual(numbersOf(results.dMiddle), [8, 18]);
  assert.deepEqual(numbersOf(results.dx), [32, 108]);
});

test('gradients of gradients', async () => {
  const x = g.input('x', 'float32', [3]);
  const [first] = g.gradient(g.reduceSum(g.pow(x, 3)), [x]);
  const [second] = g.gradient(g.reduceSum(first), [x]);
  const results = await evaluate({ first, second }, { x: floats([3], [1, 2, -1]) });
  assert.deepEqual(numbersOf(results.first), [3, 12, 3]);
  assert.deepEqual(numbersOf(results.second), [6, 12, -6]);
});

test('an operator without a gradient is an error only where the gradient would pass', () => {
  const x = g.input('x', 'float32', [2, 3]);
  const tiled = g.scope('head', () => g.tile(x, [2, 1]));
  assert.throws(() => g.gradient(g.reduceSum(tiled), [x]), {
    code: 'graph',
    message: /Tile at head has no gradient.*stopGradient/,
  });
  const free = g.add(g.reduceSum(x), g.reduceSum(g.tile(g.stopGradient(x), [2, 1])));
  assert.doesNotThrow(() => g.gradient(free, [x]));
  const y = g.input('y', 'float32', [2]);
  assert.doesNotThrow(() => g.gradient(g.add(g.reduceSum(tiled), g.reduceSum(y)), [y]), 'not on the way to y');
});

test('indices and masks that depend on parameters pass no gradient', async () => {
  const x = g.input('x', 'float32', [4]);
  const order = g.topK(x, 2).indices;
  const places = g.nonZero(g.greater(x, 0));
  const table = g.constant('float32', [2, 5], new Float32Array(10));
  const looked = g.gatherNd(table, g.unsqueeze(order, 1), 1); // this operator refuses to be differentiated
  const loss = g.sumOf([
    g.reduceSum(g.gather(x, order)),
    g.reduceSum(looked),
    g.reduceSum(g.cast(g.shapeOf(places), 'float32')),
  ]);
  const [dx] = g.gradient(loss, [x]);
  const results = await evaluate({ dx }, { x: floats([4], [1, 4, 2, 3]) });
  assert.deepEqual(numbersOf(results.dx), [0, 1, 0, 1]);
});

test('only float32 scalars are losses, only floats have gradients', () => {
  const x = g.input('x', 'float32', [2]);
  const count = g.input('count', 'int64', []);
  assert.throws(() => g.gradient(x, [x]), { code: 'graph', message: /float32 scalar.*"x".*Sum or average/ });
  assert.throws(() => g.gradient(count, [x]), { code: 'graph', message: /float32 scalar/ });
  assert.throws(() => g.gradient(g.reduceSum(x), [count]), { code: 'graph', message: /no gradient by.*"count"/ });
});

test("a gradient's nodes carry the scope of what they belong to", () => {
  const x = g.input('x', 'float32', [2]);
  const y = g.scope('neck', () => g.scope('layer', () => g.sigmoid(x)));
  const [dx] = g.gradient(g.reduceSum(y), [x]);
  assert.equal(dx.node.scope, 'gradient/neck/layer');
});
