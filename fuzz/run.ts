import { fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Message } from './child.js';
import { limits } from './limits.js';
import { type Progress, progressBytes, progressFrom } from './progress.js';

export interface FuzzRun {
  readonly target: string;
  readonly seed: number;
  /** Number of the first case. */
  readonly first: number;
  readonly cases: number;
  /** A case that does not end within so many milliseconds is ended; default 10 000. */
  readonly patience?: number;
}

export interface FuzzReport extends Omit<Progress, 'number'> {
  readonly broken: readonly { readonly number: number; readonly problem: string }[];
  /** Breaches of time or memory that the case, alone in a new process, did not repeat: the machine was busy. */
  readonly notRepeated: number;
}

/** A reader is given up on after so many broken cases. */
const enough = 10;

/**
 * Runs cases of a target in child processes. A case is broken if it throws anything but a BoxwrightError that names the
 * file, gives a tensor that does not fill its shape, or, again when repeated alone, takes more than `limits` or ends the process.
 */
export async function fuzz(run: FuzzRun): Promise<FuzzReport> {
  const total = { read: 0, refused: 0, slowest: 0, mostMemory: 0, notRepeated: 0 };
  const broken: { number: number; problem: string }[] = [];
  const end = run.first + run.cases;
  for (let next = run.first; next < end && broken.length < enough; ) {
    const part = await inChild({ ...run, first: next, cases: end - next });
    for (const found of part.broken) {
      const alone = await inChild({ ...run, first: found.number, cases: 1 });
      if (alone.broken.length) broken.push(alone.broken[0]);
      else total.notRepeated++;
    }
    total.read += part.progress.read;
    total.refused += part.progress.refused;
    total.slowest = Math.max(total.slowest, part.progress.slowest);
    total.mostMemory = Math.max(total.mostMemory, part.progress.mostMemory);
    next = part.next;
  }
  return { ...total, broken };
}

interface Part {
  readonly progress: Progress;
  readonly broken: { number: number; problem: string }[];
  /** Where to go on. */
  readonly next: number;
}

function inChild({ target, seed, first, cases, patience = 10_000 }: FuzzRun): Promise<Part> {
  const folder = mkdtempSync(join(tmpdir(), 'boxwright-fuzz-'));
  const file = join(folder, 'progress');
  writeFileSync(file, progressBytes({ number: -1, read: 0, refused: 0, slowest: 0, mostMemory: 0 }));
  const current = () => progressFrom(readFileSync(file));
  const child = fork(
    fileURLToPath(new URL('./child.js', import.meta.url)),
    [target, seed, first, cases, file].map(String),
    {
      execArgv: ['--expose-gc', `--max-old-space-size=${limits.bytes / 2 ** 20}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    },
  );
  return new Promise((resolve, reject) => {
    const broken: Part['broken'] = [];
    let done = false;
    let stderr = '';
    child.stderr!.on('data', (text) => {
      stderr += text;
    });
    // Far beyond the limit: whether a case takes longer than that, the child measures itself.
    let last = -1;
    const watch = setInterval(() => {
      const now = current().number;
      if (now === last && now >= first) child.kill('SIGKILL');
      last = now;
    }, patience);
    child.on('message', (message: Message) => {
      if (message.kind === 'done') done = true;
      else if (broken.push(message) === enough) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearInterval(watch);
      const progress = current();
      const at = progress.number;
      rmSync(folder, { recursive: true });
      if (done || broken.length >= enough) return resolve({ progress, broken, next: at + 1 });
      if (at < first) return reject(new Error(`the fuzzing process for ${target} did not start: ${stderr}`));
      const problem =
        signal === 'SIGKILL' ? 'it did not end' : `the process ended (${signal ?? code}): ${stderr.slice(-2000)}`;
      resolve({ progress, broken: [...broken, { number: at, problem }], next: at + 1 });
    });
  });
}
