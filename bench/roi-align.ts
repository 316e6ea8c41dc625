// RoIAlign on P2 … P5 of a canvas of 1280 × 768 and its gradient by the maps, against the runtime's own RoIAlign of each
// level's RoIs.
import { Engine, type State } from '../src/engine/engine.js';
import {
  constant,
  gradient,
  input,
  int64s,
  mul,
  reduceMax,
  reduceSum,
  roiAlign,
  roiAlignLevels,
  sumOf,
  type Value,
} from '../src/graph/index.js';
import type { Tensor } from '../src/graph/tensor.js';
import type { Target } from '../src/lowering/index.js';
import { loadGraph, noise, noiseTensor } from './session.js';
import { interleaved, milliseconds, ratio, table, type Variant } from './timing.js';

const [width, height, channels, count, bins] = [1280, 768, 256, 512, 7];
const strides = [4, 8, 16, 32];
const scales = strides.map((stride) => 1 / stride);
const mapShapes = strides.map((stride) => [1, channels, height / stride, width / stride]);
const target: Target = { provider: 'cpu', form: 'fast' };

interface Rois {
  readonly boxes: Float32Array;
  readonly levels: readonly number[];
}

/** Boxes within the canvas with sides of 16 to 600 pixels and aspects of 0.3 to 3, each on its level of the pyramid. */
function arbitraryRois(stage: number): Rois {
  const numbers = noise(4 * count * (stage + 1)).subarray(4 * count * stage);
  const boxes = Array.from({ length: count }, (_, i) => arbitraryBox(numbers.subarray(4 * i, 4 * i + 4)));
  const levels = boxes.map(([x1, y1, x2, y2]) => {
    const level = Math.floor(Math.log2(Math.sqrt((x2 - x1) * (y2 - y1)) / 56 + 1e-6));
    return Math.min(Math.max(level, 0), strides.length - 1);
  });
  return { boxes: Float32Array.from(boxes.flat()), levels };
}

/** A box from four numbers in [-1, 1). */
function arbitraryBox(numbers: Float32Array): number[] {
  const [a, b, x, y] = Array.from(numbers, (number) => (number + 1) / 2);
  const [side, aspect] = [16 * (600 / 16) ** a, Math.sqrt(0.3 * 10 ** b)];
  const [w, h] = [(side * aspect) / 2, side / aspect / 2];
  const corners = [x * width - w, y * height - h, x * width + w, y * height + h];
  return corners.map((at, i) => Math.min(Math.max(at, 0), i % 2 ? height : width));
}

const names = mapShapes.map((_, i) => `p${i + 2}`);
const maps = names.map((name, i) => input(name, 'float32', mapShapes[i]));
const dYs = [0, 1, 2].map((stage) => input(`dy${stage}`, 'float32', [count, channels, bins, bins]));
const zeros = int64s(Array<number>(count).fill(0));
const boxesOf = ({ boxes }: Rois) => constant('float32', [boxes.length / 4, 4], boxes);

function pooled(rois: Rois, sampling: number): Value {
  return roiAlignLevels(maps, boxesOf(rois), zeros, int64s(rois.levels), { size: [bins, bins], sampling, scales });
}

/** One number a level, so that no time goes into handing results over. */
function plainForward({ boxes, levels }: Rois, sampling: number): Record<string, Value> {
  const outputs = maps.map((map, level) => {
    const own = levels.flatMap((of, i) => (of === level ? [...boxes.subarray(4 * i, 4 * i + 4)] : []));
    const rois = constant('float32', [own.length / 4, 4], Float32Array.from(own));
    const options = { size: [bins, bins], sampling, scale: scales[level] } as const;
    return reduceMax(roiAlign(map, rois, int64s(Array<number>(own.length / 4).fill(0)), options));
  });
  return Object.fromEntries(outputs.map((output, i) => [`y_${names[i]}`, output]));
}

/** The gradients by the maps of so many stages, each with RoIs of its own. */
function gradients(stages: readonly Rois[], sampling: number): Record<string, Value> {
  const losses = stages.map((rois, stage) => reduceSum(mul(pooled(rois, sampling), dYs[stage])));
  return Object.fromEntries(gradient(sumOf(losses), maps).map((dMap, i) => [`d_${names[i]}`, dMap]));
}

async function variantsOf(engine: Engine, state: State, sampling: number): Promise<Variant[]> {
  const stages = [0, 1, 2].map(arbitraryRois);
  const load = (outputs: Record<string, Value>) => loadGraph(engine, outputs, target);
  const [plain, levels, one, three] = [
    await load(plainForward(stages[0], sampling)),
    await load({ y: reduceMax(pooled(stages[0], sampling)) }),
    await load(gradients(stages.slice(0, 1), sampling)),
    await load(gradients(stages, sampling)),
  ];
  // A gradient is kept where a map was, as a step keeps its results: the maps are noise in any case.
  const updates = Object.fromEntries(names.map((name) => [`d_${name}`, name]));
  return [
    { name: 'plain', run: async () => void (await plain.run({}, { state })) },
    { name: 'levels', run: async () => void (await levels.run({}, { state })) },
    { name: 'gradient', run: async () => void (await one.run({}, { state, updates })) },
    { name: 'three', run: async () => void (await three.run({}, { state, updates })) },
  ];
}

export async function benchRoiAlign(repeats: number): Promise<void> {
  const engine = await Engine.start();
  const rows: string[][] = [];
  for (const sampling of [2, 0]) {
    const tensors = Object.fromEntries<Tensor>(
      [...maps, ...dYs].map((value, i) => [i < 4 ? names[i] : `dy${i - 4}`, noiseTensor(value.staticShape)]),
    );
    const state = await engine.createState(tensors);
    const times = await interleaved(await variantsOf(engine, state, sampling), repeats);
    for (const kind of ['best', 'median'] as const) {
      const [plain, levels, one, three] = ['plain', 'levels', 'gradient', 'three'].map(
        (name) => times.get(name)![kind],
      );
      rows.push([
        `${sampling ? `${sampling} points` : 'adaptive'}, ${kind}`,
        ...[plain, levels, one, three].map(milliseconds),
        ratio(levels / plain),
        ratio(one / plain),
      ]);
    }
    await state.dispose();
  }
  await engine.dispose();
  console.log(`${count} RoIs, ${bins}×${bins}, ${channels} channels, P2 … P5 of ${width}×${height}: ms`);
  const header = [
    'sampling',
    'plain RoiAlign',
    'on levels',
    'gradient',
    'of three stages',
    'levels / plain',
    'gradient / plain',
  ];
  console.log(table(header, rows));
}
