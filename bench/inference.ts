import { Engine } from '../src/engine/engine.js';
import { peerAbsent, runPeer } from './peer.js';
import { refineDetInference } from './refinedet.js';
import { loadGraph } from './session.js';
import { interleaved, milliseconds, ratio, type Timing, table, timingOf } from './timing.js';

const script = 'refinedet_torch';
/** Channels-last is the fastest there. */
const options = ['cl'];
const model = 'refinedet-vgg16-320';

/** One picture: the network against the peer's, and detection with suppression. */
export async function benchInference(repeats: number): Promise<void> {
  const engine = await Engine.start();
  const { network, detections, weights, feeds, pictures } = refineDetInference(model, 1);
  const plain = { provider: 'cpu', form: 'reference' } as const;
  const heads = await loadGraph(engine, network, plain, { initializers: weights });
  const detect = await loadGraph(engine, detections, plain, { initializers: weights });
  const variants = [
    { name: 'network', run: async () => void (await heads.run(pictures)) },
    { name: 'detections', run: async () => void (await detect.run(feeds)) },
  ];
  const absent = peerAbsent(script);
  const ours: Map<string, Timing>[] = [];
  const peers: Timing[] = [];
  for (let round = 0; round < repeats; round++) {
    ours.push(await interleaved(variants, 8));
    const peer = absent ? undefined : runPeer({ script, mode: 'infer', batch: 1, repeats: 8, options });
    if (peer) peers.push(peer);
  }
  const overall = (timings: readonly Timing[]) => [
    timingOf(timings.map(({ best }) => best)).best,
    timingOf(timings.map(({ median }) => median)).median,
  ];
  const of = (name: string) => overall(ours.map((round) => round.get(name)!));
  const rows = [
    ['boxwright, network', ...of('network').map(milliseconds)],
    ['boxwright, detections', ...of('detections').map(milliseconds)],
  ];
  if (peers.length) {
    rows.push(['PyTorch channels-last, network', ...overall(peers).map(milliseconds)]);
    rows.push(['PyTorch / ours, network', ...overall(peers).map((time, i) => ratio(time / of('network')[i]))]);
  }
  console.log(table([`${model}, ms`, 'best', 'median'], rows));
  if (absent) console.log(absent);
  await engine.dispose();
}
