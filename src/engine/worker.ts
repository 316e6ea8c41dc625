// The thread that holds ONNX Runtime: its `run` blocks, so that it must not stand on the main thread.
import { parentPort, workerData } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import type { ElementType, Tensor } from '../graph/tensor.js';
import { flags, type Reply, type Request, type SessionOptions, type SessionPorts, type Tensors } from './protocol.js';

/** A state tensor: what the next run reads, and the buffer that it may write. */
interface StateEntry {
  current: ort.Tensor;
  spare: ort.Tensor | undefined;
}

const sessions = new Map<number, ort.InferenceSession>();
const states = new Map<number, Map<string, StateEntry>>();

function toOrt({ dtype, data, shape }: Tensor): ort.Tensor {
  return new ort.Tensor(dtype as 'float32', data as Float32Array, shape as number[]);
}

function fromOrt(tensor: ort.Tensor): Tensor {
  return { dtype: tensor.type, data: tensor.data, shape: tensor.dims } as Tensor;
}

function need<T>(map: Map<number, T>, id: number, what: string): T {
  const found = map.get(id);
  if (!found) throw new Error(`This ${what} was disposed.`);
  return found;
}

async function load(session: number, model: Uint8Array | string, options: SessionOptions): Promise<SessionPorts> {
  const settings: ort.InferenceSession.SessionOptions = {
    executionProviders: options.provider === 'cpu' ? ['cpu'] : [options.provider, 'cpu'],
    intraOpNumThreads: options.threads,
    logSeverityLevel: 4, // errors come back as exceptions, standard error stays clean
    // Planned memory comes on top of what the first run took: a training step's peak is nearly twice as high with it.
    enableMemPattern: false,
    // Gradients of dead units are denormal numbers, which some processors compute a hundred times slower.
    extra: { session: { set_denormal_as_zero: '1' } },
    enableProfiling: options.profile !== undefined,
    profileFilePrefix: options.profile,
  };
  const loaded = await ort.InferenceSession.create(model as string, settings);
  sessions.set(session, loaded);
  const inputs = loaded.inputMetadata.map((meta) => ({
    name: meta.name,
    dtype: (meta.isTensor ? meta.type : 'float32') as ElementType,
    shape: meta.isTensor ? meta.shape : [],
  }));
  return { inputs, outputs: loaded.outputNames };
}

async function run(request: Extract<Request, { kind: 'run' }>): Promise<Tensors> {
  const session = need(sessions, request.session, 'session');
  const state = request.state === undefined ? undefined : need(states, request.state, 'state');
  requireUpdates(session, state, request.updates ?? {});
  const feeds: Record<string, ort.Tensor> = {};
  for (const name of session.inputNames) {
    const entry = state?.get(name);
    if (entry) feeds[name] = entry.current;
  }
  for (const [name, tensor] of Object.entries(request.feeds)) feeds[name] = toOrt(tensor);
  const updates = Object.entries(request.updates ?? {});
  const results = await session.run(feeds, preallocated(session, state, request.updates ?? {}));
  for (const [, name] of updates) {
    const entry = state!.get(name)!;
    [entry.current, entry.spare] = [entry.spare!, entry.current];
  }
  const updated = new Set(updates.map(([output]) => output));
  return Object.fromEntries(
    Object.entries(results)
      .filter(([name]) => !updated.has(name))
      .map(([name, tensor]) => [name, fromOrt(tensor)]),
  );
}

/** Checked before anything runs: a buffer written twice or swapped without being written would spoil the state. */
function requireUpdates(
  session: ort.InferenceSession,
  state: Map<string, StateEntry> | undefined,
  updates: Readonly<Record<string, string>>,
): void {
  const written = new Set<string>();
  for (const [output, name] of Object.entries(updates)) {
    if (!session.outputNames.includes(output)) throw new Error(`The model has no output "${output}" to update from.`);
    if (!state?.has(name)) throw new Error(`There is no state tensor "${name}" for the output "${output}".`);
    if (written.has(name)) throw new Error(`Two outputs update the state tensor "${name}".`);
    written.add(name);
  }
}

