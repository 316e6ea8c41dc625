import { Worker } from 'node:worker_threads';
import { BoxwrightError } from '../../errors.js';
import type { EvaluationData } from '../evaluation-data.js';
import { type ClassOrder, orderByClass } from '../matching/class-order.js';
import { cocoSettings } from './coco-settings.js';
import { type CocoTables, cocoTables, emptyTables, type TableOptions } from './coco-tables.js';

/** What a worker thread is given: everything that is large in memory that all of them share. */
export interface TableTask {
  readonly data: EvaluationData;
  readonly order: ClassOrder;
  readonly tables: CocoTables;
  /** Classes whose part of the tables it fills. */
  readonly classes: readonly number[];
}

/**
 * `cocoTables` on several threads, each of which takes some of the classes; the same numbers. Threads take a while to
 * start and a copy of the data: on two busy cores nothing was gained, even with millions of detections.
 *
 * @param threads at most as many as there are classes are started; 1 is `cocoTables`, which a signal does not interrupt.
 * @throws BoxwrightError `config` for options that cannot be met; `engine` if a thread ends by itself; `aborted` when the
 *   signal stops it.
 */
export async function cocoTablesOnThreads(
  data: EvaluationData,
  options: TableOptions,
  threads: number,
  signal?: AbortSignal,
): Promise<CocoTables> {
  throwIfStopped(signal);
  const settings = cocoSettings({ ...options, classes: data.classes, boxFormat: data.boxFormat });
  const count = Math.min(threads, settings.agnostic ? 1 : settings.classes.length);
  if (count <= 1) return cocoTables(data, options);
  const order = orderByClass(data, false);
  const sharedRoom = (length: number) => new Float64Array(new SharedArrayBuffer(8 * length));
  const tables = emptyTables(settings, order.classes, sharedRoom);
  const common = { data: shared({ ...data, pictures: [] }), order: shared(order), tables };
  const parts = divided(order, count);
  await Promise.all(parts.map((classes) => run({ ...common, classes }, signal)));
  return tables;
}

/** Classes by thread, the largest first to the one that has least to do. */
function divided({ classes, detections: { starts } }: ClassOrder, count: number): number[][] {
  const parts = Array.from({ length: count }, () => ({ classes: [] as number[], detections: 0 }));
  const size = (k: number) => starts[k + 1] - starts[k];
  const bySize = Array.from(Array(classes).keys()).sort((a, b) => size(b) - size(a));
  for (const k of bySize) {
    const least = parts.reduce((a, b) => (b.detections < a.detections ? b : a));
    least.classes.push(k);
    least.detections += size(k);
  }
  return parts.map((part) => part.classes);
}

function run(task: TableTask, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    // The calling process's own flags, such as --input-type of `node -e`, may not fit a worker's file.
    const worker = new Worker(new URL('./coco-worker.js', import.meta.url), { workerData: task, execArgv: [] });
    const stop = () => worker.terminate();
    signal?.addEventListener('abort', stop);
    worker.on('error', (cause) => {
      reject(new BoxwrightError('engine', `an evaluation thread failed: ${cause.message}`, { cause }));
    });
    worker.on('exit', (code) => {
      signal?.removeEventListener('abort', stop);
      if (signal?.aborted) reject(stopped(signal));
      else if (code === 0) resolve();
      else reject(new BoxwrightError('engine', `an evaluation thread ended with exit code ${code}`));
    });
  });
}

function throwIfStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw stopped(signal);
}

function stopped(signal: AbortSignal): BoxwrightError {
  return new BoxwrightError('aborted', 'The evaluation was stopped by its signal.', { cause: signal.reason });
}

/** The same object, its arrays of numbers in memory that threads share. */
function shared<T extends object>(value: T): T {
  const entries = Object.entries(value).map(([name, own]) => [
    name,
    ArrayBuffer.isView(own) ? copied(own) : inner(own),
  ]);
  return Object.fromEntries(entries) as T;
}

const inner = (value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? shared(value) : value;

function copied(column: ArrayBufferView): Uint8Array | Uint32Array | Float64Array {
  const from = column as Uint8Array | Uint32Array | Float64Array;
  const Column = from.constructor as new (buffer: SharedArrayBuffer) => typeof from;
  const to = new Column(new SharedArrayBuffer(from.byteLength));
  to.set(from);
  return to;
}
