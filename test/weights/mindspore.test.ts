import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Tensor } from '../../src/graph/tensor.js';
import { writeMindspore } from '../../src/weights/formats/mindspore-writer.js';
import { parseWeights, readWeightFile } from '../../src/weights/weight-readers.js';
import { needs, shared } from '../shared.js';
import { temporaryFolder } from '../temporary-folder.js';
import { mindsporeText, mindsporeValue, withChecksum } from './mindspore-pieces.js';
import { content, joined, number } from './protobuf-writer.js';
import { refusal } from './refusal.js';
import { counting } from './torch-writer.js';

const folder = await temporaryFolder({ after });

const lenet = 'data/checkpoints/mindspore-lenet-with-optimizer.ckpt';
const linear = 'data/checkpoints/mindspore-linear.ckpt';

const written = async (tensors: Iterable<readonly [string, Tensor]>, pieceBytes?: number) => {
  const path = join(folder, 'written.ckpt');
  await writeMindspore(path, new Map(tensors), { pieceBytes });
  return path;
};

describe('MindSpore checkpoints', () => {
  test("MindSpore's own file: network, momentum and scalars", needs(lenet), async () => {
    const { format, tensors, metadata } = await readWeightFile(shared(lenet)!);
    assert.equal(format, 'mindspore');
    assert.deepEqual(metadata, {});
    const layers = ['conv1.weight', 'conv2.weight', 'fc1.weight', 'fc1.bias', 'fc2.weight', 'fc2.bias'];
    const network = [...layers, 'fc3.weight', 'fc3.bias'];
    const state = ['learning_rate', 'momentum', ...network.map((name) => `moments.${name}`)];
    assert.deepEqual([...tensors.keys()], [...network, ...state]);
    assert.deepEqual(tensors.get('conv2.weight')!.shape, [16, 6, 5, 5]);
    assert.deepEqual(tensors.get('learning_rate'), { dtype: 'float32', shape: [], data: Float32Array.of(0.01) });
    assert.deepEqual(tensors.get('momentum')!.data, Float32Array.of(0.9));
    const first = tensors.get('conv1.weight')!.data as Float32Array;
    assert.deepEqual([first.length, first[0], first[1]], [150, 0.05024169012904167, 0.0571090430021286]);
  });

  for (const name of [lenet, linear]) {
    test(`${name} written again is the same, byte for byte`, needs(name), async () => {
      const path = await written((await readWeightFile(shared(name)!)).tensors);
      assert.ok((await readFile(path)).equals(await readFile(shared(name)!)));
    });
  }

  test('every element type that MindSpore and boxwright share comes back, names in order', async () => {
    const tensors: [string, Tensor][] = [
      ['wide', { dtype: 'float64', shape: [2], data: Float64Array.of(Math.PI, Number.NEGATIVE_INFINITY) }],
      ['backbone.conv "ü".weight', counting([2, 3, 1, 1])],
      ['step', { dtype: 'int64', shape: [1], data: BigInt64Array.of(-(2n ** 63n)) }],
      ['scalar', { dtype: 'int32', shape: [], data: Int32Array.of(-7) }],
      ['count', { dtype: 'uint32', shape: [1, 1], data: Uint32Array.of(2 ** 32 - 1) }],
      ['bytes', { dtype: 'uint8', shape: [300], data: Uint8Array.from({ length: 300 }, (_, i) => i) }],
      ['small', { dtype: 'int8', shape: [2], data: Int8Array.of(-128, 127) }],
      ['flags', { dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) }],
      ['empty', counting([0, 4])],
      ['none', counting([0])],
    ];
    assert.deepEqual([...(await readWeightFile(await written(tensors))).tensors], tensors);
  });

  test('types that no array of ours holds become wider ones', async () => {
    const bytes = (data: Uint16Array | BigUint64Array) => new Uint8Array(data.buffer);
    const file = joined(
      mindsporeValue({ name: 'half', dims: [3], type: 'Float16', bytes: bytes(Uint16Array.of(0x3c00, 0xc000, 1)) }),
      mindsporeValue({ name: 'brain', dims: [2], type: 'BFloat16', bytes: bytes(Uint16Array.of(0x3f80, 0xc049)) }),
      mindsporeValue({ name: 'short', dims: [2], type: 'Int16', bytes: bytes(Uint16Array.of(0xffff, 5)) }),
      mindsporeValue({ name: 'word', dims: [1], type: 'uint16', bytes: bytes(Uint16Array.of(0xffff)) }),
      mindsporeValue({ name: 'long', dims: [1], type: 'UInt64', bytes: bytes(BigUint64Array.of(2n ** 63n - 1n)) }),
    );
    assert.deepEqual(
      [...(await parseWeights(file, 'x.ckpt')).tensors],
      [
        ['half', { dtype: 'float32', shape: [3], data: Float32Array.of(1, -2, 2 ** -24) }],
        ['brain', { dtype: 'float32', shape: [2], data: Float32Array.of(1, -3.140625) }],
        ['short', { dtype: 'int32', shape: [2], data: Int32Array.of(-1, 5) }],
        ['word', { dtype: 'int32', shape: [1], data: Int32Array.of(65535) }],
        ['long', { dtype: 'int64', shape: [1], data: BigInt64Array.of(2n ** 63n - 1n) }],
      ],
    );
  });

  test('a tensor in pieces, as large ones are written, from a file and from memory', async () => {
    const tensors = [
      ['a', counting([7])],
      ['large', counting([1000, 3])],
      ['z', counting([2])],
    ] as const;
    // Odd pieces, so that none ends with an element.
    const path = await written(tensors, 999);
    const bytes = await readFile(path);
    assert.equal(bytes.toString('latin1').split('large').length - 1, 13);
    assert.deepEqual([...(await readWeightFile(path)).tensors], tensors);
    assert.deepEqual([...(await parseWeights(bytes, 'x.ckpt')).tensors], tensors);
  });

  test('large tensors and small ones behind them', async () => {
    const tensors = [
      ['conv.weight', counting([512, 256])],
      ['conv.bias', counting([512])],
      ['fc.weight', counting([300, 300])],
      ['fc.bias', counting([3])],
    ] as const;
    assert.deepEqual([...(await readWeightFile(await written(tensors))).tensors], tensors);
  });

  test('texts are metadata, random state is passed over, unknown fields are skipped, dimensions may be packed', async () => {
    const tensor = joined(content(1, Uint8Array.of(2, 1)), content(2, 'Float32'), content(3, new Uint8Array(8)));
    const later = joined(number(9, 2n ** 64n - 1n), content(15, 'new'), Uint8Array.of(0x65, 1, 2, 3, 4));
    const file = joined(
      content(1, content(1, 'a'), content(2, tensor, later), later),
      later,
      mindsporeText('__proto__', 'née 🙂'),
      mindsporeValue({ name: 'random_op', dims: [0], type: 'random_op', bytes: new Uint8Array(7) }),
    );
    const { tensors, metadata } = await parseWeights(file, 'x.ckpt');
    assert.deepEqual([...tensors], [['a', { dtype: 'float32', shape: [2, 1], data: new Float32Array(2) }]]);
    assert.deepEqual(Object.entries(metadata), [['__proto__', 'née 🙂']]);
  });

  test('a checksum at the end is verified', async () => {
    const file = withChecksum(await readFile(await written([['a', counting([500])]])));
    assert.deepEqual((await parseWeights(file, 'x.ckpt')).tensors.get('a'), counting([500]));
    file[100] ^= 1;
    await assert.rejects(parseWeights(file, 'x.ckpt'), {
      code: 'weights',
      message: /^x\.ckpt: damaged: its checksum is \d+, expected \d+\. Download/,
    });
  });
});

