import { test } from 'node:test';
import { gemm, logSoftmax, matMul, matrixTranspose, mul, softmax } from '../../src/graph/index.js';
import { checkGradient } from './harness.js';

const products: Record<string, [number[], number[]]> = {
  matrices: [
    [3, 4],
    [4, 2],
  ],
  'stacks of matrices': [
    [2, 3, 4],
    [2, 4, 2],
  ],
  'a stack by one matrix': [
    [2, 3, 4],
    [4, 2],
  ],
  'one matrix by a stack': [
    [3, 4],
    [2, 4, 2],
  ],
  'stacks that broadcast both ways': [
    [2, 1, 3, 4],
    [1, 3, 4, 2],
  ],
  'a row by a column': [
    [1, 5],
    [5, 1],
  ],
};

for (const [name, [a, b]] of Object.entries(products)) {
  test(`matMul gradients: ${name}`, () => checkGradient({ name, inputs: { a, b }, build: (v) => matMul(v.a, v.b) }));
}

test('matMul gradients: a matrix by itself', () =>
  checkGradient({ name: 'x·xᵀ', inputs: { x: [3, 4] }, build: ({ x }) => matMul(x, matrixTranspose(x)) }));
test('matMul gradients: a frozen operand', () =>
  checkGradient({ name: 'frozen', inputs: { a: [3, 4], b: [4, 2] }, build: (v) => matMul(v.a, v.b), wrt: ['b'] }));

for (const transA of [false, true]) {
  for (const transB of [false, true]) {
    for (const [kind, c] of Object.entries({ none: undefined, row: [5], column: [3, 1], scalar: [], whole: [3, 5] })) {
      for (const alpha of [1, 0.5]) {
        const name = `${transA ? 'aᵀ' : 'a'}·${transB ? 'bᵀ' : 'b'}, c ${kind}, alpha ${alpha}`;
        test(`gemm gradients: ${name}`, () =>
          checkGradient({
            name,
            inputs: { a: transA ? [4, 3] : [3, 4], b: transB ? [5, 4] : [4, 5], ...(c && { c }) },
            build: (v) => gemm(v.a, v.b, { c: v.c, transA, transB, alpha }),
          }));
      }
    }
  }
}

for (const [name, build] of Object.entries({ softmax, logSoftmax })) {
  for (const axis of [-1, 0, 1]) {
    test(`${name} gradient along axis ${axis}`, () =>
      checkGradient({
        name,
        inputs: { x: [2, 3, 4] },
        build: ({ x }) => build(mul(x, 3), axis),
      }));
  }
}
