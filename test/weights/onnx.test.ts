import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import * as g from '../../src/graph/index.js';
import { writeOnnx } from '../../src/graph/onnx/write.js';
import { parseWeights, readWeightFile } from '../../src/weights/weight-readers.js';
import { temporaryFolder } from '../temporary-folder.js';
import { initializer, modelOf, outside } from './onnx-pieces.js';
import { content, joined, varint } from './protobuf-writer.js';
import { counting } from './torch-writer.js';

const folder = await temporaryFolder({ after });

const weights = new Map([['conv.weight', counting([64, 3, 3, 3], -5)]]);
function model(externalFrom?: number) {
  const x = g.input('pictures', 'float32', ['batch', 3, 8, 8]);
  const y = g.relu(g.conv2d(x, g.input('conv.weight', 'float32', [64, 3, 3, 3]), { padding: 1 }));
  const metadata = { task: 'detect', names: '["cat"]' };
  return writeOnnx({ name: 'm', inputs: [x], outputs: { y }, initializers: weights, metadata, externalFrom });
}

async function folderWith(name: string, files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  for (const [file, bytes] of Object.entries(files)) await writeFile(join(path, file), bytes);
  return path;
}

describe('weights in ONNX models', () => {
  test('what boxwright wrote, and its metadata', async () => {
    const { format, tensors, metadata } = await parseWeights(model().bytes, 'm.onnx');
    assert.equal(format, 'onnx');
    assert.deepEqual(tensors.get('conv.weight'), weights.get('conv.weight'));
    assert.deepEqual(metadata, { task: 'detect', names: '["cat"]' });
  });

  test('in a file beside', async () => {
    const { bytes, external } = model(1);
    const path = await folderWith('beside', { 'm.onnx': bytes, [external!.name]: joined(...external!.parts) });
    const { tensors } = await readWeightFile(join(path, 'm.onnx'));
    assert.deepEqual(tensors.get('conv.weight'), weights.get('conv.weight'));
    await assert.rejects(parseWeights(bytes, 'm.onnx'), {
      code: 'weights',
      message: /m\.onnx: it keeps "conv\.weight".*cannot be opened from memory/,
    });
    await rm(join(path, external!.name));
    await assert.rejects(readWeightFile(join(path, 'm.onnx')), {
      code: 'io',
      message: /weights\.data: there is no such file/,
    });
  });

  test('elements in fields of their type, as other writers put them', async () => {
    const numbers = (...values: (number | bigint)[]) => joined(...values.map(varint));
    const doubles = new Uint8Array(Float64Array.of(Math.PI, -0).buffer);
    const extremes = [-(2n ** 63n), -1n, 0n, 2n ** 35n + 5n, 2n ** 63n - 1n];
    const file = modelOf(
      initializer({
        name: 'floats',
        dims: [2],
        elements: joined(content(4, new Uint8Array(4)), content(4, Uint8Array.of(0, 0, 128, 63))),
      }),
      initializer({ name: 'doubles', type: 11, dims: [2, 1], elements: content(10, doubles) }),
      initializer({ name: 'int64', type: 7, dims: [5], elements: content(7, numbers(...extremes)) }),
      initializer({ name: 'int32', type: 6, dims: [2], elements: content(5, numbers(-1, 2 ** 31 - 1)) }),
      initializer({ name: 'int8', type: 3, dims: [2], elements: content(5, numbers(-128, 127)) }),
      initializer({ name: 'int16', type: 5, dims: [2], elements: content(5, numbers(-1), numbers(-32768)) }),
      initializer({ name: 'half', type: 10, dims: [2], elements: content(5, numbers(0x3c00, 0xc000)) }),
      initializer({ name: 'brain', type: 16, dims: [1], elements: content(5, numbers(0x3f80)) }),
      initializer({ name: 'flag', type: 9, dims: [], elements: content(5, numbers(1)) }),
      initializer({ name: 'uint32', type: 12, dims: [1], elements: content(11, numbers(2 ** 32 - 1)) }),
      initializer({ name: 'none', dims: [0], elements: new Uint8Array(0) }),
    );
    const { tensors } = await parseWeights(file, 'x.onnx');
    const found = [...tensors].map(([name, { dtype, shape, data }]) => [
      name,
      dtype,
      shape,
      Array.from<number | bigint>(data),
    ]);
    assert.deepEqual(found, [
      ['floats', 'float32', [2], [0, 1]],
      ['doubles', 'float64', [2, 1], [Math.PI, -0]],
      ['int64', 'int64', [5], extremes],
      ['int32', 'int32', [2], [-1, 2 ** 31 - 1]],
      ['int8', 'int8', [2], [-128, 127]],
      ['int16', 'int32', [2], [-1, -32768]],
      ['half', 'float32', [2], [1, -2]],
      ['brain', 'float32', [1], [1]],
      ['flag', 'bool', [], [1]],
      ['uint32', 'uint32', [1], [2 ** 32 - 1]],
      ['none', 'float32', [0], []],
    ]);
  });
});

