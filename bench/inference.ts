import { Engine, type Session } from '../src/engine/engine.js';
import { peerAbsent, runPeer } from './peer.js';
import { refineDetInference } from './refinedet.js';
import { loadGraph } from './session.js';
import { interleaved, milliseconds, ratio, type Timing, table, timingOf } from './timing.js';

const script = 'refinedet_torch';
/** Channels-last is the fastest there. */
const options = ['cl'];
const model = 'refinedet-vgg16-320';
const fast = { provider: 'cpu', form: 'fast' } as const;
const plain = { provider: 'cpu', form: 'reference' } as const;

/**
 * One picture: the network against the peer's, in the forms that `Detector` runs and in the runtime's own convolutions,
 * and detection with suppression.
 */
export async function benchInference(repeats: number): Promise<void> {
  const engine = await Engine.start();
  const { network, detections, weights, feeds, pictures } = refineDetInference(model, 1);
  const loaded: string[][] = [];
  const load = async (name: string, outputs: typeof network, target: typeof fast | typeof plain): Promise<Session> => {
    const began = performance.now();
    const session = await loadGraph(engine, outputs, target, { initializers: weights });
    loaded.push([`loading: ${name}`, milliseconds(performance.now() - began), '']);
    return session;
  };
  const heads = await load('network', network, fast);
  const plainHeads = await load('network, plain', network, plain);
  const detect = await load('detections', detections, fast);
  const variants = [
    { name: 'network', run: async () => void (await heads.run(pictures)) },
    { name: 'network, plain', run: async () => void (await plainHeads.run(pictures)) },
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
  const rows = variants.map(({ name }) => [`boxwright: ${name}`, ...of(name).map(milliseconds)]);
  if (peers.length) {
    const peer = overall(peers);
    rows.push(['PyTorch channels-last: network', ...peer.map(milliseconds)]);
    rows.push(['PyTorch / boxwright: network', ...peer.map((time, i) => ratio(time / of('network')[i]))]);
    rows.push(['PyTorch / boxwright: network, plain', ...peer.map((time, i) => ratio(time / of('network, plain')[i]))]);
  }
  console.log(table([`${model}, ms`, 'best', 'median'], [...rows, ...loaded]));
  if (absent) console.log(absent);
  await engine.dispose();
}
