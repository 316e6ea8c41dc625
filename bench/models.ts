// What each model weighs: parameters, operations of one picture, and how long it takes here. For choosing one.
import { Engine } from '../src/engine/engine.js';
import { elementCount } from '../src/graph/tensor.js';
import { modelRecipe } from '../src/models/model.js';
import type { Parameters } from '../src/nn/parameters.js';
import { type CascadeBench, cascadeForward, cascadeInference, inferenceValues } from './cascade-graphs.js';
import { floatingOperations } from './flops.js';
import { refineDetInference } from './refinedet.js';
import { loadGraph } from './session.js';
import { milliseconds, table, timingOf } from './timing.js';

interface Weight {
  readonly parameters: number;
  readonly size: string;
  readonly operations: number;
  /** Milliseconds of a picture, resizing and decoding left out. */
  readonly times: readonly number[];
}

const refineDets = ['tiny-192', 'resnet18-320', 'resnet50-320', 'vgg16-320', 'vgg16-512', 'resnet101-320'] as const;

const cascades: readonly Pick<CascadeBench, 'model' | 'canvas'>[] = [
  { model: 'cascade-rcnn-tiny', canvas: { height: 192, width: 192 } },
  { model: 'cascade-rcnn-resnet18', canvas: { height: 320, width: 416 } },
  { model: 'cascade-rcnn-resnet50', canvas: { height: 800, width: 1344 } },
  { model: 'cascade-rcnn-resnet101', canvas: { height: 800, width: 1344 } },
];

export async function benchModels(repeats: number): Promise<void> {
  const rows: string[][] = [];
  const add = (name: string, { parameters, size, operations, times }: Weight) => {
    const { best, median } = timingOf(times);
    const figures = [(parameters / 1e6).toFixed(1), size, (operations / 1e9).toFixed(1)];
    rows.push([`\`${name}\``, ...figures, milliseconds(best), milliseconds(median)]);
    console.error(rows.at(-1)!.join('  '));
  };
  for (const name of refineDets) add(`refinedet-${name}`, await weighRefineDet(`refinedet-${name}`, repeats));
  for (const own of cascades) add(own.model, await weighCascade(own, repeats));
  const header = ['80 classes, one picture', 'parameters, M', 'network sees', 'GFLOP', 'ms, best', 'median'];
  console.log(table(header, rows));
}

async function weighRefineDet(model: `refinedet-${string}`, repeats: number): Promise<Weight> {
  const { size } = modelRecipe(model, 1);
  const { network, detections, weights, feeds } = refineDetInference(model, 1);
  await using engine = await Engine.start();
  const session = await loadGraph(engine, detections, { provider: 'cpu', form: 'fast' }, { initializers: weights });
  return {
    parameters: [...weights.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0),
    size: `${size}×${size}`,
    operations: floatingOperations(Object.values(network)),
    times: await timesOf(() => session.run(feeds), repeats),
  };
}

async function weighCascade(
  { model, canvas }: Pick<CascadeBench, 'model' | 'canvas'>,
  repeats: number,
): Promise<Weight> {
  const bench = { model, canvas, batch: 1, sampling: modelRecipe(model, 1).roiAlign.sampling };
  const graph = cascadeInference(bench);
  const { weights, feeds } = inferenceValues(bench, graph);
  await using engine = await Engine.start();
  const session = await loadGraph(
    engine,
    { ...graph.outputs },
    { provider: 'cpu', form: 'reference' },
    { initializers: weights },
  );
  return {
    parameters: countOf(graph.p),
    size: `${canvas.width}×${canvas.height}`,
    operations: floatingOperations(cascadeForward(bench)),
    times: await timesOf(() => session.run(feeds), repeats),
  };
}

function countOf(p: Parameters): number {
  return [...p.specs.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

async function timesOf(run: () => Promise<unknown>, repeats: number): Promise<number[]> {
  await run();
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return times;
}
