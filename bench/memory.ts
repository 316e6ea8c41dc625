import { Engine } from '../src/engine/engine.js';
import { peakMemory } from './peak-memory.js';
import { peerAbsent, runPeer } from './peer.js';
import { refineDetStep } from './refinedet.js';
import { loadGraph } from './session.js';
import { table } from './timing.js';

const script = 'refinedet_torch';
/** Channels-last is the fastest there. */
const options = ['cl'];
const target = { provider: 'cpu', form: 'fast' } as const;
const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(0);

/** Resident memory over many steps of a small model, and the peak of the VGG-16 step beside the peer's. */
export async function benchMemory(steps: number, batch: number): Promise<void> {
  const rows: string[][] = [];
  const engine = await Engine.start();
  const small = refineDetStep('refinedet-vgg16-64', 1);
  const session = await loadGraph(engine, small.graph.outputs, target);
  const state = await engine.createState(small.state);
  for (let step = 1; step <= steps; step++) {
    await session.run(small.feeds, { state, updates: small.graph.updates });
    if (step === 20 || step % 100 === 0) rows.push([`${step}`, mebibytes(process.memoryUsage().rss)]);
  }
  console.log(table(['steps of refinedet-vgg16-64, batch 1', 'resident MiB'], rows));
  await session.dispose();
  await state.dispose();
  await engine.dispose();
  await peakOfStep(batch);
}

async function peakOfStep(batch: number): Promise<void> {
  const engine = await Engine.start();
  const { graph, state: first, feeds } = refineDetStep('refinedet-vgg16-320', batch);
  const session = await loadGraph(engine, graph.outputs, target);
  const state = await engine.createState(first);
  for (let step = 0; step < 3; step++) await session.run(feeds, { state, updates: graph.updates });
  const rows = [['boxwright', mebibytes(peakMemory())]];
  const absent = peerAbsent(script);
  const peer = absent ? undefined : runPeer({ script, mode: 'train', batch, repeats: 3, options });
  if (peer) rows.push(['PyTorch channels-last', peer.peakMemory.toFixed(0)]);
  console.log(`\n${table([`peak of a refinedet-vgg16-320 step, batch ${batch}`, 'MiB'], rows)}`);
  if (absent) console.log(absent);
  await engine.dispose();
}
