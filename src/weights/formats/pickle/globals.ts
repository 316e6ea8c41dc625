import type { PickleWords } from './machine.js';
import { latin1Bytes, numpyGlobals } from './numpy-values.js';
import { torchGlobals } from './torch-values.js';
import { excerpt, Global, Inert, PickleDict, PickleProblem, Span } from './values.js';

/** The allow-list apart from PyTorch's and numpy's tensors, as far as it makes nothing that costs more than its bytes in the file. */
const plainGlobals: readonly Global[] = [
  new Global('collections.defaultdict', () => new PickleDict()),
  new Global('collections.Counter', ([counts]) => (counts instanceof PickleDict ? counts : new PickleDict())),
  // Sets and lists are arrays here, so these give what they get.
  ...['set', 'frozenset', 'list', 'tuple'].map(
    (name) => new Global(`builtins.${name}`, ([items]) => (Array.isArray(items) ? items : [])),
  ),
  new Global('builtins.bytes', () => new Uint8Array(0)),
  ...['int', 'float', 'bool', 'str', 'dict'].map((name) => new Global(`builtins.${name}`)),
  new Global('torch.device', ([kind, index]) => {
    const device = typeof kind === 'string' ? kind : 'device';
    return new Inert(typeof index === 'number' ? `${device}:${index}` : device);
  }),
  new Global(
    'torch.serialization._get_layout',
    ([layout]) => new Inert(typeof layout === 'string' ? layout : 'layout'),
  ),
  // mmdetection's training checkpoints keep their losses in these, beside the weights.
  new Global('mmengine.logging.history_buffer.HistoryBuffer', () => new Inert('')),
];

const allowed: ReadonlyMap<string, Global> = new Map(
  [...plainGlobals, ...numpyGlobals, ...torchGlobals].map((global) => [global.name, global]),
);

/** Bytes of memory that globals may fill in a file, since a pickle can hand them the same long list many times. */
const mostCopied = 2 ** 26;
/** What an entry of a dict takes. */
const perEntry = 64;

/** The allow-list: all that a file of weights may name. What is not in it is an error, so nothing can hide behind a name. */
export class WeightWords implements PickleWords {
  readonly persistent?: (id: unknown) => unknown;
  #copied = 0;
  readonly #copying: ReadonlyMap<string, Global>;

  /** @param persistent what the format's persistent ids mean, see `PickleWords` */
  constructor(persistent?: (id: unknown) => unknown) {
    this.persistent = persistent;
    const copying = [
      new Global('collections.OrderedDict', ([pairs]) => this.#ordered(pairs)),
      new Global('_codecs.encode', ([text, encoding]) => this.#encode(text, encoding)),
    ];
    this.#copying = new Map(copying.map((global) => [global.name, global]));
  }

  find(module: string, name: string): Global {
    const known = `${canonical(module)}.${name}`;
    const global = this.#copying.get(known) ?? allowed.get(known);
    if (global) return global;
    throw new PickleProblem(
      `it names ${excerpt(`${module}.${name}`)}, which weights are not made of. Nothing in a file is executed, so boxwright ` +
        'reads tensors, arrays and plain data only. Load the file where it was made and save the weights alone, such as ' +
        'torch.save(model.state_dict(), "weights.pth").',
    );
  }

  #ordered(pairs: unknown): PickleDict {
    const dict = new PickleDict();
    if (pairs instanceof PickleDict) return pairs;
    if (!Array.isArray(pairs)) return dict;
    this.#count(pairs.length * perEntry);
    for (const pair of pairs) {
      if (!Array.isArray(pair) || pair.length !== 2) throw new PickleProblem('an OrderedDict of something but pairs');
      dict.set(pair[0], pair[1]);
    }
    return dict;
  }

  /** Bytes, which Python 3 writes as text for the sake of Python 2. */
  #encode(text: unknown, encoding: unknown): Uint8Array | Span {
    if (encoding !== 'latin1' && encoding !== 'latin-1') throw new PickleProblem('bytes in an encoding but latin1');
    if (text instanceof Span) return text;
    if (typeof text !== 'string') throw new PickleProblem('bytes made of something but text');
    this.#count(text.length);
    return latin1Bytes(text);
  }

  #count(bytes: number): void {
    this.#copied += bytes;
    if (this.#copied > mostCopied) throw new PickleProblem('it copies the same data again and again');
  }
}

/** Modules that moved, by the name that they have here. */
function canonical(module: string): string {
  if (module === '__builtin__') return 'builtins';
  return module.startsWith('numpy._core.') ? `numpy.core.${module.slice('numpy._core.'.length)}` : module;
}
