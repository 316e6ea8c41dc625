import { BoxwrightError } from '../errors.js';
import { elementCount, type Tensor } from '../graph/tensor.js';
import { input, type Value } from '../graph/value.js';
import type { Initializer } from './initializers.js';

export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initial: Initializer;
  /** Moved by the optimizer. Running statistics are not; they have updates of their own. */
  readonly trainable: boolean;
  /** Weight decay applies to it. */
  readonly decay: boolean;
  /** Its learning rate is the step's times this. */
  readonly rate: number;
}

export interface ParameterOptions {
  readonly trainable?: boolean;
  readonly decay?: boolean;
  readonly rate?: number;
}

export interface ParametersOptions {
  /** Batch norm uses the batch's statistics and updates the running ones. */
  readonly training: boolean;
  /** Batch norm layers that keep their statistics in training too, by name: those that came with pretrained weights. */
  readonly fixedStatistics?: (layer: string) => boolean;
  /** Name of the graph input for a parameter, where it is to be read from another place (such as the averages). */
  readonly inputName?: (parameter: string) => string;
}

/**
 * The named parameters that a model function asks for while it writes its graph. The first request of a name declares
 * it; a second one gets the same value, so that weights can be shared.
 */
export class Parameters {
  readonly training: boolean;
  readonly #fixedStatistics: (layer: string) => boolean;
  readonly #inputName: (parameter: string) => string;
  readonly #specs = new Map<string, ParameterSpec>();
  readonly #values = new Map<string, Value>();
  readonly #updates = new Map<string, Value>();

  constructor({ training, fixedStatistics = () => false, inputName = (name) => name }: ParametersOptions) {
    this.training = training;
    this.#fixedStatistics = fixedStatistics;
    this.#inputName = inputName;
  }

  get specs(): ReadonlyMap<string, ParameterSpec> {
    return this.#specs;
  }

  get values(): ReadonlyMap<string, Value> {
    return this.#values;
  }

  /** Next values of running statistics, by parameter name. */
  get updates(): ReadonlyMap<string, Value> {
    return this.#updates;
  }

  /** Whether the batch norm of this name normalises with the batch's statistics. */
  usesBatchStatistics(layer: string): boolean {
    return this.training && !this.#fixedStatistics(layer);
  }

  get(name: string, shape: readonly number[], initial: Initializer, options: ParameterOptions = {}): Value {
    const before = this.#values.get(name);
    if (before) {
      if (before.staticShape.join() !== shape.join()) {
        throw new BoxwrightError(
          'graph',
          `Parameter "${name}" is asked for as [${shape.join(', ')}] and stands as ${before}.`,
        );
      }
      return before;
    }
    const { trainable = true, decay = true, rate = 1 } = options;
    this.#specs.set(name, { name, shape, initial, trainable, decay, rate });
    const value = input(this.#inputName(name), 'float32', shape, trainable ? 'parameter' : 'running statistic');
    this.#values.set(name, value);
    return value;
  }

  update(name: string, next: Value): void {
    this.#updates.set(name, next);
  }
}

/** First values of all parameters. Each is drawn from a stream of its own, so that one more layer changes no other. */
export function initialValues(specs: Iterable<ParameterSpec>, seed: number): Map<string, Tensor<'float32'>> {
  const tensors = new Map<string, Tensor<'float32'>>();
  for (const { name, shape, initial } of specs) {
    const data = initial(shape, uniformStream(`${seed}:${name}`));
    if (data.length !== elementCount(shape))
      throw new BoxwrightError('graph', `The initializer of "${name}" gave ${data.length} values.`);
    tensors.set(name, { dtype: 'float32', shape, data });
  }
  return tensors;
}

/** Uniform numbers from a seed text: FNV-1a of the text, then SplitMix32. */
function uniformStream(text: string): () => number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
