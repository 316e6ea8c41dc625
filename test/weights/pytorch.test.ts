import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { BoxwrightError } from '../../src/errors.js';
import { bytesOf, type Tensor } from '../../src/graph/tensor.js';
import { parseWeights, readWeightFile } from '../../src/weights/weight-readers.js';
import { needs, shared } from '../shared.js';
import { global, ordered, type PickleNode, persistent, pickle, raw, reduce, tuple, Written } from './pickle-writer.js';
import { refusal } from './refusal.js';
import { counting, numpyArray, pytorchFile, TorchFile } from './torch-writer.js';
import { zipOf } from './zip-writer.js';

const parse = (pieces: readonly Uint8Array[]) => parseWeights(Buffer.concat(pieces), 'x.pth');
const formats = ['zip', 'legacy'] as const;

const everyType = new Map<string, Tensor>([
  ['flags', { dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) }],
  ['bytes', { dtype: 'uint8', shape: [1, 5], data: Uint8Array.of(0, 1, 2, 254, 255) }],
  ['small', { dtype: 'int8', shape: [2], data: Int8Array.of(-128, 127) }],
  ['index', { dtype: 'int32', shape: [2, 1], data: Int32Array.of(-(2 ** 31), 2 ** 31 - 1) }],
  ['conv.weight', { dtype: 'float32', shape: [1, 2, 1, 1], data: Float32Array.of(0.1, -0) }],
  ['step', { dtype: 'int64', shape: [], data: BigInt64Array.of(-(2n ** 63n)) }],
  ['loss', { dtype: 'float64', shape: [2], data: Float64Array.of(Math.PI, Number.POSITIVE_INFINITY) }],
  ['empty', { dtype: 'float32', shape: [0, 4], data: new Float32Array(0) }],
]);

/** One tensor `t`, made by `tensor`, in a file of each format. */
async function readOne(tensor: (file: TorchFile) => PickleNode, format: 'zip' | 'legacy' = 'zip'): Promise<Tensor> {
  const file = new TorchFile();
  const root = ordered([['t', tensor(file)]]);
  return (await parse(file[format](root))).tensors.get('t')!;
}

