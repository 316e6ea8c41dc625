// One measurement in a process of its own, so that the largest resident memory is of that one alone. Gets a `CascadeTask`
// as JSON in its first argument and prints a `CascadeResult`.
import { Engine, type Session } from '../src/engine/engine.js';
import type { Tensor } from '../src/graph/tensor.js';
import type { Value } from '../src/graph/value.js';
import type { Target } from '../src/lowering/index.js';
import { writeLowered } from '../src/lowering/write.js';
import { type CascadeBench, cascadeInference, cascadeStep, inferenceValues, stepValues } from './cascade-graphs.js';
import { partOf, partsByNode } from './cascade-parts.js';
import { peakMemory } from './peak-memory.js';
import { TraceFolder } from './profile.js';
import { timingOf } from './timing.js';

export interface CascadeTask extends CascadeBench {
  readonly mode: 'inference' | 'step';
  readonly repeats: number;
  /** Trace the operators, which costs time of its own. */
  readonly profile?: boolean;
}

export interface CascadeResult {
  /** Milliseconds of a run. */
  readonly best: number;
  readonly median: number;
  /** Largest resident memory, MiB. */
  readonly peakMemory: number;
  /** Milliseconds to write the graph and its gradients, to lower it, and to load it into the runtime. */
  readonly write: number;
  readonly lower: number;
  readonly load: number;
  /** Shares of the operators' time by part and operator. */
  readonly shares?: readonly (readonly [string, number])[];
}

interface Loaded {
  readonly times: Pick<CascadeResult, 'write' | 'lower' | 'load'>;
  readonly bytes: Uint8Array;
  readonly session: Session;
  readonly run: () => Promise<unknown>;
}

/** Milliseconds that `work` takes, and what it gives. */
async function timed<T>(work: () => T | Promise<T>): Promise<[number, T]> {
  const start = performance.now();
  const result = await work();
  return [performance.now() - start, result];
}

async function loadStep(engine: Engine, task: CascadeTask, profile: string | undefined): Promise<Loaded> {
  const [write, graph] = await timed(() => cascadeStep(task));
  const { outputs, updates } = graph.step.batch;
  const { state: first, frozen, feeds } = stepValues(task, graph);
  const target: Target = { provider: 'cpu', form: 'fast' };
  const loaded = await loadLowered(engine, outputs, target, frozen, profile);
  const state = await engine.createState(first);
  const run = () => loaded.session.run(feeds, { state, updates });
  return { ...loaded, times: { write, ...loaded.times }, run };
}

async function loadInference(engine: Engine, task: CascadeTask, profile: string | undefined): Promise<Loaded> {
  const [write, graph] = await timed(() => cascadeInference(task));
  const { weights, feeds } = inferenceValues(task, graph);
  const target: Target = { provider: 'cpu', form: 'reference' };
  const loaded = await loadLowered(engine, { ...graph.outputs }, target, weights, profile);
  const run = () => loaded.session.run(feeds);
  return { ...loaded, times: { write, ...loaded.times }, run };
}

async function loadLowered(
  engine: Engine,
  outputs: Readonly<Record<string, Value>>,
  target: Target,
  initializers: ReadonlyMap<string, Tensor>,
  profile: string | undefined,
) {
  const [lower, { bytes }] = await timed(() => writeLowered({ name: 'bench', outputs, initializers }, target));
  const [load, session] = await timed(() => engine.load(bytes, { profile }));
  return { times: { lower, load }, bytes, session };
}

async function measure(task: CascadeTask): Promise<CascadeResult> {
  const engine = await Engine.start();
  const trace = task.profile ? new TraceFolder() : undefined;
  const load = task.mode === 'step' ? loadStep : loadInference;
  const { times, bytes, session, run } = await load(engine, task, trace?.prefix);
  const runs: number[] = [];
  await run();
  for (let i = 0; i < task.repeats; i++) runs.push((await timed(run))[0]);
  if (trace) await session.endProfile();
  await engine.dispose();
  const parts = partsByNode(bytes);
  return {
    ...timingOf(runs),
    ...times,
    peakMemory: peakMemory() / 2 ** 20,
    shares: trace?.read(({ name, type }) => `${partOf(name, parts)}: ${type}`),
  };
}

console.log(JSON.stringify(await measure(JSON.parse(process.argv[2]) as CascadeTask)));
