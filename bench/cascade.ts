// Cascade R-CNN against torchvision's Faster R-CNN of the same size, in turns, each measurement in a process of its own.
// The peer has one head where ours has three: times are compared a floating-point operation.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type CascadeBench, cascadeForward, cascadeStep } from './cascade-graphs.js';
import type { CascadeResult, CascadeTask } from './cascade-measure.js';
import { gradientOf, partNames } from './cascade-parts.js';
import { floatingOperations } from './flops.js';
import { type PeerResult, type PeerRun, peerAbsent, runPeer } from './peer.js';
import { milliseconds, ratio, table, timingOf } from './timing.js';

const script = 'tv_faster_rcnn';
const published = { height: 800, width: 1344 };
const zoo = { height: 768, width: 1280 };

interface Case {
  readonly name: string;
  readonly bench: CascadeBench;
  /** Words for the peer's script; none where the case stands alone. */
  readonly peer?: readonly string[];
}

const r50 = { model: 'cascade-rcnn-resnet50', canvas: published, batch: 1, sampling: 2 } as const;
const r101 = { ...r50, model: 'cascade-rcnn-resnet101' } as const;
const r101Zoo = { ...r50, model: 'cascade-rcnn-resnet101-zoo', canvas: zoo } as const;

const inferences: readonly Case[] = [
  { name: 'R50', bench: r50, peer: [] },
  { name: 'R50, adaptive RoIAlign', bench: { ...r50, sampling: 0 } },
  { name: 'R101', bench: r101, peer: ['r101'] },
  { name: 'R101 zoo, 768×1280', bench: r101Zoo, peer: ['r101'] },
];

const steps: readonly Case[] = [
  { name: 'R50, batch 1', bench: r50, peer: [] },
  { name: 'R50, batch 1, adaptive RoIAlign', bench: { ...r50, sampling: 0 } },
  { name: 'R50, batch 2', bench: { ...r50, batch: 2 }, peer: [] },
];

/** `which`: `inference`, `step` or `parts`, with a slash and a case's name only that case; all by default. */
export function benchCascade(rounds: number, which = ''): void {
  const absent = peerAbsent(script);
  if (absent) console.log(absent);
  const [kind, name = ''] = which.split('/');
  const chosen = (cases: readonly Case[]) => cases.filter((own) => name === '' || own.name === name);
  const benches: Readonly<Record<string, () => void>> = {
    inference: () => compare('inference', chosen(inferences), rounds, 3),
    step: () => compare('step', chosen(steps), rounds, 2),
    parts,
  };
  for (const [own, bench] of Object.entries(benches)) if (kind === '' || kind === own) bench();
}

