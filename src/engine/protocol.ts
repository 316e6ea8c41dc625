import type { ElementType, Tensor } from '../graph/tensor.js';

/** Execution providers by ONNX Runtime's names. */
export type Provider = 'cpu' | 'webgpu' | 'cuda' | 'dml' | 'coreml';

export interface SessionOptions {
  readonly provider: Provider;
  /** Threads of one operator; 0 leaves the choice to ONNX Runtime (all cores). */
  readonly threads: number;
  /** Writes a Chrome trace of every operator to files with this prefix. */
  readonly profile?: string;
}

/**
 * Flags that both threads see: `stopping` is set by the main thread, `busy` by the worker while ONNX Runtime works.
 * Ending a thread inside of ONNX Runtime aborts the whole process, so that the end waits for `busy` to fall.
 */
export const flags = { stopping: 0, busy: 1, count: 2 } as const;

export type Tensors = Readonly<Record<string, Tensor>>;

/** Requests to the worker. `session` and `state` are numbers that the main thread gives out. */
export type Request =
  | {
      readonly kind: 'load';
      readonly session: number;
      readonly model: Uint8Array | string;
      readonly options: SessionOptions;
    }
  | { readonly kind: 'release'; readonly session: number }
  | { readonly kind: 'createState'; readonly state: number; readonly tensors: Tensors }
  | { readonly kind: 'readState'; readonly state: number; readonly names?: readonly string[] }
  | { readonly kind: 'writeState'; readonly state: number; readonly tensors: Tensors }
  | { readonly kind: 'releaseState'; readonly state: number }
  | {
      readonly kind: 'run';
      readonly session: number;
      readonly feeds: Tensors;
      readonly state?: number;
      /** Outputs that become the next value of a state tensor: output name → state name. */
      readonly updates?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'endProfile'; readonly session: number }
  | { readonly kind: 'stop' };

/** What a session says of an input: text stands for a free dimension. */
export interface InputPort {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly (number | string)[];
}

export interface SessionPorts {
  readonly inputs: readonly InputPort[];
  readonly outputs: readonly string[];
}

export type Reply =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly message: string; readonly feeds?: Tensors };
