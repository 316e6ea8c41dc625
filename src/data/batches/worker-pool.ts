import { Worker } from 'node:worker_threads';
import { BoxwrightError, type ErrorCode } from '../../errors.js';
import { buffersOf } from './batch.js';
// Loads libvips in this thread as well: on Linux it must be here before the workers come and stay until they have gone.
import '../decode.js';
import type { FillResult, FillSetup, FillTask } from './fill.js';

/** What a worker says about the task it was given last. */
export type Answer = { readonly result: FillResult } | { readonly error: { code: ErrorCode; message: string } };

interface Job {
  readonly task: FillTask;
  readonly resolve: (result: FillResult) => void;
  readonly reject: (error: BoxwrightError) => void;
}

/** Worker threads that fill batches, each one at a time, tasks in the order given. */
export class WorkerPool {
  readonly #workers = new Map<Worker, Job | undefined>();
  #queue: Job[] = [];
  #stopped: BoxwrightError | undefined;
  #waiting = 0;

  constructor(setup: FillSetup, count: number) {
    for (let i = 0; i < count; i++) this.#start(setup);
  }

  /** Queues a task; its arrays are the worker's until the result brings them back. */
  run(task: FillTask): Promise<FillResult> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) {
        reject(this.#stopped);
        return;
      }
      this.#queue.push({ task, resolve, reject });
      this.#assign();
    });
  }

  /** Takes a task back if no worker has begun it; its promise then never settles, and its arrays are the caller's again. */
  withdraw(task: FillTask): boolean {
    const waiting = this.#queue.length;
    this.#queue = this.#queue.filter((job) => job.task !== task);
    return this.#queue.length < waiting;
  }

  /** Awaits something the workers do, keeping the process alive meanwhile; idle workers let it end. */
  async waitFor<T>(promise: Promise<T>): Promise<T> {
    if (this.#waiting++ === 0) for (const worker of this.#workers.keys()) worker.ref();
    try {
      return await promise;
    } finally {
      if (--this.#waiting === 0) for (const worker of this.#workers.keys()) worker.unref();
    }
  }

  /** Ends all workers; whatever is not done is rejected with code `aborted`. */
  async dispose(): Promise<void> {
    this.#stop(new BoxwrightError('aborted', 'The batch loader was disposed of while it was loading'));
    const workers = [...this.#workers.keys()];
    this.#workers.clear();
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  #start(setup: FillSetup): void {
    // The calling process's own flags, such as --input-type of `node -e`, may not fit a worker's file.
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: setup, execArgv: [] });
    worker.unref();
    this.#workers.set(worker, undefined);
    worker.on('message', (answer: Answer) => this.#settle(worker, answer));
    worker.on('error', (cause) => this.#fail(worker, cause.message, cause));
    worker.on('exit', (code) => this.#fail(worker, `exit code ${code}`));
  }

  #assign(): void {
    for (const [worker, busy] of this.#workers) {
      if (busy) continue;
      const job = this.#queue.shift();
      if (!job) return;
      this.#workers.set(worker, job);
      worker.postMessage(job.task, buffersOf(job.task.arrays));
    }
  }

  #settle(worker: Worker, answer: Answer): void {
    if (!this.#workers.has(worker)) return;
    const job = this.#workers.get(worker);
    this.#workers.set(worker, undefined);
    if ('result' in answer) job?.resolve(answer.result);
    else job?.reject(new BoxwrightError(answer.error.code, answer.error.message));
    this.#assign();
  }

  /** A worker that ended by itself, for want of memory for instance: nothing more can be loaded. */
  #fail(worker: Worker, reason: string, cause?: unknown): void {
    if (!this.#workers.has(worker)) return;
    const job = this.#workers.get(worker);
    const names = job?.task.entries.map(({ name }) => name);
    this.#workers.delete(worker);
    const during = names ? ` while loading ${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}` : '';
    const error = new BoxwrightError('data', `A data worker stopped${during} (${reason})`, { cause });
    job?.reject(error);
    this.#stop(error);
  }

  #stop(error: BoxwrightError): void {
    this.#stopped ??= error;
    for (const job of [...this.#workers.values(), ...this.#queue]) job?.reject(error);
    this.#queue = [];
  }
}
