// Runs cases in a process of its own, so that one that never ends or takes all memory can be ended and named.
// Arguments: target, seed, first case, number of cases, file that always holds the case under way and how it went so far.
import { openSync, writeSync } from 'node:fs';
import { bytesAskedFor, countMemory, limits } from './limits.js';
import { type Progress, progressBytes } from './progress.js';

/** What the child tells: a case that broke a rule, or that all are done. */
export type Message =
  | { readonly kind: 'broken'; readonly number: number; readonly problem: string }
  | { readonly kind: 'done' };

countMemory(); // before anything that makes arrays is loaded
const { casesOf } = await import('./cases.js');
const { loadTarget } = await import('./targets.js');
const { BoxwrightError } = await import('../src/errors.js');
const { elementCount } = await import('../src/graph/tensor.js');

const [target, seed, first, count, progressPath] = process.argv.slice(2);
const { read } = await loadTarget(target);
const cases = await casesOf(target, Number(seed));
const progressFile = openSync(progressPath, 'r+');
const fileName = 'the-fuzzed-file';
const collect = (globalThis as { gc?: () => void }).gc!;
const progress: Progress = { number: -1, read: 0, refused: 0, slowest: 0, mostMemory: 0 };
// The first reading loads code; what that takes is not the first case's.
await outcome(0);
Object.assign(progress, { read: 0, refused: 0 });
let resident = residentPeak();

for (let number = Number(first), end = number + Number(count); number < end; number++) {
  progress.number = number;
  save();
  const problem = await tried(number);
  if (problem) process.send!({ kind: 'broken', number, problem } satisfies Message);
  if (number % 256 === 0) collect(); // garbage of many cases together is no case's
}
save();
process.send!({ kind: 'done' } satisfies Message, () => process.disconnect());

function save(): void {
  writeSync(progressFile, progressBytes(progress), 0, undefined, 0);
}

async function tried(number: number): Promise<string | undefined> {
  const { time, problem, asked } = await outcome(number);
  progress.slowest = Math.max(progress.slowest, time);
  progress.mostMemory = Math.max(progress.mostMemory, asked);
  // First: the reader may have caught the error that ended the taking.
  if (asked > limits.bytes) return `it asked for arrays of ${asked} bytes or more (${problem ?? 'no error'})`;
  if (problem) return problem;
  if (time > limits.milliseconds) return `it took ${time.toFixed(0)} ms of processor time`;
  const grown = residentPeak() - resident;
  if (grown <= limits.bytes) return undefined;
  resident += grown;
  return `resident memory grew by ${grown} bytes`;
}

async function outcome(number: number): Promise<{ time: number; asked: number; problem?: string }> {
  const bytes = cases.bytes(number);
  bytesAskedFor();
  const start = process.cpuUsage();
  let problem: string | undefined;
  try {
    const { tensors } = await read(bytes, fileName);
    progress.read++;
    for (const [name, { shape, data }] of tensors) {
      if (elementCount(shape) !== data.length) problem = `"${name}" [${shape}] has ${data.length} elements`;
    }
  } catch (error) {
    progress.refused++;
    if (!(error instanceof BoxwrightError)) problem = error instanceof Error ? `${error.stack}` : `threw ${error}`;
    else if (!error.message.includes(fileName)) problem = `the message does not name the file: ${error.message}`;
    else if (number < cases.valid) problem = `a valid file is refused: ${error.message}`;
  }
  // Processor time, so that a busy machine breaks no case; one that waits for ever, the parent ends.
  const { user, system } = process.cpuUsage(start);
  return { time: (user + system) / 1000, asked: bytesAskedFor(), problem };
}

/** Most memory that this process has had resident, bytes. */
function residentPeak(): number {
  return process.resourceUsage().maxRSS * 1024;
}