const places: [string, Readonly<Record<string, string>>, RegExp][] = [
  ['beyond the end', { offset: '60', length: '16' }, /needs 16 bytes from byte 60 of .*weights\.data on, which has 64/],
  ['of another length', { length: '12' }, /"a", float32 of shape \[4\], needs 16 bytes and has 12 in/],
  ['that is no number', { offset: '-1' }, /"a" has the offset "-1", expected a number/],
];

describe('weights in ONNX models: what is refused', () => {
  const refused: [string, Uint8Array, RegExp][] = [
    [
      'a tensor that does not fill its shape',
      modelOf(initializer({ dims: [3] })),
      /"a", float32 of shape \[3\], needs 12 bytes and has 4/,
    ],
    ['a negative size', modelOf(initializer({ dims: [-1] })), /of shape \[18446744073709552000\]/],
    ['text', modelOf(initializer({ type: 8 })), /"a" has the element type 8 of ONNX/],
    ['two of a name', modelOf(initializer({}), initializer({})), /two initializers are called "a"/],
    ['no initializers', modelOf(), /its graph has no initializers/],
    [
      'fewer numbers than elements',
      modelOf(initializer({ type: 7, dims: [3], elements: content(7, '\x01\x01') })),
      /needs 3 elements and has 2 bytes/,
    ],
    [
      'longer numbers than that',
      modelOf(initializer({ type: 7, dims: [2], elements: content(7, Uint8Array.of(128, 1)) })),
      /needs 2 elements and has 1\./,
    ],
    [
      'more numbers',
      modelOf(initializer({ type: 7, dims: [1], elements: content(7, '\x01\x01') })),
      /needs 1 elements and has more/,
    ],
    [
      'a number that does not end',
      modelOf(initializer({ type: 7, dims: [1], elements: content(7, new Uint8Array(20).fill(128)) })),
      /or numbers that do not end/,
    ],
    [
      'a huge shape',
      modelOf(initializer({ type: 7, dims: [2n ** 62n], elements: content(7, '\x01') })),
      /needs 4611686018427388000 elements/,
    ],
  ];
  for (const [what, bytes, message] of refused) {
    test(what, () => assert.rejects(parseWeights(bytes, 'x.onnx'), { code: 'weights', message }));
  }

  for (const [what, place, message] of places) {
    test(`a place beside ${what}`, async () => {
      const bytes = modelOf(initializer({ dims: [4], elements: outside('weights.data', place) }));
      const path = await folderWith(what, { 'm.onnx': bytes, 'weights.data': new Uint8Array(64) });
      await assert.rejects(readWeightFile(join(path, 'm.onnx')), { code: 'weights', message });
    });
  }

  for (const location of ['../weights.data', '/etc/hostname', 'a/b', 'a\\b', '..', '', 'c:x']) {
    test(`a file beside called ${JSON.stringify(location)}`, async () => {
      const path = join(folder, 'elsewhere.onnx');
      await writeFile(path, modelOf(initializer({ elements: outside(location) })));
      const message =
        /elsewhere\.onnx: it keeps "a" and perhaps more in the file .*expected the name of a file in the same folder/;
      await assert.rejects(readWeightFile(path), { code: 'weights', message });
    });
  }

  test('many tensors from the same few bytes', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const bytes = modelOf(...names.map((name) => initializer({ name, elements: outside('weights.data') })));
    const path = await folderWith('shared', { 'm.onnx': bytes, 'weights.data': new Uint8Array(4) });
    await assert.rejects(readWeightFile(join(path, 'm.onnx')), {
      code: 'weights',
      message: /take 20 bytes, the file has 4/,
    });
  });
});