describe('PyTorch files', () => {
  for (const format of formats) {
    test(`${format}: every element type, the names in order`, async () => {
      const { tensors, metadata, format: found } = await parse(pytorchFile(format, everyType));
      assert.equal(found, 'pytorch');
      assert.deepEqual([...tensors], [...everyType]);
      assert.deepEqual(metadata, {});
    });

    test(`${format}: half precision becomes float32, 16-bit integers int32`, async () => {
      const bits = Uint16Array.of(0x3c00, 0xc000, 0x7bff);
      const half = (type: string) =>
        readOne((file) => file.view(file.storage(bytesOf(bits), type, 3), { shape: [3] }), format);
      assert.deepEqual((await half('HalfStorage')).data, Float32Array.of(1, -2, 65504));
      assert.deepEqual(
        (await half('BFloat16Storage')).data,
        Float32Array.of(0.0078125, -2, 2 ** 120 * (1 + 127 / 128)),
      );
      assert.deepEqual(await half('ShortStorage'), {
        dtype: 'int32',
        shape: [3],
        data: Int32Array.of(15360, -16384, 31743),
      });
    });

    test(`${format}: tensors that share a storage, transposed, sliced, expanded and of unusual strides`, async () => {
      const file = new TorchFile();
      const storage = file.storage(bytesOf(counting([12]).data), 'FloatStorage', 12);
      const views = {
        whole: file.view(storage, { shape: [3, 4] }),
        tied: file.view(storage, { shape: [3, 4] }),
        transposed: file.view(storage, { shape: [4, 3], strides: [1, 4] }),
        tail: file.view(storage, { shape: [2, 2], offset: 8 }),
        column: file.view(storage, { shape: [3], strides: [4], offset: 1 }),
        expanded: file.view(storage, { shape: [2, 3], strides: [0, 1], offset: 5 }),
        channelsLast: file.view(storage, { shape: [1, 3, 2, 2], strides: [12, 1, 6, 3] }),
        scalar: file.view(storage, { shape: [], offset: 7 }),
        none: file.view(storage, { shape: [0], offset: 12 }),
        single: file.view(storage, { shape: [1, 2], strides: [99, 1], offset: 10 }),
      };
      const { tensors } = await parse(file[format](ordered(Object.entries(views))));
      const data = Object.fromEntries([...tensors].map(([name, tensor]) => [name, [...tensor.data]]));
      const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
      assert.deepEqual(data, {
        whole: all,
        tied: all,
        transposed: [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11],
        tail: [8, 9, 10, 11],
        column: [1, 5, 9],
        expanded: [5, 6, 7, 5, 6, 7],
        channelsLast: [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11],
        scalar: [7],
        none: [],
        single: [10, 11],
      });
      assert.deepEqual(tensors.get('channelsLast')?.shape, [1, 3, 2, 2]);
    });

    test(`${format}: transposed tensors of elements of 1, 2 and 8 bytes`, async () => {
      const transpose = { shape: [3, 2], strides: [1, 3] };
      const of = async (data: Tensor['data'], type: string) =>
        (await readOne((file) => file.view(file.storage(bytesOf(data), type, 6), transpose), format)).data;
      assert.deepEqual(await of(Uint8Array.of(1, 2, 3, 4, 5, 6), 'ByteStorage'), Uint8Array.of(1, 4, 2, 5, 3, 6));
      assert.deepEqual(await of(Uint16Array.of(1, 2, 3, 4, 5, 6), 'ShortStorage'), Int32Array.of(1, 4, 2, 5, 3, 6));
      const long = BigInt64Array.of(1n, 2n, 3n, 4n, 5n, -6n);
      assert.deepEqual(await of(long, 'LongStorage'), BigInt64Array.of(1n, 4n, 2n, 5n, 3n, -6n));
    });

    test(`${format}: parameters, untyped storages and tensors with attributes`, async () => {
      const file = new TorchFile();
      const plain = () => file.tensor(counting([2]));
      const untyped = file.storage(bytesOf(Uint32Array.of(7, 2 ** 32 - 1)), 'UntypedStorage', 8);
      const hooks = ordered([]);
      const args = tuple(untyped, 0, tuple(2), tuple(1), false, hooks, global('torch', 'uint32'));
      const tensors = new Map<PickleNode, PickleNode>([
        ['parameter', reduce(global('torch._utils', '_rebuild_parameter'), tuple(plain(), true, hooks))],
        ['untyped', reduce(global('torch._utils', '_rebuild_tensor_v3'), args)],
        [
          'attributed',
          reduce(
            global('torch._tensor', '_rebuild_from_type_v2'),
            tuple(
              global('torch._utils', '_rebuild_tensor_v2'),
              global('torch', 'Tensor'),
              tuple(file.storage(bytesOf(Float32Array.of(5)), 'FloatStorage', 1), 0, tuple(1), tuple(1), false, hooks),
              new Map([['note', 'x']]),
            ),
          ),
        ],
      ]);
      const read = (await parse(file[format](tensors))).tensors;
      assert.deepEqual([...read.keys()], ['parameter', 'untyped', 'attributed']);
      assert.deepEqual(read.get('parameter'), counting([2]));
      assert.deepEqual(read.get('untyped')?.data, Uint32Array.of(7, 2 ** 32 - 1));
      assert.deepEqual(read.get('attributed')?.data, Float32Array.of(5));
    });
  }

  test('zip: compressed, with 64-bit sizes, of another folder', async () => {
    for (const options of [{ deflate: true }, { zip64: true }, { folder: '../../etc' }, { folder: 'ü' }]) {
      const file = new TorchFile();
      const root = ordered([['t', file.tensor(counting([500]))]]);
      if (options.folder === '../../etc') {
        await assert.rejects(parse(file.zip(root, options)), /none of PyTorch's: it has 0 data\.pkl/);
      } else assert.deepEqual((await parse(file.zip(root, options))).tensors.get('t'), counting([500]));
    }
  });

  test('zip: a machine of the other order of bytes', async () => {
    const file = new TorchFile();
    const data = Buffer.from(bytesOf(counting([3]).data)).swap32();
    const view = file.view(file.storage(data, 'FloatStorage', 3), { shape: [3] });
    const bytes = Buffer.concat(file.zip(ordered([['t', view]]), { bigEndian: true }));
    for (let i = 0; i < 2; i++) {
      // Twice, as the first reading must not swap what the caller gave.
      assert.deepEqual((await parseWeights(bytes, 'x.pth')).tensors.get('t'), counting([3]));
    }
  });

  test('legacy: parts of storages, as its first versions have them', async () => {
    const file = new TorchFile();
    file.storage(bytesOf(counting([6]).data), 'FloatStorage', 6);
    const id = tuple('storage', global('torch', 'FloatStorage'), '0', 'cpu', 6, tuple('view', 4, 2));
    const { tensors } = await parse(file.legacy(ordered([['t', file.view(persistent(id), { shape: [2] })]])));
    assert.deepEqual(tensors.get('t')?.data, Float32Array.of(4, 5));
  });

  test('legacy: written with a later protocol', async () => {
    const whole = Buffer.concat(pytorchFile('legacy', everyType));
    const frame = Buffer.from(BigUint64Array.of(13n).buffer).toString('latin1');
    const later = Buffer.concat([Buffer.from(`\x80\x04\x95${frame}`, 'latin1'), whole.subarray(2)]);
    assert.deepEqual([...(await parseWeights(later, 'x.pth')).tensors], [...everyType]);
    const other = Buffer.concat([Buffer.from('\x80\x020', 'latin1'), whole.subarray(2)]);
    await assert.rejects(parseWeights(other, 'x.pth'), /pickle, byte 2: the stack is empty/);
  });

  test("a real file of 2019: torchvision's names after DataParallel", needs('data/checkpoints'), async () => {
    const path = shared('data/checkpoints/pytorch-legacy-resnet20-12fca82f.th')!;
    const { tensors, metadata } = await readWeightFile(path);
    assert.equal(tensors.size, 97);
    assert.deepEqual(metadata, {
      best_prec1: '91.78000183105469',
      'read.wrapper': 'state_dict',
      'read.prefix': 'module.',
    });
    const first = tensors.get('conv1.weight')!;
    // As torch.load gives them.
    assert.deepEqual(first.shape, [16, 3, 3, 3]);
    assert.deepEqual(
      first.data.slice(0, 3),
      Float32Array.of(-0.13818146288394928, -0.1624176800251007, 0.8207383155822754),
    );
    assert.deepEqual(tensors.get('linear.weight')?.shape, [10, 64]);
    // From memory it is the same.
    assert.deepEqual((await parseWeights(await readFile(path), 'memory')).tensors, tensors);
  });
});

/** What `weightsIn` makes of a whole object, as names and metadata. */
async function understand(root: (tensor: (value: number) => PickleNode) => PickleNode) {
  const file = new TorchFile();
  const tree = root((value) => file.tensor(counting([1], value)));
  const { tensors, metadata } = await parse(file.zip(tree));
  return { tensors: Object.fromEntries([...tensors].map(([name, { data }]) => [name, data[0]])), metadata };
}

const dict = (entries: Record<string, PickleNode>) => new Map<PickleNode, PickleNode>(Object.entries(entries));

describe('PyTorch files: what of them is weights', () => {
  for (const wrapper of ['state_dict', 'model', 'model_state_dict', 'net', 'blobs']) {
    test(`the key ${wrapper} is taken off, the optimizer stays in the file`, async () => {
      const found = await understand((tensor) =>
        dict({
          epoch: 12,
          note: 'a\nb',
          [wrapper]: dict({ 'a.weight': tensor(1), b: tensor(2) }),
          optimizer: dict({ state: dict({ exp_avg: tensor(3) }), param_groups: [dict({ lr: 0.1 })] }),
          ema: dict({ a: tensor(4) }),
          meta: dict({ CLASSES: tuple('cat', 'dog'), seed: null, time: 1.5, table: numpyArray(counting([2])) }),
        }),
      );
      assert.deepEqual(found, {
        tensors: { 'a.weight': 1, b: 2 },
        metadata: {
          epoch: '12',
          note: 'a\nb',
          'meta.CLASSES': '["cat","dog"]',
          'meta.seed': 'null',
          'meta.time': '1.5',
          'read.wrapper': wrapper,
          'read.left_out': 'optimizer, ema',
        },
      });
    });
  }

  test('a wrapper in a wrapper', async () => {
    const found = await understand((tensor) => dict({ model: dict({ state_dict: dict({ a: tensor(1) }), epoch: 3 }) }));
    assert.deepEqual(found, {
      tensors: { a: 1 },
      metadata: { 'model.epoch': '3', 'read.wrapper': 'model.state_dict' },
    });
  });

  test('two wrappers: both stay', async () => {
    const found = await understand((tensor) => dict({ model: dict({ a: tensor(1) }), net: dict({ a: tensor(2) }) }));
    assert.deepEqual(found, { tensors: { 'model.a': 1, 'net.a': 2 }, metadata: {} });
  });

  test('nested dicts and lists are joined by dots; the optimizer beside is left out', async () => {
    const found = await understand((tensor) =>
      dict({
        backbone: dict({ conv: dict({ weight: tensor(1) }), layers: [tensor(2), dict({ b: tensor(3) })] }),
        optimizer_state_dict: dict({ a: tensor(4) }),
        7: tensor(5),
      }),
    );
    const tensors = { 7: 5, 'backbone.conv.weight': 1, 'backbone.layers.0': 2, 'backbone.layers.1.b': 3 };
    assert.deepEqual(found, { tensors, metadata: { 'read.left_out': 'optimizer_state_dict' } });
  });

  test('"module." is taken off where all have it, and only there', async () => {
    const all = await understand((tensor) => dict({ 'module.a': tensor(1), 'module.b': tensor(2) }));
    assert.deepEqual(all, { tensors: { a: 1, b: 2 }, metadata: { 'read.prefix': 'module.' } });
    const some = await understand((tensor) => dict({ 'module.a': tensor(1), b: tensor(2) }));
    assert.deepEqual(some, { tensors: { 'module.a': 1, b: 2 }, metadata: {} });
  });

  test("mmdetection's training checkpoints, with their losses", async () => {
    const losses = reduce(
      global('mmengine.logging.history_buffer', 'HistoryBuffer'),
      tuple(),
      dict({ max_length: 1e6 }),
    );
    const found = await understand((tensor) =>
      dict({
        meta: dict({ epoch: 12, dataset_meta: dict({ classes: tuple('cat') }) }),
        state_dict: dict({ a: tensor(1) }),
        message_hub: dict({ log_scalars: dict({ 'train/loss': losses }), runtime_info: dict({ iter: 5 }) }),
        optimizer: dict({ state: dict({ 0: tensor(3) }) }),
        param_schedulers: [dict({ last_step: 1 })],
      }),
    );
    assert.deepEqual(found.tensors, { a: 1 });
    assert.deepEqual(found.metadata, {
      'meta.epoch': '12',
      'meta.dataset_meta.classes': '["cat"]',
      'message_hub.runtime_info.iter': '5',
      'read.wrapper': 'state_dict',
      'read.left_out': 'optimizer, param_schedulers',
    });
  });

  test('a single tensor, and names of the prototype', async () => {
    assert.deepEqual((await understand((tensor) => tensor(1))).tensors, { tensor: 1 });
    const found = await understand((tensor) => dict({ ['__proto__']: 'x', constructor: tensor(1) }));
    assert.deepEqual(Object.entries(found.metadata), [['__proto__', 'x']]);
  });
});

const state = (tensor: PickleNode) => ordered([['t', tensor]]);

/** A file with one tensor that is a view of six float32. */
function viewFile(view: { shape: number[]; strides?: number[]; offset?: number }, format: 'zip' | 'legacy' = 'zip') {
  const file = new TorchFile();
  return file[format](state(file.view(file.storage(bytesOf(counting([6]).data), 'FloatStorage', 6), view)));
}

function storageFile(id: (file: TorchFile) => PickleNode, format: 'zip' | 'legacy' = 'zip') {
  const file = new TorchFile();
  file.storage(bytesOf(counting([6]).data), 'FloatStorage', 6);
  return file[format](state(file.view(persistent(id(file)), { shape: [2] })));
}

const made = (module: string, name: string, ...args: PickleNode[]) =>
  new TorchFile().zip(state(reduce(global(module, name), tuple(...args))));

const float = global('torch', 'FloatStorage');

const refused: [string, Uint8Array[], RegExp][] = [
  [
    'a storage that is too short',
    viewFile({ shape: [7] }),
    /tensor "t" needs 28 bytes of its storage \(float32 of shape \[7\].*has 24/,
  ],
  ['an offset beyond the storage', viewFile({ shape: [2], offset: 5 }), /needs 28 bytes/],
  ['strides beyond the storage', viewFile({ shape: [2, 2], strides: [5, 1] }), /needs 28 bytes/],
  [
    'an expanded tensor of 2^40 elements',
    viewFile({ shape: [2 ** 40], strides: [0] }),
    /would take 4398046511104 bytes of memory, beyond/,
  ],
  [
    'a shape whose size overflows',
    viewFile({ shape: [2 ** 52, 2 ** 52, 2 ** 52], strides: [0, 0, 0] }),
    /would take 3\.6/,
  ],
  [
    'a shape without end',
    viewFile({ shape: Array(60).fill(2 ** 52), strides: Array(60).fill(0) }),
    /would take Infinity bytes/,
  ],
  ['a negative size', viewFile({ shape: [-1], strides: [1] }), /the shape of a tensor is -1/],
  ['a negative stride', viewFile({ shape: [2], strides: [-1] }), /the strides of a tensor is -1/],
  ['shape and strides that differ', viewFile({ shape: [2, 2], strides: [1] }), /shape \[2,2\] with strides \[1\]/],
  ['a fraction', viewFile({ shape: [0.5], strides: [1] }), /is 0\.5, expected a whole number/],
  [
    'a storage that is not there',
    storageFile(() => tuple('storage', float, '5', 'cpu', 6)),
    /storage "5" is missing: there is no entry "archive\/data\/5"/,
  ],
  [
    'a storage with a path',
    storageFile(() => tuple('storage', float, '../data.pkl', 'cpu', 6)),
    /storage "\.\.\/data\.pkl" is missing/,
  ],
  [
    'a storage of another size',
    storageFile(() => tuple('storage', float, '0', 'cpu', 9)),
    /storage "0" has 24 bytes, its pickle says 36/,
  ],
  [
    'legacy: a storage of another size',
    storageFile(() => tuple('storage', float, '0', 'cpu', 9), 'legacy'),
    /storage "0" has 6 elements, its pickle says 9/,
  ],
  [
    'legacy: a storage that no tensor is in',
    storageFile(() => tuple('storage', float, '5', 'cpu', 6), 'legacy'),
    /a storage that no tensor is in/,
  ],
  [
    'an unknown class of storages',
    storageFile(() => tuple('storage', global('torch', 'device'), '0', 'cpu', 6)),
    /a persistent id that is no storage/,
  ],
  [
    'another persistent id',
    storageFile(() => tuple('module', float, '0', 'cpu', 6)),
    /a persistent id that is no storage/,
  ],
  [
    'a storage of -1 elements',
    storageFile(() => tuple('storage', float, '0', 'cpu', -1)),
    /the size of storage "0" is -1/,
  ],
  [
    'an object of a class',
    made('torchvision.models.resnet', 'ResNet'),
    /it names "torchvision\.models\.resnet\.ResNet".*torch\.save/,
  ],
  [
    'a pickle in a pickle',
    made('torch.storage', '_load_from_bytes', 'x'),
    /it names "torch\.storage\._load_from_bytes"/,
  ],
  ['a command', made('posix', 'system', 'true'), /it names "posix\.system"/],
  [
    'a sparse tensor',
    made('torch._utils', '_rebuild_sparse_tensor', 0),
    /"t" is a sparse tensor; boxwright reads dense/,
  ],
  ['a quantized tensor', made('torch._utils', '_rebuild_qtensor', 0), /"t" is a quantized tensor/],
  [
    'a tensor of nothing',
    made('torch._utils', '_rebuild_tensor_v2', 1, 0, tuple(), tuple()),
    /a tensor without a storage/,
  ],
  [
    'a dict that holds itself',
    new TorchFile().zip(raw('}q\0X\x01\0\0\0ah\0s')),
    /nested deeper than 64, or hold themselves/,
  ],
  [
    'a wrapper that holds itself',
    new TorchFile().zip(raw('}q\0X\x05\0\0\0modelh\0s')),
    /nested deeper than 64|it holds no tensors/,
  ],
  ['no tensors', new TorchFile().zip(dict({ a: 1 })), /it holds no tensors/],
  ['a TorchScript program', scriptFile(), /a TorchScript program, which boxwright does not run/],
];

function scriptFile(): Uint8Array[] {
  return zipOf(['net/data.pkl', 'net/constants.pkl'].map((name) => ({ name, pieces: pickle(dict({ a: 1 })) })));
}

describe('PyTorch files: what is refused', () => {
  for (const [what, pieces, message] of refused) {
    test(what, async () => {
      await assert.rejects(parse(pieces), refusal('x.pth', message));
    });
  }

  test('complex elements', async () => {
    const complex = readOne((file) =>
      file.view(file.storage(new Uint8Array(16), 'ComplexFloatStorage', 2), { shape: [2] }),
    );
    await assert.rejects(complex, /tensor "t" has elements of type complex64, which boxwright does not read/);
  });

  test('two tensors of one name', async () => {
    const twice = understand((tensor) => dict({ a: dict({ b: tensor(1) }), 'a.b': tensor(2) }));
    await assert.rejects(twice, /two tensors have the name "a\.b"/);
  });

  test('lists that repeat each other without end', async () => {
    const doubled = `](K\x01K\x01e${'2\x86'.repeat(40)}`;
    const file = new TorchFile();
    const root = new Map<PickleNode, PickleNode>([
      ['a', raw(doubled)],
      ['t', file.tensor(counting([1]))],
    ]);
    assert.deepEqual([...(await parse(file.zip(root))).tensors.keys()], ['t']);
    const dicts = `}X\x01\0\0\0tK\x01s${'q\0}(X\x01\0\0\0ah\0X\x01\0\0\0bh\0u'.repeat(40)}`;
    await assert.rejects(parse(file.zip(raw(dicts))), /repeats itself too often/);
    const named = `X\0\x80\0\0${'n'.repeat(32768)}q\0`;
    const long = file.tensor(counting([1]));
    const twice = (inner: PickleNode): PickleNode =>
      new Written((out) => {
        out.value(inner);
        out.text('q\x01}(h\0h\x01X\x01\0\0\0ah\x01u');
      });
    let root2: PickleNode = long;
    for (let i = 0; i < 20; i++) root2 = twice(root2);
    const names = new Map<PickleNode, PickleNode>([
      [raw(named), 1],
      ['a', root2],
    ]);
    await assert.rejects(parse(file.zip(names)), /repeats itself too often/);
  });

  test('many tensors that are each spread over one storage', async () => {
    const elements = 2 ** 18;
    const spread = (count: number) => {
      const file = new TorchFile();
      const storage = file.storage(new Uint8Array(4 * elements), 'FloatStorage', elements);
      const view = { shape: [2], strides: [elements - 1] };
      return file.zip(ordered(Array.from({ length: count }, (_, i) => [`${i}`, file.view(storage, view)])));
    };
    assert.equal((await parse(spread(10))).tensors.size, 10);
    await assert.rejects(parse(spread(100)), /would read 1048576 bytes more, beyond what a file of this size may/);
  });

  for (const format of formats) {
    test(`${format}: cut short anywhere`, async () => {
      const whole = Buffer.concat(pytorchFile(format, everyType, { wrapper: 'state_dict', beside: [['epoch', 1]] }));
      for (let length = 0; length < whole.length; length++) {
        await assert.rejects(parseWeights(whole.subarray(0, length), 'x.pth'), BoxwrightError, `${length} bytes`);
      }
    });
  }
});
