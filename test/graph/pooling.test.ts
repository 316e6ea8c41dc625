import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  averagePool2d,
  gradient,
  input,
  maxPool2d,
  maxPool2dWithIndices,
  mul,
  type PoolOptions,
  reduceSum,
} from '../../src/graph/index.js';
import { checkGradient, evaluate, numbersOf, pseudo, referenceTarget } from './harness.js';

const windows: Record<string, PoolOptions & { readonly x: readonly number[] }> = {
  '2×2': { x: [2, 3, 4, 6], kernel: 2 },
  '2×2 on odd sizes': { x: [1, 2, 5, 7], kernel: 2 },
  '2×2 on odd sizes, ceil': { x: [1, 2, 5, 7], kernel: 2, ceil: true },
  '3×3 stride 2 padded': { x: [2, 2, 7, 8], kernel: 3, stride: 2, padding: 1 },
  '3×3 stride 2 padded, ceil': { x: [1, 2, 6, 7], kernel: 3, stride: 2, padding: 1, ceil: true },
  '3×3 stride 1 padded': { x: [1, 2, 4, 5], kernel: 3, stride: 1, padding: 1 },
  '2×2 padded after only': { x: [1, 2, 5, 5], kernel: 2, stride: 2, padding: [0, 0, 1, 1] },
  '2×2 padded before only': { x: [1, 2, 5, 5], kernel: 2, stride: 2, padding: [1, 1, 0, 0] },
  '2×2 stride 3': { x: [1, 2, 8, 7], kernel: 2, stride: 3 },
  '2×2 stride 3, ceil: a window would start behind': { x: [1, 1, 6, 7], kernel: 2, stride: 3, ceil: true },
  'the whole map': { x: [2, 2, 3, 3], kernel: 3 },
  '1×1 stride 2': { x: [1, 2, 5, 4], kernel: 1, stride: 2 },
};

for (const [name, { x, ...options }] of Object.entries(windows)) {
  test(`max pooling gradient: ${name}`, () =>
    checkGradient({ name, inputs: { x }, build: (v) => maxPool2d(v.x, options), step: 1e-3, tolerance: 1e-2 }));
  for (const includePadding of [false, true]) {
    test(`average pooling gradient: ${name}${includePadding ? ', padding counts' : ''}`, () =>
      checkGradient({ name, inputs: { x }, build: (v) => averagePool2d(v.x, { ...options, includePadding }) }));
  }
}

/** Max pooling's gradient on the host: the first of equal largest elements of a window, row by row, gets it all. */
function hostGradient(
  x: number[],
  shape: readonly number[],
  out: readonly number[],
  g: number[],
  options: PoolOptions,
) {
  const { kernel, stride = kernel, padding = 0 } = options;
  const [top, left] = typeof padding === 'number' ? [padding, padding] : padding;
  const [, , h, w] = shape;
  const [n, c, oh, ow] = out;
  const dx = new Array<number>(x.length).fill(0);
  for (let plane = 0; plane < n * c; plane++) {
    for (let i = 0; i < oh; i++) {
      for (let j = 0; j < ow; j++) {
        let best = -1;
        for (let row = Math.max(0, i * stride - top); row < Math.min(h, i * stride - top + kernel); row++) {
          for (
            let column = Math.max(0, j * stride - left);
            column < Math.min(w, j * stride - left + kernel);
            column++
          ) {
            const at = (plane * h + row) * w + column;
            if (best < 0 || x[at] > x[best]) best = at;
          }
        }
        dx[best] += g[(plane * oh + i) * ow + j];
      }
    }
  }
  return dx;
}

for (const [name, { x: shape, ...options }] of Object.entries(windows)) {
  test(`max pooling gives ties to the first of the window: ${name}`, async () => {
    const count = shape.reduce((product, dim) => product * dim, 1);
    // Few different values, so that nearly every window has a tie, and negative ones below the padding.
    const data = pseudo(count, 3).map((value) => Math.floor(value * 2));
    const x = input('x', 'float32', shape);
    const y = maxPool2d(x, options);
    const g = Float32Array.from({ length: y.staticShape.reduce((product, dim) => product * dim, 1) }, (_, i) => i + 1);
    const direction = input('direction', 'float32', y.shape);
    const [dx] = gradient(reduceSum(mul(y, direction)), [x]);
    const feeds = {
      x: { dtype: 'float32' as const, shape, data },
      direction: { dtype: 'float32' as const, shape: y.staticShape, data: g },
    };
    const expected = hostGradient([...data], shape, y.staticShape, [...g], options);
    assert.deepEqual(numbersOf((await evaluate({ dx }, feeds)).dx), expected);
    if (referenceTarget.provider === 'webgpu') return; // which has no second output of MaxPool
    const [, indices] = maxPool2dWithIndices(x, options);
    const results = await evaluate({ indices }, feeds);
    const byIndices = new Array<number>(count).fill(0);
    numbersOf(results.indices).forEach((at, i) => {
      byIndices[at] += g[i];
    });
    assert.deepEqual(byIndices, expected);
  });
}
