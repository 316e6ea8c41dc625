import { BoxwrightError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import type { PictureModel } from '../predict/picture-detector.js';

/** Where a model runs: on the processor, everywhere, or on the graphics card, where the browser has WebGPU. */
export type Provider = 'wasm' | 'webgpu';

export interface RuntimeOptions {
  readonly provider: Provider;
  readonly threads?: number;
}

/** A model in ONNX Runtime. */
export interface BrowserModel {
  readonly run: PictureModel;
  /** Frees its memory; runs that wait are rejected. */
  dispose(): Promise<void>;
}

type Runtime = typeof import('onnxruntime-web/wasm');
type Session = Awaited<ReturnType<Runtime['InferenceSession']['create']>>;

/** ONNX Runtime's WebAssembly is one for the page and does one thing at a time. */
let last: Promise<unknown> = Promise.resolve();

const nothing = () => {};

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = last.then(work);
  last = result.then(nothing, nothing);
  return result;
}

/**
 * Makes a model ready to run.
 *
 * @param name what errors call it
 * @throws BoxwrightError `provider` if the browser has no WebGPU; `config` for a provider or number of threads that is
 *   none; `engine` if onnxruntime-web is not there or refuses the model.
 */
export async function startModel(name: string, bytes: Uint8Array, options: RuntimeOptions): Promise<BrowserModel> {
  const runtime = await runtimeFor(options);
  const session = await openSession(runtime, name, bytes, options.provider);
  return runningModel(runtime, name, session);
}

async function openSession(runtime: Runtime, name: string, bytes: Uint8Array, provider: Provider): Promise<Session> {
  const settings = { executionProviders: [provider], logSeverityLevel: 4 } as const; // errors come as exceptions
  try {
    return await inTurn(() => runtime.InferenceSession.create(bytes, settings));
  } catch (cause) {
    throw loadError(name, provider, cause);
  }
}

/** In a function of its own: what it returns would hold on to the file's bytes, were they in its reach. */
function runningModel(runtime: Runtime, name: string, session: Session): BrowserModel {
  let disposed = false;
  const run = async ({ shape, data }: Tensor) => {
    const images = new runtime.Tensor('uint8', data as Uint8Array, shape);
    const outputs = await inTurn(async () => {
      if (disposed) throw new BoxwrightError('engine', 'This detector was disposed.');
      return session.run({ images });
    }).catch((cause) => {
      if (cause instanceof BoxwrightError) throw cause;
      throw new BoxwrightError('engine', `${name}: ONNX Runtime failed: ${(cause as Error).message}`, { cause });
    });
    const tensors = Object.entries(outputs).map(([key, tensor]) => [key, fromRuntime(tensor)] as const);
    return Object.fromEntries(tensors);
  };
  const dispose = async () => {
    if (disposed) return;
    disposed = true;
    await inTurn(() => session.release());
  };
  return { run, dispose };
}

/** Loaded when a detector is, so that a page that only handles errors or types does not carry it. */
async function runtimeFor({ provider, threads }: RuntimeOptions): Promise<Runtime> {
  if (provider !== 'wasm' && provider !== 'webgpu')
    throw new BoxwrightError('config', `provider is "${provider}", expected wasm or webgpu.`);
  if (threads !== undefined && (!Number.isInteger(threads) || threads < 1))
    throw new BoxwrightError('config', `threads is ${threads}, expected a whole number from 1.`);
  if (provider === 'webgpu') await requireWebGpu();
  const runtime = await importRuntime(provider);
  if (threads !== undefined) runtime.env.wasm.numThreads = threads;
  return runtime;
}

async function importRuntime(provider: Provider): Promise<Runtime> {
  try {
    return await (provider === 'webgpu' ? import('onnxruntime-web/webgpu') : import('onnxruntime-web/wasm'));
  } catch (cause) {
    const advice = 'Is the package onnxruntime-web installed, and does the page find it?';
    const problem = `onnxruntime-web/${provider} cannot be loaded (${(cause as Error).message})`;
    throw new BoxwrightError('engine', `${problem}. ${advice}`, { cause });
  }
}

/** The part of WebGPU that is asked here, which not every version of the DOM's types has. */
interface WithGpu {
  readonly gpu?: { requestAdapter(): Promise<unknown> };
}

async function requireWebGpu(): Promise<void> {
  const { gpu } = navigator as WithGpu;
  const adapter = await gpu?.requestAdapter();
  if (adapter) return;
  const reason = gpu
    ? 'it finds no graphics card that it can use'
    : 'the browser lacks it, or the page is not served by https';
  throw new BoxwrightError('provider', `There is no WebGPU here: ${reason}. The provider wasm runs everywhere.`);
}

function loadError(name: string, provider: Provider, cause: unknown): BoxwrightError {
  const message = (cause as Error).message.trim().replace(/\.$/, '');
  return new BoxwrightError('engine', `${name}: ONNX Runtime cannot load it: ${message}.${advice(provider, message)}`, {
    cause,
  });
}

function advice(provider: Provider, message: string): string {
  if (/no available backend/.test(message)) {
    return ' Are the .wasm files of onnxruntime-web handed out? Its env.wasm.wasmPaths says where they are.';
  }
  if (/external data/i.test(message))
    return ' Weights in a file of their own cannot be loaded here: export them in one file.';
  if (provider === 'webgpu' && /Provider type for|implementation for/.test(message)) {
    return ' Its WebGPU version has no float64, which Cascade R-CNN resizes with: take the provider wasm, or RefineDet.';
  }
  return '';
}

function fromRuntime({ type, data, dims }: { type: string; data: unknown; dims: readonly number[] }): Tensor {
  return { dtype: type, data, shape: dims } as Tensor;
}
