import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import {
  type ConvOptions,
  conv2d,
  type Dim,
  elementCount,
  gradient,
  input,
  reduceSum,
  type Tensor,
  topological,
  type Value,
} from '../../src/graph/index.js';
import { lowerFor, type Target } from '../../src/lowering/index.js';
import { writeLowered } from '../../src/lowering/write.js';
import { fastTarget, pseudo, referenceTarget, runner } from '../graph/harness.js';
import { temporaryFolder } from '../temporary-folder.js';
import { assertClose, assertSameAsReference } from './same-as-reference.js';

const cases = {
  'tiles that fit': { x: [2, 128, 8, 12], w: [128, 128, 3, 3] },
  'many tiles a picture': { x: [2, 64, 33, 32], w: [64, 64, 3, 3] },
  'one row and column too many': { x: [1, 128, 9, 13], w: [132, 128, 3, 3] },
  'two too many': { x: [1, 130, 10, 14], w: [128, 130, 3, 3] },
  'one too few': { x: [2, 128, 11, 7], w: [128, 128, 3, 3] },
};

for (const [name, shapes] of Object.entries(cases)) {
  test(`Winograd's convolution and gradients equal the direct form: ${name}`, () =>
    assertSameAsReference({
      shapes: { ...shapes, b: [shapes.w[0]] },
      build: ({ x, w, b }) => conv2d(x, w, { padding: 1, bias: b }),
      tolerance: 1e-5,
    }));
}

test('a convolution alone, without gradients, equals the direct form', async () => {
  const shapes = { x: [2, 160, 21, 23], w: [160, 160, 3, 3], b: [160] };
  const inputs = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, input(name, 'float32', shape)]),
  );
  const y = conv2d(inputs.x, inputs.w, { padding: 1, bias: inputs.b });
  assert.ok(operatorTypes([y]).includes('MatMul'), 'it takes the form that is tested');
  const feeds = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], seed) => {
      const data = pseudo(elementCount(shape), seed + 1);
      return [name, { dtype: 'float32', shape, data } satisfies Tensor];
    }),
  );
  const [expected, found] = await Promise.all(
    [referenceTarget, fastTarget].map(async (target) => (await runner({ y }, target)).run(feeds)),
  );
  assertClose(found.y.data as Float32Array, expected.y.data as Float32Array, 1e-5, 'y');
});

function operatorTypes(values: readonly Value[], target: Target = fastTarget): string[] {
  return topological(lowerFor(values, target)).map((node) => node.operator.type);
}

test('constant kernels are transformed when a graph is loaded, not in each run', async (t) => {
  const folder = await temporaryFolder(t);
  const w = { dtype: 'float32', shape: [160, 160, 3, 3], data: pseudo(160 * 160 * 9, 1) } satisfies Tensor;
  const y = conv2d(input('x', 'float32', [1, 160, 20, 20]), input('w', 'float32', w.shape), { padding: 1 });
  await using engine = await Engine.start({ threads: 1 });
  const { bytes } = writeLowered({ name: 'conv', outputs: { y }, initializers: new Map([['w', w]]) }, fastTarget);
  const session = await engine.load(bytes, { profile: join(folder, 'trace') });
  await session.run({ x: { dtype: 'float32', shape: [1, 160, 20, 20], data: pseudo(160 * 400, 2) } });
  await session.endProfile();
  const [name] = await readdir(folder);
  const trace = JSON.parse(await readFile(join(folder, name), 'utf8')) as {
    cat: string;
    args?: { op_name?: string };
  }[];
  const ran = new Set(trace.filter(({ cat }) => cat === 'Node').map(({ args }) => args?.op_name));
  assert.ok(ran.has('Conv') && ran.has('MatMul'), [...ran].join());
  assert.ok(!ran.has('Gemm'), 'the transform of the kernels');
});

test('the transformed input is shared by the convolution and its weight gradient', () => {
  const [x, w] = [input('x', 'float32', [1, 128, 16, 16]), input('w', 'float32', [128, 128, 3, 3])];
  const y = conv2d(x, w, { padding: 1 });
  const [dw] = gradient(reduceSum(y), [w]);
  const types = operatorTypes([y, dw]);
  // The transforms of X and of dY; nothing is transformed twice.
  assert.equal(types.filter((type) => type === 'Conv').length, 2);
});

const kept: Readonly<Record<string, { x: readonly Dim[]; w: readonly number[]; options?: ConvOptions }>> = {
  'a map of free size': { x: [1, 256, 'height', 'width'], w: [256, 256, 3, 3] },
  'a free batch': { x: ['batch', 256, 40, 40], w: [256, 256, 3, 3] },
  'few channels': { x: [1, 128, 40, 40], w: [128, 128, 3, 3] },
  'few pixels': { x: [1, 512, 10, 10], w: [512, 512, 3, 3] },
  'a stride': { x: [1, 256, 40, 40], w: [256, 256, 3, 3], options: { stride: 2 } },
  'a dilation': { x: [1, 256, 40, 40], w: [256, 256, 3, 3], options: { padding: 2, dilation: 2 } },
  groups: { x: [1, 512, 40, 40], w: [512, 256, 3, 3], options: { groups: 2 } },
  'a kernel of 1×1': { x: [1, 256, 40, 40], w: [256, 256, 1, 1], options: { padding: 0 } },
};

for (const [name, { x, w, options }] of Object.entries(kept)) {
  test(`a convolution alone stays plain for ${name}`, () => {
    const y = conv2d(input('x', 'float32', x), input('w', 'float32', w), { padding: 1, ...options });
    assert.deepEqual(operatorTypes([y]), ['Input', 'Input', 'Conv']);
  });
}