function measure(task: CascadeTask): CascadeResult {
  const file = fileURLToPath(new URL('./cascade-measure.js', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, JSON.stringify(task)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The measurement of ${task.model} ended with ${status}:\n${stderr}`);
  return JSON.parse(stdout) as CascadeResult;
}

/** Best, median, largest memory of all rounds. */
function overall<Result extends Pick<PeerResult, 'best' | 'median' | 'peakMemory'>>(rounds: readonly Result[]) {
  return {
    best: timingOf(rounds.map(({ best }) => best)).best,
    median: timingOf(rounds.map(({ median }) => median)).median,
    peakMemory: Math.max(...rounds.map(({ peakMemory }) => peakMemory)),
  };
}

const giga = (operations: number) => operations / 1e9;

function operationsOf(mode: CascadeTask['mode'], bench: CascadeBench): number {
  const graph = mode === 'step' ? Object.values(cascadeStep(bench).step.batch.outputs) : cascadeForward(bench);
  return floatingOperations(graph);
}

function compare(mode: CascadeTask['mode'], cases: readonly Case[], rounds: number, repeats: number): void {
  const rows: string[][] = [];
  const loads: string[][] = [];
  for (const { name, bench, peer } of cases) {
    const task: CascadeTask = { ...bench, mode, repeats };
    const run = peer && !peerAbsent(script) ? peerRun(mode, bench.batch, repeats + 1, peer) : undefined;
    const ours: CascadeResult[] = [];
    const theirs: PeerResult[] = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(measure(task));
      const result = run && runPeer(run);
      if (result) theirs.push(result);
      console.error(
        `${mode} ${name}, round ${round + 1}: ${[ours, theirs].map((own) => own.at(-1)?.best.toFixed(0))} ms`,
      );
    }
    const counted = run && runPeer({ ...run, repeats: 2, count: true });
    rows.push(...comparison(name, ours, operationsOf(mode, bench), theirs, counted));
    loads.push([name, ...(['write', 'lower', 'load'] as const).map((key) => fastest(ours, key))]);
  }
  const header = ['', 'best ms', 'median ms', 'GFLOP', 'ms / GFLOP', 'median', 'peak MiB'];
  console.log(`\nCascade R-CNN, ${mode}, 800×1344 unless said\n${table(header, rows)}`);
  console.log(`\n${table([mode, 'write the graph, ms', 'lower it', 'load it'], loads)}`);
}

const fastest = (results: readonly CascadeResult[], key: 'write' | 'lower' | 'load') =>
  milliseconds(Math.min(...results.map((result) => result[key])));

/** Frozen batch norm in the peer's ResNet-50 as in ours; its other backbones have it by themselves. */
function peerRun(mode: CascadeTask['mode'], batch: number, repeats: number, options: readonly string[]): PeerRun {
  const peerMode = mode === 'step' ? 'train' : 'infer';
  return { script, mode: peerMode, batch, repeats, options, frozenNorm: true };
}

/** A row of ours; where there is a peer, one of it and one of the ratios. */
function comparison(
  name: string,
  results: readonly CascadeResult[],
  operations: number,
  peers: readonly PeerResult[],
  counted: PeerResult | undefined,
): string[][] {
  const row = (title: string, { best, median, peakMemory }: ReturnType<typeof overall>, count: number) => [
    title,
    ...[best, median].map(milliseconds),
    giga(count).toFixed(0),
    ...[best, median].map((time) => ratio(time / giga(count))),
    peakMemory.toFixed(0),
  ];
  const ours = overall(results);
  const first = row(name, ours, operations);
  if (!peers.length || !counted?.operations) return [first];
  const theirs = overall(peers);
  const more = operations / counted.operations;
  const times = [theirs.best / ours.best, theirs.median / ours.median];
  const ratios = [...times, 1 / more, ...times.map((time) => time * more), theirs.peakMemory / ours.peakMemory];
  return [
    first,
    row(`Faster R-CNN, ${counted.rois} RoIs`, theirs, counted.operations),
    ['theirs / ours', ...ratios.map(ratio)],
  ];
}

/** Where the time of a step and of an inference goes. */
function parts(): void {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  for (const mode of ['step', 'inference'] as const) {
    const { shares = [] } = measure({ ...r50, mode, repeats: 2, profile: true });
    const of = (part: string) => shares.filter(([key]) => key.startsWith(`${part}: `));
    const sum = (part: string) => of(part).reduce((total, [, share]) => total + share, 0);
    const costly = (part: string) =>
      of(part)
        .slice(0, 4)
        .map(([key, share]) => `${key.slice(part.length + 2)} ${percent(share)}`)
        .join(', ');
    const rows = partNames.flatMap((part) => {
      const backward = gradientOf(part);
      if (!of(part).length && !of(backward).length) return [];
      return [[part, percent(sum(part)), percent(sum(backward)), costly(part), costly(backward)]];
    });
    const header = ['part', 'forward', 'gradient', 'costliest, forward', 'costliest, gradient'];
    console.log(`\nR50, batch 1, ${mode}: shares of the operators' time\n${table(header, rows)}`);
  }
}
