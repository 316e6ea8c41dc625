import { test } from 'node:test';
import {
  type ConvOptions,
  type ConvTransposeOptions,
  conv2d,
  convTranspose2d,
  gradient,
  mul,
  reduceSum,
} from '../../src/graph/index.js';
import { checkGradient } from './harness.js';

interface ConvCase extends ConvOptions {
  readonly x: readonly number[];
  readonly w: readonly number[];
}

const cases: Record<string, ConvCase> = {
  '3×3 same': { x: [2, 3, 5, 6], w: [4, 3, 3, 3], padding: 1 },
  '3×3 valid': { x: [1, 2, 5, 5], w: [3, 2, 3, 3] },
  '1×1': { x: [2, 3, 4, 5], w: [6, 3, 1, 1] },
  '1×1 stride 2 odd': { x: [2, 3, 5, 7], w: [4, 3, 1, 1], stride: 2 },
  '1×1 stride 2 even': { x: [2, 3, 6, 8], w: [4, 3, 1, 1], stride: 2 },
  '3×3 stride 2 same odd': { x: [2, 3, 7, 5], w: [4, 3, 3, 3], stride: 2, padding: 1 },
  '3×3 stride 2 even': { x: [1, 3, 8, 6], w: [4, 3, 3, 3], stride: 2, padding: 1 },
  '3×3 stride 2 padded after only': { x: [1, 2, 6, 6], w: [3, 2, 3, 3], stride: 2, padding: [0, 0, 1, 1] },
  '7×7 stride 2': { x: [1, 3, 11, 12], w: [2, 3, 7, 7], stride: 2, padding: 3 },
  '3×3 dilation 3': { x: [1, 2, 7, 7], w: [3, 2, 3, 3], padding: 3, dilation: 3 },
  'groups 2': { x: [2, 4, 5, 5], w: [6, 2, 3, 3], padding: 1, groups: 2 },
  depthwise: { x: [2, 4, 5, 6], w: [4, 1, 3, 3], padding: 1, groups: 4 },
  'depthwise stride 2': { x: [2, 4, 7, 6], w: [4, 1, 3, 3], padding: 1, stride: 2, groups: 4 },
  'one-sided padding before': { x: [1, 2, 5, 6], w: [3, 2, 3, 3], padding: [2, 1, 0, 0] },
  'four different paddings': { x: [1, 2, 6, 5], w: [3, 2, 3, 3], stride: 2, padding: [0, 1, 2, 3] },
  'strides that differ': { x: [1, 2, 7, 6], w: [3, 2, 3, 3], stride: [1, 2], padding: 1 },
  'dilations that differ, stride 2': { x: [1, 2, 9, 8], w: [2, 2, 3, 3], stride: 2, dilation: [2, 1], padding: 2 },
  'stride larger than the kernel': { x: [1, 2, 8, 9], w: [3, 2, 2, 2], stride: 3 },
  'groups 2 with stride and dilation': {
    x: [2, 4, 9, 7],
    w: [4, 2, 3, 3],
    stride: 2,
    dilation: 2,
    padding: 2,
    groups: 2,
  },
  'depthwise with two filters a channel': { x: [2, 3, 5, 5], w: [6, 1, 3, 3], padding: 1, groups: 3 },
  'the kernel covers the map': { x: [2, 2, 3, 4], w: [3, 2, 3, 4] },
  'even kernel, odd map': { x: [1, 2, 5, 5], w: [2, 2, 4, 2], stride: 2, padding: [1, 0, 2, 1] },
  '1×3 kernel': { x: [1, 2, 4, 6], w: [3, 2, 1, 3], padding: [0, 1, 0, 1] },
};

for (const [name, { x, w, ...options }] of Object.entries(cases)) {
  test(`convolution gradients: ${name}`, () =>
    checkGradient({ name, inputs: { x, w, b: [w[0]] }, build: (v) => conv2d(v.x, v.w, { ...options, bias: v.b }) }));
}

test('convolution gradients: frozen weight and bias', () =>
  checkGradient({
    name: 'frozen',
    inputs: { x: [1, 2, 4, 4], w: [3, 2, 3, 3], b: [3] },
    wrt: ['x'],
    build: (v) => conv2d(v.x, v.w, { padding: 1, bias: v.b }),
  }));

interface TransposeCase extends ConvTransposeOptions {
  readonly x: readonly number[];
  readonly w: readonly number[];
}

const transposed: Record<string, TransposeCase> = {
  'stride 1': { x: [2, 3, 4, 5], w: [3, 2, 3, 3] },
  'stride 2': { x: [2, 3, 3, 4], w: [3, 2, 2, 2], stride: 2 },
  'stride 2 padded': { x: [1, 3, 4, 3], w: [3, 2, 3, 3], stride: 2, padding: 1 },
  'stride 2 with output padding': { x: [1, 3, 4, 3], w: [3, 2, 3, 3], stride: 2, padding: 1, outputPadding: 1 },
  'output padding on one side, stride 3': { x: [1, 2, 3, 3], w: [2, 2, 3, 3], stride: 3, outputPadding: [2, 0] },
  'output padding with dilation': { x: [1, 2, 3, 4], w: [2, 2, 3, 3], stride: 2, dilation: 3, outputPadding: 1 },
  'groups 2': { x: [2, 4, 3, 3], w: [4, 3, 3, 3], stride: 2, groups: 2 },
  depthwise: { x: [1, 3, 4, 4], w: [3, 1, 4, 4], stride: 2, padding: 1, groups: 3 },
  dilation: { x: [1, 2, 4, 4], w: [2, 3, 3, 3], dilation: 2, padding: 2 },
  'four different paddings': { x: [1, 2, 4, 5], w: [2, 2, 4, 4], stride: 2, padding: [0, 1, 2, 1] },
};

for (const [name, { x, w, groups = 1, ...options }] of Object.entries(transposed)) {
  test(`transposed convolution gradients: ${name}`, () =>
    checkGradient({
      name,
      inputs: { x, w, b: [w[1] * groups] },
      build: (v) => convTranspose2d(v.x, v.w, { ...options, groups, bias: v.b }),
    }));
}

const twice: readonly string[] = [
  '3×3 same',
  '3×3 stride 2 even',
  'groups 2',
  'depthwise stride 2',
  'four different paddings',
  '3×3 dilation 3',
];
for (const name of twice) {
  const { x, w, ...options } = cases[name];
  for (const of of ['x', 'w']) {
    test(`second-order convolution gradients through d${of}: ${name}`, () =>
      checkGradient({
        name,
        inputs: { x, w },
        build: (v) => {
          const y = conv2d(v.x, v.w, options);
          return gradient(reduceSum(mul(y, mul(y, y))), [v[of]])[0];
        },
        step: 3e-3,
        tolerance: 2e-2,
      }));
  }
}
