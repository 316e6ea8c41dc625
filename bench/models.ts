// What each model weighs: parameters, operations of one picture, and what one takes of a processor
// here: time that other work on the machine does not count for. For choosing one.
import { Engine } from '../src/engine/engine.js';
import { elementCount } from '../src/graph/tensor.js';
import { modelNames, modelRecipe } from '../src/models/model.js';
import type { Parameters } from '../src/nn/parameters.js';
import { cascadeForward, cascadeInference, inferenceValues } from './cascade-graphs.js';
import { floatingOperations } from './flops.js';
import { refineDetInference } from './refinedet.js';
import { loadGraph } from './session.js';
import { milliseconds, table, timingOf } from './timing.js';

interface Weight {
  readonly parameters: number;
  readonly size: string;
  readonly operations: number;
  /** Milliseconds of processor time of a picture on one thread, resizing and decoding left out. */
  readonly times: readonly number[];
}

/** A size that the demo takes, and all that have a name. */
const measured = ['refinedet-tiny-192', ...modelNames];

/** @param part of names: only these models */
export async function benchModels(repeats: number, part = ''): Promise<void> {
  const rows: string[][] = [];
  const add = (name: string, { parameters, size, operations, times }: Weight) => {
    const { best, median } = timingOf(times);
    const figures = [(parameters / 1e6).toFixed(1), size, (operations / 1e9).toFixed(1)];
    rows.push([`\`${name}\``, ...figures, milliseconds(best), milliseconds(median)]);
    console.error(rows.at(-1)!.join('  '));
  };
  for (const name of measured.filter((each) => each.includes(part))) {
    if (isRefineDet(name)) add(name, await weighRefineDet(name, repeats));
    else add(name, await weighCascade(name as `cascade-rcnn-${string}`, repeats));
  }
  const header = ['80 classes, one picture', 'parameters, M', 'network sees', 'GFLOP', 'cpu ms, best', 'median'];
  console.log(table(header, rows));
}

async function weighRefineDet(model: `refinedet-${string}`, repeats: number): Promise<Weight> {
  const { size } = modelRecipe(model, 1);
  const { network, detections, weights, feeds } = refineDetInference(model, 1);
  await using engine = await Engine.start({ threads: 1 });
  const session = await loadGraph(engine, detections, { provider: 'cpu', form: 'fast' }, { initializers: weights });
  return {
    parameters: [...weights.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0),
    size: `${size}×${size}`,
    operations: floatingOperations(Object.values(network)),
    times: await timesOf(() => session.run(feeds), repeats),
  };
}

const isRefineDet = (name: string): name is `refinedet-${string}` => name.startsWith('refinedet-');

/** On the canvas of a picture that is as long and as high as the recipe allows. */
async function weighCascade(model: `cascade-rcnn-${string}`, repeats: number): Promise<Weight> {
  const { long, short, multiple, fixed } = modelRecipe(model, 1).resize;
  const up = (side: number) => multiple * Math.ceil(side / multiple);
  const canvas = fixed ?? { height: up(short), width: up(long) };
  const bench = { model, canvas, batch: 1, sampling: modelRecipe(model, 1).roiAlign.sampling };
  const graph = cascadeInference(bench);
  const { weights, feeds } = inferenceValues(bench, graph);
  await using engine = await Engine.start({ threads: 1 });
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
    const before = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
  }
  return times;
}
