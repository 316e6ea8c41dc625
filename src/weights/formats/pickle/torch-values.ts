import { type StoredType, storedTypes } from '../stored-types.js';
import { countOf, countsOf } from './counts.js';
import type { Allowance, Place, StoredTensor } from './stored-tensor.js';
import { excerpt, Global, PickleProblem, Stateful, Unreadable } from './values.js';

/** What a container knows of its storages. */
export interface Storages {
  readonly bigEndian: boolean;
  /** Told of every mention of a storage. */
  register?(storage: TorchStorage): void;
  /** @throws BoxwrightError `weights` if the storage is not in the file, or of another size. */
  open(storage: TorchStorage, allowance: Allowance): Promise<Place>;
}

/** A piece of memory that tensors are views of, as a pickle refers to it; where it lies is the container's matter. */
export interface TorchStorage {
  /** Its name in the file. */
  readonly key: string;
  /** Undefined if its tensors say. */
  readonly type: StoredType | undefined;
  readonly elements: number;
  readonly bytes: number;
}

/** A storage, or a part of one, that belongs to a container. */
class StorageView {
  constructor(
    readonly storage: TorchStorage,
    readonly storages: Storages,
    /** Elements before the first one. */
    readonly offset: number,
  ) {}
}

/** A tensor of a PyTorch file. */
export class TorchTensor extends Stateful {
  constructor(readonly stored: StoredTensor) {
    super();
  }

  /** Attributes that somebody gave the tensor. */
  override setState(_state: unknown): void {}
}

/** PyTorch's classes of storages and what they hold. */
const storages: Readonly<Record<string, StoredType>> = {
  DoubleStorage: 'float64',
  FloatStorage: 'float32',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  LongStorage: 'int64',
  IntStorage: 'int32',
  ShortStorage: 'int16',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
  ComplexFloatStorage: 'complex64',
  ComplexDoubleStorage: 'complex128',
  QInt8Storage: 'qint8',
  QUInt8Storage: 'quint8',
  QInt32Storage: 'qint32',
  QUInt4x2Storage: 'quint4x2',
  QUInt2x4Storage: 'quint2x4',
};

const storageTypes = new Map<string, StoredType | undefined>([
  ...Object.entries(storages).flatMap(([name, type]): [string, StoredType][] => [
    [`torch.${name}`, type],
    [`torch.cuda.${name}`, type],
  ]),
  ['torch.storage.UntypedStorage', undefined],
  ['torch.UntypedStorage', undefined],
  ['torch.storage._UntypedStorage', undefined],
  ['torch._UntypedStorage', undefined],
]);

const elementTypes = new Map(Object.keys(storedTypes).map((type) => [`torch.${type}`, type as StoredType]));

/** Names that stand for themselves. */
const tags = [
  ...['torch.Tensor', 'torch.nn.parameter.Parameter', 'torch.nn.parameter.Buffer', 'torch.strided'],
  ...['torch.per_tensor_affine', 'torch.per_channel_affine'],
];

const unreadable = {
  'torch._utils._rebuild_qtensor': 'a quantized tensor',
  'torch._utils._rebuild_sparse_tensor': 'a sparse tensor',
  'torch._utils._rebuild_sparse_csr_tensor': 'a sparse tensor',
  'torch._utils._rebuild_nested_tensor': 'a nested tensor',
  'torch._utils._rebuild_meta_tensor_no_storage': 'a tensor of the device "meta", which has no values',
} as const;

/** PyTorch's part of the allow-list. */
export const torchGlobals: readonly Global[] = [
  ...[...storageTypes.keys(), ...elementTypes.keys(), ...tags].map((name) => new Global(name)),
  new Global('torch._utils._rebuild_tensor', ([storage, ...layout]) => tensorOf(storage, layout)),
  new Global('torch._utils._rebuild_tensor_v2', ([storage, ...layout]) => tensorOf(storage, layout)),
  new Global('torch._utils._rebuild_tensor_v3', ([storage, ...layout]) => tensorOf(storage, layout, layout[5])),
  new Global('torch._utils._rebuild_parameter', ([tensor]) => sameTensor(tensor)),
  new Global('torch._utils._rebuild_parameter_with_state', ([tensor]) => sameTensor(tensor)),
  new Global('torch._tensor._rebuild_from_type_v2', ([make, , args]) => {
    if (!(make instanceof Global) || !make.name.startsWith('torch._utils._rebuild_') || !Array.isArray(args)) {
      throw new PickleProblem('a tensor of an unknown kind');
    }
    return make.call!(args);
  }),
  ...Object.entries(unreadable).map(([name, what]) => new Global(name, () => new Unreadable(what))),
  new Global('torch.Size', ([size]) => countsOf(size, 'a torch.Size')),
];

/**
 * What a persistent id of PyTorch means: ("storage", class, key, device, elements), in files of old versions with a
 * view ("key", offset, elements) behind.
 */
export function storageOf(id: unknown, storages: Storages): unknown {
  const [kind, type, key, , elements, view] = Array.isArray(id) ? id : [];
  if (kind !== 'storage' || !(type instanceof Global) || typeof key !== 'string' || !storageTypes.has(type.name)) {
    throw new PickleProblem('a persistent id that is no storage of PyTorch');
  }
  const stored = storageTypes.get(type.name);
  const count = countOf(elements, `the size of storage ${excerpt(key)}`);
  const storage = { key, type: stored, elements: count, bytes: count * (stored ? storedTypes[stored].bytes : 1) };
  storages.register?.(storage);
  const offset = Array.isArray(view) ? countOf(view[1], `the offset into storage ${excerpt(key)}`) : 0;
  return new StorageView(storage, storages, offset);
}

function tensorOf(view: unknown, layout: readonly unknown[], typed?: unknown): TorchTensor {
  if (!(view instanceof StorageView)) throw new PickleProblem('a tensor without a storage');
  const { storage, storages } = view;
  const shape = countsOf(layout[1], 'the shape of a tensor');
  const strides = countsOf(layout[2], 'the strides of a tensor');
  if (shape.length !== strides.length) throw new PickleProblem(`shape [${shape}] with strides [${strides}]`);
  const type = typed instanceof Global ? elementTypes.get(typed.name) : storage.type;
  if (!type) throw new PickleProblem('a tensor without an element type');
  const offset = view.offset + countOf(layout[0], 'the offset of a tensor');
  const open = (allowance: Allowance) => storages.open(storage, allowance);
  return new TorchTensor({ type, bigEndian: storages.bigEndian, shape, strides, offset, open });
}

function sameTensor(tensor: unknown): TorchTensor | Unreadable {
  if (tensor instanceof TorchTensor || tensor instanceof Unreadable) return tensor;
  throw new PickleProblem('a parameter that is no tensor');
}
