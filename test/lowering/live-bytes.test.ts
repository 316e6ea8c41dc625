import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, exp, input, matMul, mul, relu, reshape, sqrt, type Value } from '../../src/graph/index.js';
import { liveBytes } from '../../src/lowering/live-bytes.js';

/** [16, 16] of float32: 1024 bytes. */
const x = input('x', 'float32', [16, 16]);
const kibi = (...outputs: Value[]) => liveBytes(outputs) / 1024;

test('a chain holds what it reads and what it writes', () => {
  assert.equal(kibi(matMul(x, x)), 0, 'inputs and outputs are not counted');
  assert.equal(kibi(matMul(matMul(x, x), x)), 1);
  assert.equal(kibi(matMul(matMul(matMul(x, x), x), x)), 2);
});

test('what is read again later is kept until then', () => {
  const y = matMul(x, x);
  const z = matMul(matMul(matMul(y, x), x), x);
  assert.equal(kibi(matMul(y, z)), 3, 'y, and two of the chain');
});

test('elementwise operators write over what nobody else reads, views take nothing', () => {
  const y = matMul(x, x);
  assert.equal(kibi(matMul(relu(exp(sqrt(y))), x)), 1);
  assert.equal(kibi(matMul(reshape(reshape(y, [4, 64]), [16, 16]), x)), 1);
  assert.equal(kibi(matMul(mul(y, exp(y)), x)), 2, 'y is read twice');
  assert.equal(kibi(concat([matMul(reshape(y, [16, 16]), x), y], 0)), 2, 'y stays, though its view is read before');
});

test('free shapes count as nothing', () => {
  const free = input('f', 'float32', ['n', 16]);
  assert.equal(kibi(matMul(matMul(free, x), x)), 0);
});
