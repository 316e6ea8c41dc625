// COCO's metric beside other programs: the same two files, each run in a process of its own, programs in turn.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ProblemFiles, writeProblems } from './metrics-files.js';
import { table, timingOf } from './timing.js';

/** What one run prints; processor seconds of all threads, seconds of the clock, MiB. */
interface Run {
  readonly version: string;
  readonly read: number;
  readonly cpu: number;
  readonly wall: number;
  readonly peak: number;
  readonly ap: number;
}

interface Program {
  readonly name: string;
  /** As many threads as it likes; else one. */
  readonly allThreads: boolean;
  /** So slow that once is enough. */
  readonly once: boolean;
}

const peers = ['hotcoco', 'ultrafast-pycocotools', 'vernier', 'faster-coco-eval', 'pycocotools'];
const ours = 'boxwright';
const figures = ['threads', 'cpu s best', 'median', 'clock s best', 'reading cpu s', 'peak MiB', 'AP', 'runs'];
const oneThread = { RAYON_NUM_THREADS: '1', OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
const script = fileURLToPath(new URL('../../bench/metrics_peers.py', import.meta.url));
const ourScript = fileURLToPath(new URL('./metrics-run.js', import.meta.url));

/** Beside the peers that BOXWRIGHT_PEERS_PYTHON has; `growth`: ours alone at once and ten times the size. */
export async function benchMetrics(repeats: number, which: string | undefined): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'boxwright-bench-'));
  try {
    if (which === 'growth') await growth(folder, repeats);
    else await beside(await writeProblems(folder, 1), repeats);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function beside(files: ProblemFiles, repeats: number): Promise<void> {
  if (!process.env.BOXWRIGHT_PEERS_PYTHON)
    console.log('No peers: set BOXWRIGHT_PEERS_PYTHON to a Python that has them.');
  const names = process.env.BOXWRIGHT_PEERS_PYTHON ? [ours, ...peers] : [ours];
  const programs: Program[] = names.flatMap((name) => {
    const once = name === 'pycocotools' || name === 'faster-coco-eval' || name === 'vernier';
    const single = { name, allThreads: false, once };
    return name === 'hotcoco' ? [single, { ...single, allThreads: true }] : [single];
  });
  const runs = new Map<Program, Run[]>(programs.map((program) => [program, []]));
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const program of programs) {
      if (program.once && repeat > 0) continue;
      const run = runOf(program, files);
      if (run) runs.get(program)!.push(run);
      console.error(`round ${repeat + 1} of ${repeats}: ${program.name}`);
    }
  }
  console.log(described(files));
  const rows = programs.flatMap((program) => rowOf(program, runs.get(program)!));
  console.log(table(['program', ...figures], rows));
}

function described({ pictures, objects, detections }: ProblemFiles): string {
  return `${pictures} pictures, 80 classes, ${objects} objects, ${detections} detections`;
}

function rowOf({ name, allThreads }: Program, runs: readonly Run[]): string[][] {
  if (runs.length === 0) return [];
  const cpu = timingOf(runs.map((run) => run.cpu));
  const least = (key: 'wall' | 'read') => Math.min(...runs.map((run) => run[key])).toFixed(2);
  const peak = Math.max(...runs.map((run) => run.peak)).toFixed(0);
  return [
    [
      `${name} ${runs[0].version}`,
      allThreads ? 'all' : '1',
      cpu.best.toFixed(2),
      cpu.median.toFixed(2),
      least('wall'),
      least('read'),
      peak,
      runs[0].ap.toFixed(12),
      `${runs.length}`,
    ],
  ];
}

function runOf({ name, allThreads }: Program, { truth, results }: ProblemFiles): Run | undefined {
  const env = allThreads ? process.env : { ...process.env, ...oneThread };
  const command = name === ours ? process.execPath : process.env.BOXWRIGHT_PEERS_PYTHON!;
  const args = name === ours ? [ourScript, truth, results] : [script, name, truth, results];
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env });
  if (status !== 0) {
    console.error(`${name} failed:\n${stderr}`);
    return undefined;
  }
  const run = JSON.parse(stdout) as Run & { absent?: boolean };
  return run.absent ? undefined : run;
}

async function growth(folder: string, repeats: number): Promise<void> {
  const rows: string[][] = [];
  for (const count of [1, 10]) {
    const files = await writeProblems(folder, count);
    console.log(described(files));
    const program: Program = { name: ours, allThreads: false, once: false };
    const runs: Run[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const run = runOf(program, files);
      if (run) runs.push(run);
    }
    rows.push(...rowOf({ ...program, name: `${files.detections} detections,` }, runs));
  }
  console.log(table(['problem', ...figures], rows));
}
