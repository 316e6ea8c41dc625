import { bytesOf, type ElementType } from '../../src/graph/tensor.js';
import { global, ordered, type PickleNode, reduce, tuple } from '../../test/weights/pickle-writer.js';
import { counting, detectron2File, pytorchFile, TorchFile } from '../../test/weights/torch-writer.js';
import { eachOf, someShapes } from './tensors.js';

const dtypes: readonly ElementType[] = [
  ...(['float32', 'float16', 'float64', 'uint8', 'int8', 'int32', 'int64', 'bool'] as const),
];
const joined = (pieces: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(pieces));

export async function pytorchSamples(format: 'zip' | 'legacy'): Promise<Uint8Array[]> {
  const wrapped = { wrapper: 'state_dict', beside: [['epoch', 12]] as const };
  const files = [pytorchFile(format, eachOf(dtypes)), pytorchFile(format, someShapes(), wrapped), views(format)];
  if (format === 'zip') files.push(views('zip', { deflate: true, zip64: true }));
  return files.map(joined);
}

/** Tensors that share a storage, a parameter, an untyped storage, an optimizer's state and plain data beside. */
function views(format: 'zip' | 'legacy', options: { deflate?: boolean; zip64?: boolean } = {}): Uint8Array[] {
  const file = new TorchFile();
  const storage = file.storage(bytesOf(counting([12]).data), 'FloatStorage', 12);
  const half = file.storage(new Uint8Array(12), 'BFloat16Storage', 6);
  const untyped = file.storage(new Uint8Array(8), 'UntypedStorage', 8);
  const hooks = reduce(global('collections', 'OrderedDict'), tuple());
  const untypedArgs = tuple(untyped, 0, tuple(4), tuple(1), false, hooks, global('torch', 'uint16'));
  const model = ordered([
    ['module.transposed', file.view(storage, { shape: [4, 3], strides: [1, 4] })],
    ['module.expanded', file.view(half, { shape: [3, 2], strides: [0, 1], offset: 2 })],
    ['module.untyped', reduce(global('torch._utils', '_rebuild_tensor_v3'), untypedArgs)],
    [
      'module.parameter',
      reduce(global('torch._utils', '_rebuild_parameter'), tuple(file.view(storage, { shape: [12] }), true, hooks)),
    ],
  ]);
  const root = new Map<PickleNode, PickleNode>([
    [
      'meta',
      new Map<PickleNode, PickleNode>([
        ['CLASSES', tuple('cat', 'dog')],
        ['score', 0.5],
        ['seed', null],
      ]),
    ],
    ['model', model],
    ['optimizer', new Map([['state', new Map([[0, file.view(storage, { shape: [1] })]])]])],
    ['device', reduce(global('torch', 'device'), tuple('cuda', 0))],
  ]);
  return format === 'zip' ? file.zip(root, options) : file.legacy(root);
}

export async function numpyPickleSamples(): Promise<Uint8Array[]> {
  const files = [
    detectron2File(eachOf([...dtypes, 'uint32'])),
    detectron2File(someShapes(), { as: 'text', columnMajor: true, numpy: 2 }),
    detectron2File(someShapes(), { as: 'string', bigEndian: true }),
  ];
  return files.map(joined);
}
