// Loads one file of weights in a process of its own: arguments are the file and the repeats. Prints one line of JSON.
import { readFile } from 'node:fs/promises';
import { withFile } from '../src/weights/file-source.js';
import { readWeightFile } from '../src/weights/weight-readers.js';
import { peakMemory } from './peak-memory.js';

export interface Loading {
  /** Milliseconds of each load. */
  readonly times: readonly number[];
  /** Milliseconds of each reading of the same file into one piece of memory, in turns with the loads. */
  readonly plain: readonly number[];
  /** Bytes resident at the peak of the first load, beyond what was before it. */
  readonly peak: number;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const [path, repeats] = process.argv.slice(2);
const collect = (globalThis as { gc?: () => void }).gc!;
const load = () => readWeightFile(path);
// Code that is loaded late, such as the file system's promises, is not the reader's memory.
await withFile(path, (source) => source.read(0, 1));
collect();
const before = peakMemory();
await load();
const peak = peakMemory() - before;
const times: number[] = [];
const plain: number[] = [];
for (let repeat = 0; repeat < Number(repeats); repeat++) {
  collect();
  times.push(await timed(load));
  collect();
  plain.push(await timed(() => readFile(path)));
}
console.log(JSON.stringify({ times, plain, peak } satisfies Loading));