const broken: [string, Uint8Array, RegExp][] = [
  [
    'cut in a tensor',
    mindsporeValue({}).subarray(0, 20),
    /the field at byte 0 has 22 bytes of content, but the file ends 18 bytes on/,
  ],
  [
    'a length of 2^63',
    content(1, content(1, 'a'), Uint8Array.of(0x12, ...Array(9).fill(0x80), 1)),
    /at byte 5 has 9223372036854776000 bytes of content/,
  ],
  [
    'a number that does not end',
    joined(mindsporeValue({}), Uint8Array.of(8, ...Array(12).fill(0xff))),
    /the field at byte 24 has a number that does not end/,
  ],
  ['a group', joined(mindsporeValue({}), Uint8Array.of(0x0b, 0x0c)), /at byte 24 has number 1 and wire type 3/],
  ['a size that does not fit', mindsporeValue({ dims: [3] }), /"a", float32 of shape \[3\], needs 12 bytes and has 4/],
  [
    'a size that overflows',
    mindsporeValue({ dims: [2 ** 40, 2 ** 40] }),
    /needs 4\.835703278458517e\+24 bytes and has 4/,
  ],
  [
    'a negative dimension',
    content(1, content(1, 'a'), content(2, number(1, -1), content(2, 'Float32'))),
    /of shape \[18446744073709552000\]/,
  ],
  [
    'no dimension but many elements',
    mindsporeValue({ dims: [0], bytes: new Uint8Array(8) }),
    /of shape \[\], needs 4 bytes and has 8/,
  ],
  ['too many dimensions', mindsporeValue({ dims: Array(65).fill(1) }), /more than 64 dimensions/],
  [
    'an unknown type',
    mindsporeValue({ type: 'Float8' }),
    /parameter "a" has the element type "Float8", expected Float32/,
  ],
  ['a type that is not read', mindsporeValue({ type: 'Complex64' }), /"a" has elements of type complex64/],
  ['no type', content(1, content(1, 'a'), content(2, content(3, 'abcd'))), /has the element type ""/],
  ['no tensor', content(1, content(1, 'a')), /parameter "a" has no tensor/],
  ['no name', joined(mindsporeValue({}), content(1, content(2, ''))), /the value at byte 26 has no name/],
  ['a map parameter', content(1, content(1, 'a'), content(3, '')), /"a" is a map parameter/],
  ['the same parameter twice', joined(mindsporeValue({}), mindsporeValue({})), /needs 4 bytes and has 8/],
  [
    'pieces of two shapes',
    joined(mindsporeValue({}), mindsporeValue({ dims: [2] })),
    /Float32 \[2\] at byte \d+ after Float32 \[1\]/,
  ],
  [
    'an element beyond int64',
    mindsporeValue({ type: 'UInt64', bytes: new Uint8Array(8).fill(255) }),
    /an element of 2\^63 or more/,
  ],
  [
    'a name that is no text',
    mindsporeValue({ name: 'a' }).map((byte) => (byte === 97 ? 0xff : byte)),
    /the name of a parameter at byte 4 is not UTF-8/,
  ],
  ['a very long name', mindsporeValue({ name: 'a'.repeat(70_000) }), /has 70000 bytes, at most 65536/],
  ['text of odd length', mindsporeValue({ type: 'str', bytes: new Uint8Array(5) }), /text "a" has 5 bytes/],
  [
    'text beyond Unicode',
    mindsporeValue({ type: 'str', bytes: new Uint8Array(4).fill(255) }),
    /the character 4294967295/,
  ],
];

describe('MindSpore checkpoints: what is refused', () => {
  for (const [what, bytes, message] of broken) {
    test(what, async () => {
      const path = join(folder, 'broken.ckpt');
      await writeFile(path, bytes);
      const expected = refusal(path, message);
      await assert.rejects(readWeightFile(path), expected);
      await assert.rejects(parseWeights(bytes, path), expected);
    });
  }

  test('writing a tensor that does not fill its shape, before anything is written', async () => {
    const path = join(folder, 'wrong.ckpt');
    const tensor: Tensor = { dtype: 'float32', shape: [2, 2], data: new Float32Array(3) };
    const message = `${path}: tensor "w" of shape [2,2] has 3 elements, expected 4`;
    await assert.rejects(writeMindspore(path, new Map([['w', tensor]])), { code: 'weights', message });
    await assert.rejects(readFile(path), { code: 'ENOENT' });
  });
});
