import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bytesOf, type Tensor } from '../../src/graph/tensor.js';
import { parseWeights } from '../../src/weights/weight-readers.js';
import { type BytesAs, bytes, global, type PickleNode, pickle, raw, reduce, tuple } from './pickle-writer.js';
import { refusal } from './refusal.js';
import { counting, detectron2File, numpyArray } from './torch-writer.js';

const parse = (pieces: readonly Uint8Array[], name = 'x.pkl') => parseWeights(Buffer.concat(pieces), name);

const tensors = new Map<string, Tensor>([
  ['conv.weight', counting([2, 3], -2)],
  ['step', { dtype: 'int64', shape: [], data: BigInt64Array.of(-5n) }],
  ['mask', { dtype: 'bool', shape: [2], data: Uint8Array.of(0, 1) }],
  ['bytes', { dtype: 'uint8', shape: [256], data: Uint8Array.from({ length: 256 }, (_, i) => i) }],
  ['count', { dtype: 'uint32', shape: [1], data: Uint32Array.of(2 ** 32 - 1) }],
  ['long', { dtype: 'float64', shape: [40_000], data: Float64Array.from({ length: 40_000 }, (_, i) => 1 / i) }],
  ['empty', counting([0, 3])],
]);

describe('pickles of numpy arrays', () => {
  for (const as of ['text', 'string', 'bytes'] satisfies BytesAs[]) {
    for (const numpy of [1, 2] as const) {
      test(`bytes as ${as}, by numpy ${numpy}`, async () => {
        const read = await parse(detectron2File(tensors, { as, numpy }));
        assert.equal(read.format, 'numpy-pickle');
        assert.deepEqual([...read.tensors], [...tensors]);
        const metadata = { __author__: 'Caffe2', matching_heuristics: 'true', 'read.wrapper': 'model' };
        assert.deepEqual(read.metadata, metadata);
      });
    }
  }

  test('column-major arrays and those of the other order of bytes', async () => {
    const columns = numpyArray(counting([2, 3]), { columnMajor: true });
    const swapped: Tensor = {
      ...counting([3]),
      data: new Float32Array(new Uint8Array(Buffer.from(bytesOf(counting([3]).data)).swap32()).buffer),
    };
    const read = await parse(
      pickle(
        new Map([
          ['columns', columns],
          ['swapped', numpyArray(swapped, { bigEndian: true })],
        ]),
      ),
    );
    assert.deepEqual(read.tensors.get('columns'), {
      dtype: 'float32',
      shape: [2, 3],
      data: Float32Array.of(0, 2, 4, 1, 3, 5),
    });
    assert.deepEqual(read.tensors.get('swapped'), counting([3]));
  });

  test('numbers of numpy are metadata', async () => {
    const type = (letters: string) => reduce(global('numpy', 'dtype'), tuple(letters, false, true));
    const scalar = (letters: string, data: number[]) =>
      reduce(global('numpy.core.multiarray', 'scalar'), tuple(type(letters), bytes(Uint8Array.from(data))));
    const root = new Map<PickleNode, PickleNode>([
      ['a', numpyArray(counting([1]))],
      ['half', scalar('f8', [0, 0, 0, 0, 0, 0, 0xe0, 0x3f])],
      ['minus', scalar('i2', [0xff, 0xff])],
      ['flag', scalar('b1', [1])],
      ['when', scalar('M8', [0, 0, 0, 0, 0, 0, 0, 0])],
    ]);
    const { metadata } = await parse(pickle(root));
    assert.deepEqual(metadata, { half: '0.5', minus: '-1', flag: 'true', when: 'numpy M8' });
  });

  test('arrays beside the model are left out, and said to be', async () => {
    const root = new Map<PickleNode, PickleNode>([
      ['model', new Map([['a', numpyArray(counting([1]))]])],
      ['mean', numpyArray(counting([3]))],
    ]);
    const { tensors: found, metadata } = await parse(pickle(root));
    assert.deepEqual([...found.keys()], ['a']);
    assert.deepEqual(metadata, { 'read.wrapper': 'model', 'read.left_out': 'mean' });
  });
});

