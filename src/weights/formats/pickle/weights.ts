import { BoxwrightError } from '../../../errors.js';
import type { Tensor } from '../../../graph/tensor.js';
import type { ByteSource } from '../../byte-source.js';
import { NumpyArray } from './numpy-values.js';
import { Allowance, readStored, type StoredTensor } from './stored-tensor.js';
import { TorchTensor } from './torch-values.js';
import { excerpt, Global, Inert, PickleDict, PickleProblem, Unreadable } from './values.js';

/** Keys under which programs keep a model's weights beside other things. */
const wrappers = ['state_dict', 'model_state_dict', 'model', 'net', 'network', 'weights', 'params', 'blobs'];

/** Keys under which they keep what is needed to go on training. */
const trainingState =
  /^(optimizers?|optim|opt|optimizer_states?|optimizer_state_dict|optim_state_dict|scalers?|((lr|param)_)?schedulers?|(lr_)?scheduler_state_dict)$/;

const mostDepth = 64;
const mostWork = 4_000_000;
/** Characters of all names. */
const mostNames = 2 ** 24;
const mostText = 2 ** 20;

/**
 * The weights in what a pickle holds, by flat names: the dict that a known wrapper key holds if exactly one does (and
 * so on inside), nested dicts and lists joined by dots, and `module.`, which PyTorch's parallel training puts before
 * every name, taken off. Optimizer state is left in the file. Numbers and text beside become metadata; what was taken
 * off and left is said as `read.wrapper`, `read.prefix` and `read.left_out`.
 *
 * @throws BoxwrightError `weights` if there are no tensors, a name appears twice or a tensor cannot be read.
 */
export async function weightsIn(
  root: unknown,
  source: ByteSource,
): Promise<{ tensors: Map<string, Tensor>; metadata: Record<string, string> }> {
  const tree = new Tree(source.name);
  tree.takeApart(root);
  const allowance = new Allowance(source);
  const tensors = new Map<string, Tensor>();
  for (const [name, stored] of tree.namedTensors()) {
    tensors.set(
      name,
      await readStored(stored, name, source.name, allowance).catch((cause) =>
        Promise.reject(located(cause, name, source)),
      ),
    );
  }
  return { tensors, metadata: Object.fromEntries(tree.metadata) };
}

/** What a storage says when it is opened, with where. */
function located(cause: unknown, name: string, source: ByteSource): unknown {
  if (!(cause instanceof PickleProblem)) return cause;
  return new BoxwrightError('weights', `${source.name}: tensor ${excerpt(name)}: ${cause.message}`, { cause });
}

class Tree {
  readonly metadata = new Map<string, string>();
  readonly #tensors = new Map<string, StoredTensor>();
  readonly #file: string;
  #work = 0;
  #text = 0;
  #names = 0;

  constructor(file: string) {
    this.#file = file;
  }

