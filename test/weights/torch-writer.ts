// Writes PyTorch's files as torch.save does, in both of its formats, and pickles of numpy arrays, for tests.
import { bytesOf, type ElementType, elementCount, type Tensor } from '../../src/graph/tensor.js';
import { stridesOf } from '../../src/weights/formats/pickle/stored-tensor.js';
import {
  type BytesAs,
  bytes,
  global,
  ordered,
  type PickleNode,
  persistent,
  pickle,
  raw,
  reduce,
  tuple,
  Written,
} from './pickle-writer.js';
import { type ZipFile, zipOf } from './zip-writer.js';

const storageClasses: Readonly<Partial<Record<ElementType, string>>> = {
  float64: 'DoubleStorage',
  float32: 'FloatStorage',
  float16: 'HalfStorage',
  int64: 'LongStorage',
  int32: 'IntStorage',
  int8: 'CharStorage',
  uint8: 'ByteStorage',
  bool: 'BoolStorage',
};

interface Storage {
  readonly key: string;
  readonly elements: number;
  readonly data: Uint8Array;
}

/** A view of a storage, where it is not the whole of it, row-major. */
export interface View {
  readonly shape: readonly number[];
  readonly strides?: readonly number[];
  readonly offset?: number;
}

/** A file of PyTorch under way: tensors are put into it, then it is written. */
export class TorchFile {
  readonly #storages: Storage[] = [];
  #isLegacy = false;

  /** A storage, for tensors that share it. */
  storage(data: Uint8Array, storageClass: string, elements: number): PickleNode {
    const key = `${this.#storages.length}`;
    this.#storages.push({ key, elements, data });
    const id = ['storage', global('torch', storageClass), key, 'cpu', elements];
    // The legacy format says whether it is a part of another one, which only its first versions have.
    return persistent(new Written((out) => out.value(this.#isLegacy ? tuple(...id, null) : tuple(...id))));
  }

  view(storage: PickleNode, { shape, strides = stridesOf(shape), offset = 0 }: View): PickleNode {
    const hooks = reduce(global('collections', 'OrderedDict'), tuple());
    const args = tuple(storage, offset, tuple(...shape), tuple(...strides), false, hooks);
    return reduce(global('torch._utils', '_rebuild_tensor_v2'), args);
  }

  /** A tensor of a storage of its own. */
  tensor({ dtype, shape, data }: Tensor): PickleNode {
    return this.view(this.storage(bytesOf(data), storageClasses[dtype]!, data.length), { shape });
  }

  /** Since PyTorch 1.6. */
  zip(root: PickleNode, options: { folder?: string; bigEndian?: boolean; deflate?: boolean; zip64?: boolean } = {}) {
    const { folder = 'archive', bigEndian, deflate, zip64 } = options;
    this.#isLegacy = false;
    const file = (name: string, pieces: readonly Uint8Array[]): ZipFile => ({
      name: `${folder}/${name}`,
      pieces,
      deflate,
    });
    return zipOf(
      [
        file('data.pkl', pickle(root)),
        file('byteorder', [Buffer.from(bigEndian ? 'big' : 'little')]),
        ...this.#storages.map(({ key, data }) => file(`data/${key}`, [data])),
        file('version', [Buffer.from('3\n')]),
      ],
      { zip64 },
    );
  }

  /** Before PyTorch 1.6. */
  legacy(root: PickleNode): Uint8Array[] {
    this.#isLegacy = true;
    const machine = new Map<PickleNode, PickleNode>([
      ['protocol_version', 1001],
      ['little_endian', true],
    ]);
    return [
      ...pickle(raw('\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19')),
      ...pickle(1001),
      ...pickle(machine),
      ...pickle(root),
      ...pickle(this.#storages.map(({ key }) => key)),
      ...this.#storages.flatMap(({ elements, data }) => [int64(elements), data]),
    ];
  }
}

function int64(value: number): Uint8Array {
  return new Uint8Array(BigInt64Array.of(BigInt(value)).buffer);
}

export interface StateDictOptions {
  /** Key that the state dict stands under; without it, it is the whole. */
  readonly wrapper?: string;
  /** What stands beside it. */
  readonly beside?: Iterable<readonly [string, PickleNode]>;
}

/** A state dict as `torch.save` writes it, in pieces (see `Buffer.concat`, `writeFileAtomically`). */
export function pytorchFile(
  format: 'zip' | 'legacy',
  tensors: ReadonlyMap<string, Tensor>,
  { wrapper, beside = [] }: StateDictOptions = {},
): Uint8Array[] {
  const file = new TorchFile();
  const state = ordered([...tensors].map(([name, tensor]) => [name, file.tensor(tensor)]));
  const root = wrapper === undefined ? state : new Map<PickleNode, PickleNode>([...beside, [wrapper, state]]);
  return file[format](root);
}

const letters: Readonly<Partial<Record<ElementType, string>>> = {
  float64: 'f8',
  float32: 'f4',
  float16: 'f2',
  int64: 'i8',
  int32: 'i4',
  int8: 'i1',
  uint8: 'u1',
  uint32: 'u4',
  bool: 'b1',
};

export interface ArrayOptions {
  readonly as?: BytesAs;
  /** `data` is column-major. */
  readonly columnMajor?: boolean;
  /** `data` has the other order of bytes. */
  readonly bigEndian?: boolean;
  /** Which numpy wrote it: 2 has other names of modules. */
  readonly numpy?: 1 | 2;
}

/** A numpy array. */
export function numpyArray({ dtype, shape, data }: Tensor, options: ArrayOptions = {}): PickleNode {
  const { as = 'bytes', columnMajor = false, bigEndian = false, numpy = 1 } = options;
  const module = numpy === 1 ? 'numpy.core.multiarray' : 'numpy._core.multiarray';
  const empty = tuple(global('numpy', 'ndarray'), tuple(0), bytes(Buffer.from('b'), as));
  const typeState = tuple(3, bigEndian ? '>' : '<', null, null, null, -1, -1, 0);
  const type = reduce(global('numpy', 'dtype'), tuple(letters[dtype]!, false, true), typeState);
  const state = tuple(1, tuple(...shape), type, columnMajor, bytes(bytesOf(data), as));
  return reduce(global(module, '_reconstruct'), empty, state);
}

/** A pickle as detectron2's model zoo has them, in pieces. */
export function detectron2File(tensors: ReadonlyMap<string, Tensor>, options: ArrayOptions = {}): Uint8Array[] {
  const model = new Map<PickleNode, PickleNode>();
  for (const [name, tensor] of tensors) model.set(name, numpyArray(tensor, options));
  return pickle(
    new Map<PickleNode, PickleNode>([
      ['model', model],
      ['__author__', 'Caffe2'],
      ['matching_heuristics', true],
    ]),
  );
}

/** A tensor of float32 counting from `start`. */
export function counting(shape: readonly number[], start = 0): Tensor<'float32'> {
  return { dtype: 'float32', shape, data: Float32Array.from({ length: elementCount(shape) }, (_, i) => start + i) };
}
