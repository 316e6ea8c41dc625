// Both gradients of a convolution against the convolution itself with constant weights, which the runtime may reorder and
// pack beforehand: the fastest that it does these multiplications in plain form.
import { Engine, type Session } from '../src/engine/engine.js';
import {
  type ConvOptions,
  conv2d,
  gradient,
  input,
  mul,
  reduceMax,
  reduceSum,
  type Value,
} from '../src/graph/index.js';
import type { Tensor } from '../src/graph/tensor.js';
import type { Target } from '../src/lowering/index.js';
import { loadGraph, noiseTensor } from './session.js';
import { interleaved, milliseconds, ratio, table } from './timing.js';

interface ConvShape extends ConvOptions {
  readonly name: string;
  readonly x: readonly number[];
  readonly w: readonly number[];
}

const same = { padding: 1 };
const shapes: readonly ConvShape[] = [
  { name: '3×3 64 @ 320²', x: [4, 64, 320, 320], w: [64, 64, 3, 3], ...same },
  { name: '3×3 128 @ 160²', x: [4, 128, 160, 160], w: [128, 128, 3, 3], ...same },
  { name: '3×3 256 @ 80²', x: [4, 256, 80, 80], w: [256, 256, 3, 3], ...same },
  { name: '3×3 512 @ 40²', x: [4, 512, 40, 40], w: [512, 512, 3, 3], ...same },
  { name: '3×3 512 @ 20²', x: [4, 512, 20, 20], w: [512, 512, 3, 3], ...same },
  { name: '3×3 256 @ 80², batch 1', x: [1, 256, 80, 80], w: [256, 256, 3, 3], ...same },
  { name: '3×3 dilation 3, 512→1024 @ 10²', x: [4, 512, 10, 10], w: [1024, 512, 3, 3], padding: 3, dilation: 3 },
  { name: '1×1 256→64 @ 80²', x: [4, 256, 80, 80], w: [64, 256, 1, 1] },
  { name: '1×1 1024 @ 10²', x: [4, 1024, 10, 10], w: [1024, 1024, 1, 1] },
  { name: '1×1 stride 2, 256→512 @ 80²', x: [4, 256, 80, 80], w: [512, 256, 1, 1], stride: 2 },
  { name: '3×3 stride 2, 128 @ 80²', x: [4, 128, 80, 80], w: [128, 128, 3, 3], stride: 2, ...same },
  { name: '7×7 stride 2, 3→64 @ 320²', x: [4, 3, 320, 320], w: [64, 3, 7, 7], stride: 2, padding: 3 },
  { name: 'head 3×3, 256→12 @ 40²', x: [4, 256, 40, 40], w: [12, 256, 3, 3], ...same },
  { name: 'depthwise 3×3, 128 @ 80²', x: [4, 128, 80, 80], w: [128, 1, 3, 3], groups: 128, ...same },
];

const target: Target = { provider: 'cpu', form: 'fast' };

/** One number of a result, so that no time goes into handing it over. */
const probe = (value: Value) => reduceMax(value);

async function loadShape(engine: Engine, { x, w, ...options }: ConvShape) {
  const [vx, vw] = [input('x', 'float32', x), input('w', 'float32', w)];
  const y = conv2d(vx, vw, options);
  const dy = input('dy', 'float32', y.shape);
  const [dx, dw] = gradient(reduceSum(mul(y, dy)), [vx, vw]);
  const weights = new Map([['w', noiseTensor(w, 0.05)]]);
  const plain: Target = { provider: 'cpu', form: 'reference' };
  const sessions: Record<string, Session> = {
    forward: await loadGraph(engine, { y: probe(y) }, plain, { initializers: weights }),
    input: await loadGraph(engine, { dx: probe(dx) }, target),
    weight: await loadGraph(engine, { dw: probe(dw) }, target),
    all: await loadGraph(engine, { y: probe(y), dx: probe(dx), dw: probe(dw) }, target),
  };
  const state = await engine.createState({
    x: noiseTensor(x),
    dy: noiseTensor(y.staticShape),
    w: weights.get('w') as Tensor,
  });
  return { sessions, state };
}

export async function benchConv(repeats: number, filter: string | undefined): Promise<void> {
  const engine = await Engine.start();
  const rows: string[][] = [];
  for (const shape of shapes.filter(({ name }) => !filter || name.includes(filter))) {
    const { sessions, state } = await loadShape(engine, shape);
    const variants = Object.entries(sessions).map(([name, session]) => ({
      name,
      run: async () => void (await session.run({}, { state })),
    }));
    const times = await interleaved(variants, repeats);
    const { forward, input: dx, weight: dw, all } = Object.fromEntries(times);
    const rates = [dx, dw].flatMap((own) => [forward.best / own.best, forward.median / own.median]);
    rows.push([
      shape.name,
      milliseconds(forward.best),
      ...rates.map(ratio),
      ratio((3 * forward.best) / all.best),
      ratio((3 * forward.median) / all.median),
    ]);
    console.error(shape.name);
    for (const session of Object.values(sessions)) await session.dispose();
    await state.dispose();
  }
  await engine.dispose();
  console.log(
    'Rates relative to the forward convolution with constant weights (1 = as fast a multiplication), best and median.',
  );
  console.log('"All three" is a training graph of the convolution and both gradients against three convolutions.');
  const header = ['shape', 'forward ms', 'dX best', 'dX median', 'dW best', 'dW median', 'all three best', 'median'];
  console.log(table(header, rows));
}
