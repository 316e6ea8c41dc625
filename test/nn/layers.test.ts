import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradient, input, type Value } from '../../src/graph/index.js';
import { heNormal, truncatedGaussian, xavierUniform } from '../../src/nn/initializers.js';
import { batchNorm, conv, l2Norm, upConv } from '../../src/nn/layers.js';
import { sumAll } from '../../src/nn/losses.js';
import { initialValues, Parameters } from '../../src/nn/parameters.js';
import { evaluate, floats, numbersOf, pseudo } from '../graph/harness.js';
import { rms, worstError } from '../models/closeness.js';

const layer = { epsilon: 1e-3, momentum: 0.03 };
const shape = [2, 3, 4, 5];
const per = 2 * 4 * 5;
const data = pseudo(120, 7).map((value, i) => value * (1 + (Math.floor(i / 20) % 3)) + 0.5);

/** Values of channel c. */
function channel(values: ArrayLike<number>, c: number): number[] {
  return Array.from(values).filter((_, i) => Math.floor(i / 20) % 3 === c);
}

function norm(p: Parameters): Record<string, Value> {
  const y = batchNorm(p, 'bn', input('x', 'float32', shape), layer);
  return { y, ...Object.fromEntries([...p.updates].map(([name, value]) => [`next ${name}`, value])) };
}

const parameters = {
  'bn.weight': floats([3], [1, 2, 0.5]),
  'bn.bias': floats([3], [0, -1, 3]),
  'bn.running_mean': floats([3], [0.1, 0.2, 0.3]),
  'bn.running_var': floats([3], [1, 2, 3]),
};

test('batch norm uses the biased variance of the batch and keeps the unbiased one', async () => {
  const outputs = norm(new Parameters({ training: true }));
  const results = await evaluate(outputs, { x: floats(shape, [...data]), ...parameters });
  for (const c of [0, 1, 2]) {
    const values = channel(data, c);
    const mean = values.reduce((sum, value) => sum + value, 0) / per;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / per;
    const [weight, shift] = [parameters['bn.weight'].data[c], parameters['bn.bias'].data[c]];
    const expected = values.map((value) => (weight * (value - mean)) / Math.sqrt(variance + 1e-3) + shift);
    assert.ok(worstError(channel(numbersOf(results.y), c), expected) < 1e-5);
    const moved = (old: number, batch: number) => 0.97 * old + 0.03 * batch;
    const next = (name: string) => numbersOf(results[`next bn.${name}`])[c];
    assert.ok(Math.abs(next('running_mean') - moved([0.1, 0.2, 0.3][c], mean)) < 1e-6);
    assert.ok(Math.abs(next('running_var') - moved(c + 1, (variance * per) / (per - 1))) < 1e-6);
  }
});

test('fixed statistics normalise in training as outside it, and are not updated', async () => {
  const fixed = new Parameters({ training: true, fixedStatistics: (name) => name === 'bn' });
  const outputs = norm(fixed);
  assert.deepEqual(Object.keys(outputs), ['y']);
  const feeds = { x: floats(shape, [...data]), ...parameters };
  const inTraining = await evaluate(outputs, feeds);
  const outside = await evaluate(norm(new Parameters({ training: false })), feeds);
  assert.deepEqual(numbersOf(inTraining.y), numbersOf(outside.y));
  const expected = channel(data, 1).map((value) => (2 * (value - 0.2)) / Math.sqrt(2 + 1e-3) - 1);
  assert.ok(worstError(channel(numbersOf(outside.y), 1), expected) < 1e-5);
});

for (const guard of ['inside', 'maximum'] as const) {
  test(`L2 normalisation survives places without any activation, guard ${guard}`, async () => {
    const p = new Parameters({ training: true });
    const x = input('x', 'float32', [1, 2, 1, 3]);
    const y = l2Norm(p, 'norm', x, { scale: 10, epsilon: 1e-10, guard });
    const slopes = gradient(sumAll(y), [x, p.values.get('norm.weight')!]);
    const results = await evaluate(
      { y, dx: slopes[0], dw: slopes[1] },
      { x: floats([1, 2, 1, 3], [3, 0, 1e-3, 4, 0, 0]), 'norm.weight': floats([2], [10, 5]) },
    );
    assert.ok(worstError(numbersOf(results.y), [6, 0, 10, 4, 0, 0]) < 1e-3);
    for (const slope of ['dx', 'dw']) assert.ok(numbersOf(results[slope]).every(Number.isFinite), slope);
  });
}

test('layers name and shape their parameters, and refuse to share them with another shape', () => {
  const p = new Parameters({ training: true });
  const x = input('x', 'float32', [1, 6, 8, 8]);
  conv(p, 'a', x, { out: 4, kernel: 3, groups: 2, biasRule: { decay: false, rate: 2 } });
  upConv(p, 'b', x, { out: 5, bias: false });
  batchNorm(p, 'c', x, layer);
  const listed = [...p.specs.values()].map(({ name, shape: own, trainable, decay, rate }) => [
    name,
    own.join('x'),
    trainable,
    decay,
    rate,
  ]);
  assert.deepEqual(listed, [
    ['a.weight', '4x3x3x3', true, true, 1],
    ['a.bias', '4', true, false, 2],
    ['b.weight', '6x5x2x2', true, true, 1],
    ['c.weight', '6', true, false, 1],
    ['c.bias', '6', true, false, 1],
    ['c.running_mean', '6', false, true, 1],
    ['c.running_var', '6', false, true, 1],
  ]);
  const [weight] = [p.values.get('a.weight')];
  conv(p, 'a', x, { out: 4, kernel: 3, groups: 2 });
  assert.equal(p.values.get('a.weight'), weight, 'the same value again');
  assert.throws(() => conv(p, 'a', x, { out: 4, kernel: 1 }), { code: 'graph' });
});

test('first values have the deviations that their sources ask for, each from a stream of its own', () => {
  const spec = (name: string, initial: ReturnType<typeof heNormal>) => ({
    name,
    shape: [64, 32, 3, 3],
    initial,
    trainable: true,
    decay: true,
    rate: 1,
  });
  const specs = [
    spec('out', heNormal('out')),
    spec('in', heNormal('in')),
    spec('xavier', xavierUniform),
    spec('cut', truncatedGaussian(0.02)),
  ];
  const values = initialValues(specs, 5);
  const deviation = (name: string) => rms(values.get(name)!.data);
  const near = (actual: number, expected: number) => assert.ok(Math.abs(actual / expected - 1) < 0.02, `${actual}`);
  near(deviation('out'), Math.sqrt(2 / (64 * 9)));
  near(deviation('in'), Math.sqrt(2 / (32 * 9)));
  near(deviation('xavier'), Math.sqrt(2 / ((64 + 32) * 9)));
  // A Gaussian cut at two deviations keeps 0.88 of its deviation.
  near(deviation('cut'), 0.02 * 0.8796);
  assert.ok(values.get('cut')!.data.every((value) => Math.abs(value) <= 0.04));
  assert.deepEqual(initialValues(specs.slice(2), 5).get('xavier'), values.get('xavier'));
  assert.notDeepEqual(initialValues(specs, 6).get('out'), values.get('out'));
});