const arrayOf = (letters: string, data: PickleNode, shape: PickleNode = tuple(2)) => {
  const type = reduce(global('numpy', 'dtype'), tuple(letters, false, true));
  const empty = tuple(global('numpy', 'ndarray'), tuple(0), 'b');
  const array = reduce(global('numpy.core.multiarray', '_reconstruct'), empty, tuple(1, shape, type, false, data));
  return pickle(new Map([['a', array]]));
};

const refused: [string, Uint8Array[], RegExp][] = [
  ['arrays of objects', arrayOf('O8', [1, 2]), /"a" is a numpy array of type "O8", which is not of numbers/],
  ['arrays of text', arrayOf('U5', bytes(Buffer.alloc(40))), /of type "U5", which is not of numbers/],
  ['structured arrays', arrayOf('V8', bytes(Buffer.alloc(16))), /of type "V8"/],
  ['complex arrays', arrayOf('c8', bytes(Buffer.alloc(16))), /tensor "a" has elements of type complex64/],
  [
    'an array that never got its contents',
    pickle(
      new Map([['a', reduce(global('numpy.core.multiarray', '_reconstruct'), tuple(global('numpy', 'ndarray')))]]),
    ),
    /an array without contents/,
  ],
  [
    'an array of another class',
    pickle(reduce(global('numpy.core.multiarray', '_reconstruct'), tuple(global('numpy', 'dtype')))),
    /an array of a class of its own/,
  ],
  ['too few bytes', arrayOf('f4', bytes(Buffer.alloc(7))), /tensor "a" needs 8 bytes.*has 7/],
  [
    'a shape of 2^60',
    arrayOf('f4', bytes(Buffer.alloc(8)), tuple(raw('\x8a\x08\0\0\0\0\0\0\0\x10'))),
    /the shape of an array is 1152921504606846976/,
  ],
  [
    'a shape of 2^50',
    arrayOf('f4', bytes(Buffer.alloc(8)), tuple(2 ** 50)),
    /would take 4503599627370496 bytes of memory/,
  ],
  ['numbers of 2^63 and more', arrayOf('u8', bytes(Buffer.alloc(16, 0xff))), /an element of 2\^63 or more/],
  ['bytes as text above 255', arrayOf('u1', 'Āa'), /a character above 255/],
  [
    'long bytes as text above 255',
    arrayOf('u1', 'Ā'.repeat(50_000)),
    /an array written as text has a character above 255/,
  ],
  [
    'an unknown class',
    pickle(new Map([['a', reduce(global('argparse', 'Namespace'), tuple())]])),
    /it names "argparse\.Namespace"/,
  ],
];

describe('pickles of numpy arrays: what is refused', () => {
  for (const [what, pieces, message] of refused) {
    test(what, async () => {
      await assert.rejects(parse(pieces), refusal('x.pkl', message));
    });
  }

  test('one long string that many arrays are made of', async () => {
    const type = reduce(global('numpy', 'dtype'), tuple('u1', false, true));
    const empty = tuple(global('numpy', 'ndarray'), tuple(0), 'b');
    const data = (i: number) => (i === 0 ? raw(`B\0\0\x10\0${'a'.repeat(2 ** 20)}q\x63`) : raw('h\x63'));
    const array = (i: number) =>
      reduce(global('numpy.core.multiarray', '_reconstruct'), empty, tuple(1, tuple(2 ** 20), type, false, data(i)));
    const many = (count: number) => pickle(new Map(Array.from({ length: count }, (_, i) => [`${i}`, array(i)])));
    assert.equal((await parse(many(10))).tensors.size, 10);
    await assert.rejects(parse(many(100)), /would take 1048576 bytes of memory, beyond what a file of this size may/);
  });

  test('a file of another kind, whatever its name', async () => {
    await assert.rejects(parse([Buffer.from('hello, this is text')]), /not a file of weights that boxwright reads/);
  });
});
