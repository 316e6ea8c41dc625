import { Engine } from '../src/engine/engine.js';
import { type PeerResult, peerAbsent, runPeer } from './peer.js';
import { TraceFolder } from './profile.js';
import { refineDetInference, refineDetStep } from './refinedet.js';
import { loadGraph } from './session.js';
import { interleaved, milliseconds, ratio, type Timing, table, timingOf } from './timing.js';

const script = 'refinedet_torch';
/** Channels-last is the fastest there. */
const options = ['cl'];
const model = 'refinedet-vgg16-320';

/** A training step a picture against the inference of one picture, the step's parts, and the peer's step. */
export async function benchStep(repeats: number, batch: number): Promise<void> {
  const engine = await Engine.start();
  const { graph, state: first, feeds } = refineDetStep(model, batch);
  const trace = new TraceFolder();
  const target = { provider: 'cpu', form: 'fast' } as const;
  const step = await loadGraph(engine, graph.outputs, target);
  const state = await engine.createState(first);
  const inference = refineDetInference(model, 1);
  const plain = { provider: 'cpu', form: 'reference' } as const;
  const detect = await loadGraph(engine, inference.detections, plain, { initializers: inference.weights });
  const train = async () => void (await step.run(feeds, { state, updates: graph.updates }));
  const variants = [
    { name: 'step', run: train },
    { name: 'inference', run: async () => void (await detect.run(inference.feeds)) },
  ];
  const absent = peerAbsent(script);
  const rounds: Map<string, Timing>[] = [];
  const peers: PeerResult[] = [];
  for (let round = 0; round < repeats; round++) {
    rounds.push(await interleaved(variants, 3));
    const peer = absent ? undefined : runPeer({ script, mode: 'train', batch, repeats: 4, options });
    if (peer) peers.push(peer);
  }
  const best = (name: string) => timingOf(rounds.map((round) => round.get(name)!.best)).best;
  const median = (name: string) => timingOf(rounds.map((round) => round.get(name)!.median)).median;
  const rows = [
    [`step, batch ${batch}, a picture`, milliseconds(best('step') / batch), milliseconds(median('step') / batch)],
    ['inference of one picture', milliseconds(best('inference')), milliseconds(median('inference'))],
    [
      'step a picture / inference',
      ratio(best('step') / batch / best('inference')),
      ratio(median('step') / batch / median('inference')),
    ],
  ];
  if (peers.length) {
    const peer = {
      best: timingOf(peers.map((own) => own.best)).best,
      median: timingOf(peers.map((own) => own.median)).median,
    };
    rows.push(
      [
        `PyTorch channels-last, batch ${batch}, a picture`,
        milliseconds(peer.best / batch),
        milliseconds(peer.median / batch),
      ],
      ['PyTorch / ours', ratio(peer.best / best('step')), ratio(peer.median / median('step'))],
    );
  }
  console.log(table([`${model}, ms`, 'best', 'median'], rows));
  if (absent) console.log(absent);
  await step.dispose();
  const profiled = await loadGraph(engine, graph.outputs, target, { profile: trace.prefix });
  for (let run = 0; run < 3; run++) await profiled.run(feeds, { state, updates: graph.updates });
  await profiled.endProfile();
  const shares = trace.shares().map(([type, share]) => [type, `${(100 * share).toFixed(1)} %`]);
  console.log(`\n${table(['operator', 'share of the step'], shares.slice(0, 16))}`);
  await engine.dispose();
}
