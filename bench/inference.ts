import { Engine } from '../src/engine/engine.js';
import { peerAbsent, runPeer } from './peer.js';
import { refineDetInference } from './refinedet.js';
import { loadGraph } from './session.js';
import { interleaved, milliseconds, ratio, type Timing, table, timingOf } from './timing.js';

const model = 'refinedet-vgg16-320';

/** Detection on one picture (suppression included) against the peer's network alone. */
export async function benchInference(repeats: number): Promise<void> {
  const engine = await Engine.start();
  const { outputs, weights, feeds } = refineDetInference(model, 1);
  const detect = await loadGraph(engine, outputs, { provider: 'cpu', form: 'reference' }, { initializers: weights });
  const variants = [{ name: 'ours', run: async () => void (await detect.run(feeds)) }];
  const absent = peerAbsent();
  const ours: Timing[] = [];
  const peers: Timing[] = [];
  for (let round = 0; round < repeats; round++) {
    ours.push((await interleaved(variants, 8)).get('ours')!);
    const peer = absent ? undefined : runPeer('infer', 1, 8);
    if (peer) peers.push(peer);
  }
  const overall = (timings: readonly Timing[]) => [
    timingOf(timings.map(({ best }) => best)).best,
    timingOf(timings.map(({ median }) => median)).median,
  ];
  const rows = [['boxwright, batch 1', ...overall(ours).map(milliseconds)]];
  if (peers.length) {
    rows.push(['PyTorch channels-last, batch 1', ...overall(peers).map(milliseconds)]);
    rows.push(['PyTorch / ours', ...overall(peers).map((time, i) => ratio(time / overall(ours)[i]))]);
  }
  console.log(table([`${model}, ms`, 'best', 'median'], rows));
  if (absent) console.log(absent);
  await engine.dispose();
}