  takeApart(root: unknown): void {
    const path: string[] = [];
    const leftOut: string[] = [];
    let weights = root;
    for (let wrapper = this.#wrapperOf(weights); wrapper; wrapper = this.#wrapperOf(weights)) {
      const outer = weights as PickleDict;
      for (const [key, value] of outer.entries()) {
        if (key === wrapper) continue;
        const isMeta = key === 'meta'; // mmdetection's, which may have arrays among its words
        if (isTrainingState(key, value) || (!isMeta && this.#holdsTensors(value))) leftOut.push(keyText(key));
        else this.#walk(value, [...path, keyText(key)].join('.'), path.length + 1, false);
      }
      weights = outer.get(wrapper);
      path.push(wrapper);
      if (path.length > mostDepth) throw this.#tooDeep();
    }
    if (weights instanceof PickleDict) {
      for (const [key, value] of weights.entries()) {
        if (isTrainingState(key, value)) leftOut.push(keyText(key));
        else this.#walk(value, keyText(key), 1);
      }
    } else this.#walk(weights, Array.isArray(weights) ? '' : 'tensor', 1);
    if (path.length > 0) this.#say('read.wrapper', path.join('.'));
    if (leftOut.length > 0) this.#say('read.left_out', leftOut.join(', '));
  }

  namedTensors(): Map<string, StoredTensor> {
    const names = [...this.#tensors.keys()];
    if (names.length === 0) throw this.#bad('it holds no tensors');
    if (!names.every((name) => name.startsWith('module.'))) return this.#tensors;
    this.#say('read.prefix', 'module.');
    return new Map([...this.#tensors].map(([name, stored]) => [name.slice('module.'.length), stored]));
  }

  /** The one wrapper key that holds weights, if any. */
  #wrapperOf(value: unknown): string | undefined {
    if (!(value instanceof PickleDict)) return undefined;
    const found = wrappers.filter((key) => {
      const inner = value.get(key);
      return inner instanceof PickleDict && this.#holdsTensors(inner);
    });
    return found.length === 1 ? found[0] : undefined;
  }

  #holdsTensors(value: unknown): boolean {
    const seen = new Set<unknown>([value]);
    for (const item of seen) {
      if (isTensor(item)) return true;
      const inner = item instanceof PickleDict ? item.entries() : Array.isArray(item) ? item.entries() : [];
      for (const [, next] of inner) {
        this.#count();
        if (typeof next === 'object' && next !== null) seen.add(next);
      }
    }
    return false;
  }

  /** Puts away what is at `name`: tensors as weights (or not at all), text and numbers as metadata. */
  #walk(value: unknown, name: string, depth: number, withTensors = true): void {
    this.#count();
    if (isTensor(value)) {
      if (withTensors) this.#take(value, name);
      return;
    }
    const hasTensors = withTensors && Array.isArray(value) && this.#holdsTensors(value);
    if (!(value instanceof PickleDict) && !hasTensors) {
      const text = this.#textOf(value, 0);
      if (text !== undefined) this.#say(name, text);
      return;
    }
    if (depth > mostDepth) throw this.#tooDeep();
    for (const [key, item] of (value as PickleDict | unknown[]).entries() as Iterable<[unknown, unknown]>) {
      this.#walk(item, name === '' ? keyText(key) : `${name}.${keyText(key)}`, depth + 1, withTensors);
    }
  }

  #take(value: TensorValue, name: string): void {
    const stored = value instanceof TorchTensor ? value.stored : value instanceof NumpyArray ? value.contents : value;
    if (stored instanceof Unreadable) {
      throw this.#bad(`${excerpt(name)} is ${stored.what}; boxwright reads dense tensors of numbers`);
    }
    this.#names += name.length;
    if (this.#names > mostNames) throw this.#bad('it repeats itself too often, expected a file of weights');
    if (this.#tensors.has(name)) throw this.#bad(`two tensors have the name ${excerpt(name)}`);
    this.#tensors.set(name, stored);
  }

  /** Metadata is for people: when there is too much of it, the rest is dropped. */
  #say(name: string, text: string): void {
    this.#text += name.length + text.length;
    if (this.#text <= mostText) this.metadata.set(name, text);
  }

  /** A value in a line, lists as JSON; undefined for what is not plain data, too long or too deep. */
  #textOf(value: unknown, depth: number): string | undefined {
    this.#count();
    if (typeof value === 'string') return depth === 0 ? value : JSON.stringify(value);
    if (value === null || ['number', 'bigint', 'boolean'].includes(typeof value)) return `${value}`;
    if (value instanceof Inert) return depth === 0 ? value.text || undefined : JSON.stringify(value.text);
    if (value instanceof Global) return depth === 0 ? value.name : JSON.stringify(value.name);
    if (!Array.isArray(value) || depth > 4 || value.length > 10_000) return undefined;
    const items: string[] = [];
    let length = 0;
    for (const item of value) {
      const text = this.#textOf(item, depth + 1);
      length += text?.length ?? 0;
      if (text === undefined || length > mostText) return undefined;
      items.push(text);
    }
    return `[${items.join(',')}]`;
  }

  #count(): void {
    if (++this.#work > mostWork) throw this.#bad('it repeats itself too often, expected a file of weights');
  }

  #tooDeep(): BoxwrightError {
    return this.#bad(`its dicts are nested deeper than ${mostDepth}, or hold themselves`);
  }

  #bad(problem: string): BoxwrightError {
    return new BoxwrightError('weights', `${this.#file}: ${problem}.`);
  }
}

type TensorValue = TorchTensor | NumpyArray | Unreadable;

function isTensor(value: unknown): value is TensorValue {
  return value instanceof TorchTensor || value instanceof NumpyArray || value instanceof Unreadable;
}

function isTrainingState(key: unknown, value: unknown): boolean {
  return typeof key === 'string' && trainingState.test(key) && (value instanceof PickleDict || Array.isArray(value));
}

function keyText(key: unknown): string {
  if (typeof key === 'string') return key;
  if (key instanceof Global) return key.name;
  return typeof key === 'object' && key !== null ? 'object' : `${key}`;
}