/** Updated state is written in place into the spare buffers; other outputs are made by the runtime. */
function preallocated(
  session: ort.InferenceSession,
  state: Map<string, StateEntry> | undefined,
  updates: Readonly<Record<string, string>>,
): ort.InferenceSession.FetchesType {
  const fetches: Record<string, ort.Tensor | null> = {};
  for (const output of session.outputNames) {
    const entry = state?.get(updates[output] ?? '');
    if (entry) entry.spare ??= spareOf(entry.current);
    fetches[output] = entry?.spare ?? null;
  }
  return fetches;
}

function spareOf(tensor: ort.Tensor): ort.Tensor {
  const data = tensor.data as Float32Array;
  return new ort.Tensor(
    tensor.type as 'float32',
    new (data.constructor as Float32ArrayConstructor)(data.length),
    tensor.dims,
  );
}

function readState(state: number, names?: readonly string[]): Tensors {
  const entries = need(states, state, 'state');
  const wanted = names ?? [...entries.keys()];
  return Object.fromEntries(
    wanted.map((name) => {
      const entry = entries.get(name);
      if (!entry) throw new Error(`There is no state tensor "${name}".`);
      const { data, ...rest } = fromOrt(entry.current);
      return [name, { ...rest, data: data.slice() } as Tensor];
    }),
  );
}

function writeState(state: number, tensors: Tensors): void {
  const entries = need(states, state, 'state');
  const given = Object.entries(tensors).map(([name, tensor]) => [name, toOrt(tensor)] as const);
  for (const [name, { type, dims }] of given) {
    const current = entries.get(name)?.current;
    if (current?.type !== type || current.dims.join() !== dims.join()) {
      const found = current ? `is ${current.type}[${current.dims.join(', ')}]` : 'does not exist';
      throw new Error(`The state tensor "${name}" ${found}; given was ${type}[${dims.join(', ')}].`);
    }
  }
  for (const [name, { data }] of given) (entries.get(name)!.current.data as Float32Array).set(data as Float32Array);
}

async function answer(request: Request): Promise<unknown> {
  switch (request.kind) {
    case 'load':
      return load(request.session, request.model, request.options);
    case 'release':
      await sessions.get(request.session)?.release();
      sessions.delete(request.session);
      return undefined;
    case 'createState':
      states.set(
        request.state,
        new Map(
          Object.entries(request.tensors).map(([name, tensor]) => [name, { current: toOrt(tensor), spare: undefined }]),
        ),
      );
      return undefined;
    case 'readState':
      return readState(request.state, request.names);
    case 'writeState':
      return writeState(request.state, request.tensors);
    case 'releaseState':
      states.delete(request.state);
      return undefined;
    case 'run': {
      const outputs = await run(request);
      return { outputs, feeds: request.feeds };
    }
    case 'endProfile':
      need(sessions, request.session, 'session').endProfiling();
      return undefined;
    case 'stop':
      port.close();
      return undefined;
  }
}

/** Buffers that travel back without a copy: a run's outputs and its feeds, for their owner to use again. */
function buffersOf(request: Request, result: unknown): ArrayBuffer[] {
  if (request.kind !== 'run') return [];
  const { outputs = {}, feeds = {} } = (result ?? {}) as { outputs?: Tensors; feeds?: Tensors };
  const buffers = [...Object.values(outputs), ...Object.values(feeds)].map(({ data }) => data.buffer as ArrayBuffer);
  return [...new Set(buffers)];
}

const port = parentPort!;
const shared = new Int32Array(workerData as SharedArrayBuffer);
// One request after the other: a run that is awaited must not meet the release of its session.
let queue = Promise.resolve();
port.on('message', ({ id, request }: { id: number; request: Request }) => {
  queue = queue.then(async () => {
    Atomics.store(shared, flags.busy, 1);
    try {
      if (Atomics.load(shared, flags.stopping) && request.kind !== 'stop') return; // its caller has been told
      const result = await answer(request);
      port.postMessage({ id, ok: true, result } satisfies Reply, buffersOf(request, result));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const feeds = request.kind === 'run' ? request.feeds : undefined; // their owner wants the buffers back
      port.postMessage({ id, ok: false, message, feeds } satisfies Reply, buffersOf(request, { feeds }));
    } finally {
      Atomics.store(shared, flags.busy, 0);
      Atomics.notify(shared, flags.busy);
    }
  });
});
