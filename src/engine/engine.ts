import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { BoxwrightError } from '../errors.js';
import { elementCount, type Tensor } from '../graph/tensor.js';
import { type Type, typeText } from '../graph/value.js';
import { flags, type Provider, type Reply, type Request, type SessionPorts, type Tensors } from './protocol.js';

export interface EngineOptions {
  /** Default `cpu`. */
  readonly provider?: Provider;
  /** Threads of one operator. Default: one a core. */
  readonly threads?: number;
}

interface Waiting {
  /** What the caller wanted, for errors. */
  readonly doing?: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  /** Gets moved feeds back where the run fails. */
  readonly giveBack?: (feeds: Tensors) => void;
}

/**
 * ONNX Runtime in a worker thread. Calls are answered in order; the event loop stays free meanwhile.
 * Dispose it when done: sessions, state and the thread go with it.
 */
export class Engine {
  readonly provider: Provider;
  readonly #threads: number;
  readonly #worker: Worker;
  readonly #shared: Int32Array;
  readonly #ended: Promise<unknown>;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #disposed: Error | undefined;

  private constructor({ provider = 'cpu', threads = 0 }: EngineOptions) {
    const memory = new SharedArrayBuffer(flags.count * Int32Array.BYTES_PER_ELEMENT);
    // Without the process's own flags, some of which (`--input-type` beside `-e`) a thread does not take.
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: memory, execArgv: [] });
    this.#shared = new Int32Array(memory);
    this.#worker = worker;
    this.#ended = once(worker, 'exit');
    this.provider = provider;
    this.#threads = threads;
    worker.on('message', (reply: Reply) => this.#settle(reply));
    worker.on('error', (error) =>
      this.#fail(new BoxwrightError('engine', `The engine's thread failed: ${error.message}`, { cause: error })),
    );
    worker.on('exit', (code) => {
      process.off('exit', this.#letFinish);
      this.#fail(new BoxwrightError('engine', `The engine's thread ended (exit code ${code}).`));
    });
    worker.unref();
    process.once('exit', this.#letFinish);
  }

  /**
   * @throws BoxwrightError `provider` if this machine or this build of ONNX Runtime lacks the provider; `config` for a
   *   number of threads that is none.
   */
  static async start(options: EngineOptions = {}): Promise<Engine> {
    const { threads = 0 } = options;
    if (!Number.isInteger(threads) || threads < 0) {
      const expected = 'a whole number from 1, or 0 for all cores';
      throw new BoxwrightError('config', `threads is ${threads}, expected ${expected}.`);
    }
    if (options.provider && options.provider !== 'cpu') await requireProvider(options.provider);
    return new Engine(options);
  }

  /**
   * Loads a model (bytes, or the path of a file, whose weights may lie beside it). Costly: build a session once per
   * shape and keep it. `profile` is the prefix of the trace files that the session then writes.
   *
   * @throws BoxwrightError `engine` if ONNX Runtime refuses the model; `provider` if the provider's libraries or device
   *   turn out to be missing, which ONNX Runtime notices only now.
   */
  async load(model: Uint8Array | string, { profile }: { profile?: string } = {}): Promise<Session> {
    const session = this.#nextId++;
    const options = { provider: this.provider, threads: this.#threads, profile };
    const source = typeof model === 'string' ? model : `a model of ${model.length} bytes`;
    const asked = this.#ask({ kind: 'load', session, model, options }, { doing: `Loading ${source}` });
    const ports = (await asked.catch((error) => Promise.reject(providerError(this.provider, error)))) as SessionPorts;
    return new Session((request, options) => this.#ask(request, options), session, ports);
  }

  /** Puts tensors into the engine, where runs read and update them without a copy. */
  async createState(tensors: Tensors): Promise<State> {
    const state = this.#nextId++;
    await this.#ask({ kind: 'createState', state, tensors });
    return new State((request) => this.#ask(request), state, Object.keys(tensors));
  }

  /** Ends the thread. Calls that are still waiting are rejected at once; an operator that is running ends first. */
  async dispose(): Promise<void> {
    this.#fail(new BoxwrightError('engine', 'This engine was disposed.'));
    Atomics.store(this.#shared, flags.stopping, 1);
    process.off('exit', this.#letFinish);
    this.#worker.ref();
    this.#worker.postMessage({ id: this.#nextId++, request: { kind: 'stop' } satisfies Request });
    await this.#ended;
  }

  /** Before `process.exit` ends the thread: what runs in ONNX Runtime must come back first. */
  readonly #letFinish = (): void => {
    Atomics.store(this.#shared, flags.stopping, 1);
    Atomics.wait(this.#shared, flags.busy, 1);
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  #ask(request: Request, { transfer = [], ...about }: AskOptions = {}): Promise<unknown> {
    if (this.#disposed) return Promise.reject(this.#disposed);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      try {
        this.#worker.postMessage({ id, request }, transfer as ArrayBuffer[]);
      } catch (cause) {
        const problem = `A tensor could not be handed to the engine (is its buffer still in another run?)`;
        reject(new BoxwrightError('engine', `${problem}: ${(cause as Error).message}`, { cause }));
        return;
      }
      this.#waiting.set(id, { resolve, reject, ...about });
      this.#worker.ref(); // pending work keeps the process alive, an idle engine does not
    });
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0 && !this.#disposed) this.#worker.unref();
    if (reply.ok) {
      waiting?.resolve(reply.result);
      return;
    }
    if (reply.feeds) waiting?.giveBack?.(reply.feeds);
    waiting?.reject(engineError(reply.message, waiting.doing));
  }

  #fail(error: Error): void {
    this.#disposed ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#disposed);
    this.#waiting.clear();
  }
}

interface AskOptions extends Pick<Waiting, 'doing' | 'giveBack'> {
  readonly transfer?: readonly ArrayBuffer[];
}

type Ask = (request: Request, options?: AskOptions) => Promise<unknown>;

export interface RunOptions {
  /** Inputs that are not fed come from here. */
  readonly state?: State;
  /** Outputs that become the next value of a state tensor: output name → state name. They are not returned. */
  readonly updates?: Readonly<Record<string, string>>;
  /**
   * Moves the feeds' buffers instead of copying them. They are unusable until the run is over, failed or not; then
   * `recycle` gets them back for the next batch.
   */
  readonly recycle?: (feeds: Tensors) => void;
}

/** A loaded model. */
export class Session {
  readonly inputs: readonly string[];
  /** Element types and shapes of the inputs, text for free dimensions. */
  readonly inputTypes: ReadonlyMap<string, Type>;
  readonly outputs: readonly string[];
  readonly #ask: Ask;
  readonly #id: number;

  /** @internal */
  constructor(ask: Ask, id: number, ports: SessionPorts) {
    this.#ask = ask;
    this.#id = id;
    this.inputs = ports.inputs.map(({ name }) => name);
    this.inputTypes = new Map(ports.inputs.map(({ name, ...type }) => [name, type]));
    this.outputs = ports.outputs;
  }

  /**
   * Runs the model on `feeds` and gives its outputs.
   *
   * @throws BoxwrightError `engine` for inputs that are missing, unknown, or of another type or shape than the model's,
   * and with the scope of the operator where one failed.
   */
  async run(feeds: Tensors, { state, updates, recycle }: RunOptions = {}): Promise<Record<string, Tensor>> {
    this.#requireFeeds(feeds, state);
    const transfer = recycle ? [...new Set(Object.values(feeds).map(({ data }) => data.buffer as ArrayBuffer))] : [];
    const request: Request = { kind: 'run', session: this.#id, feeds, state: state?.id, updates };
    const result = (await this.#ask(request, { transfer, giveBack: recycle })) as {
      outputs: Record<string, Tensor>;
      feeds: Tensors;
    };
    recycle?.(result.feeds);
    return result.outputs;
  }

  /** Ends profiling and lets the runtime write its trace. */
  async endProfile(): Promise<void> {
    await this.#ask({ kind: 'endProfile', session: this.#id });
  }

  async dispose(): Promise<void> {
    await this.#ask({ kind: 'release', session: this.#id });
  }

  #requireFeeds(feeds: Tensors, state: State | undefined): void {
    const missing = this.inputs.filter((name) => !(name in feeds) && !state?.names.has(name));
    const unknown = Object.keys(feeds).filter((name) => !this.inputs.includes(name));
    if (missing.length || unknown.length) {
      const parts = [
        missing.length && `missing: ${missing.join(', ')}`,
        unknown.length && `unknown: ${unknown.join(', ')}`,
      ];
      throw new BoxwrightError('engine', `The inputs do not fit the model (${parts.filter(Boolean).join('; ')}).`);
    }
    for (const [name, tensor] of Object.entries(feeds)) requireFit(name, tensor, this.inputTypes.get(name)!);
  }
}

/** Named tensors that live in the engine, in two buffer sets that take turns. */
export class State {
  readonly names: ReadonlySet<string>;
  /** @internal */
  readonly id: number;
  readonly #ask: Ask;

  /** @internal */
  constructor(ask: Ask, id: number, names: readonly string[]) {
    this.#ask = ask;
    this.id = id;
    this.names = new Set(names);
  }

  /** Copies of the tensors as they are now. */
  async read(names?: readonly string[]): Promise<Record<string, Tensor>> {
    return (await this.#ask({ kind: 'readState', state: this.id, names })) as Record<string, Tensor>;
  }

  /** Replaces tensors; nothing is changed if one of them has another type or shape. */
  async write(tensors: Tensors): Promise<void> {
    await this.#ask({ kind: 'writeState', state: this.id, tensors });
  }

  async dispose(): Promise<void> {
    await this.#ask({ kind: 'releaseState', state: this.id });
  }
}

/** ONNX Runtime checks this too, but does not say which input it is. */
function requireFit(name: string, tensor: Tensor, type: Type): void {
  const fits =
    tensor.dtype === type.dtype &&
    tensor.shape.length === type.shape.length &&
    tensor.shape.every((dim, axis) => typeof type.shape[axis] !== 'number' || type.shape[axis] === dim);
  if (!fits)
    throw new BoxwrightError('engine', `Input "${name}" is ${typeText(tensor)}, the model wants ${typeText(type)}.`);
  if (tensor.data.length !== elementCount(tensor.shape)) {
    const hint = tensor.data.length === 0 ? ' (is its buffer still in another run?)' : '';
    const problem = `Input "${name}" has ${tensor.data.length} elements, which do not fill ${typeText(tensor)}${hint}.`;
    throw new BoxwrightError('engine', problem);
  }
}

/** ONNX Runtime's message with the operator's scope first, which its node name carries. */
function engineError(message: string, doing?: string): BoxwrightError {
  const failed =
    /^Non-zero status code returned while running \S+ node\. Name:'([^']*)' Status Message: ([\s\S]*)$/.exec(message);
  const place = failed?.[1] || /name '([^']+)'|in node \(([^)]+)\)/.exec(message)?.slice(1).find(Boolean);
  const text = (failed?.[2] ?? message).trim();
  const hint = /must be finite/.test(text) ? ' NaN or infinity came from before: are the weights damaged?' : '';
  return new BoxwrightError(
    'engine',
    `${doing ? `${doing} failed: ` : ''}${place ? `At ${place}: ` : ''}${text}${hint}`,
  );
}

/** ONNX Runtime lists providers whose libraries or devices are not there; it shows when a model is loaded. */
function providerError(provider: Provider, error: BoxwrightError): BoxwrightError {
  if (provider === 'cpu' || !/provider|adapter/i.test(error.message)) return error;
  const advice = 'README.md, "GPU", says what it needs; "cpu" runs everywhere';
  const problem = `The execution provider "${provider}" does not work here; ${advice}. ONNX Runtime says: ${error.message}`;
  return new BoxwrightError('provider', problem, { cause: error });
}

/** The providers that ONNX Runtime has on this machine. */
export async function availableProviders(): Promise<Provider[]> {
  const { listSupportedBackends } = await import('onnxruntime-node');
  return listSupportedBackends().map(({ name }) => name as Provider);
}

async function requireProvider(provider: Provider): Promise<void> {
  const available = await availableProviders();
  if (available.includes(provider)) return;
  const hint =
    provider === 'cuda'
      ? ' Its libraries are not in the npm package: README.md, "GPU", has the command that installs them.'
      : '';
  throw new BoxwrightError(
    'provider',
    `There is no execution provider "${provider}" here (available: ${available.join(', ')}).${hint}`,
  );
}
