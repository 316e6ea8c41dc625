import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Tensor } from '../../src/graph/tensor.js';
import { parseWeights } from '../../src/weights/weight-readers.js';
import { caffeBlob, caffeFile } from './caffe-writer.js';
import { content, joined, number } from './protobuf-writer.js';
import { counting } from './torch-writer.js';

const parse = (...pieces: readonly (Uint8Array | string)[]) => parseWeights(joined(...pieces), 'x.caffemodel');
const layer = (...fields: readonly Uint8Array[]) => content(100, content(1, 'a'), content(2, 'Convolution'), ...fields);

const tensors = new Map<string, Tensor>([
  ['conv1_1/0', counting([4, 3, 3, 3])],
  ['conv1_1/1', counting([4])],
  ['conv4_3_norm/0', counting([512])],
  ['res2a/branch1/0', counting([1, 8, 1, 1])],
  ['fc/0', counting([3, 5])],
]);

describe('Caffe models', () => {
  for (const old of [false, true]) {
    test(`layers and blobs${old ? ' of the old kind' : ''}`, async () => {
      const file = await parse(...caffeFile(tensors, { old, name: 'VGG_VOC0712_RefineDet_320x320_train' }));
      assert.equal(file.format, 'caffe');
      assert.deepEqual([...file.tensors], [...tensors]);
      assert.deepEqual(file.metadata, { name: 'VGG_VOC0712_RefineDet_320x320_train' });
    });
  }

  test('layers without blobs are passed over, gradients, inputs and unknown fields skipped', async () => {
    const gradient = content(6, new Uint8Array(16));
    const blob = joined(caffeBlob(counting([4])), gradient, number(20, 1));
    const inputs = joined(content(3, 'data'), number(4, 1), number(4, 2n ** 64n - 1n), content(8, content(1, '\x01')));
    const file = await parse(inputs, content(100, content(1, 'data'), content(2, 'Input')), layer(content(7, blob)));
    assert.deepEqual([...file.tensors], [['a/0', counting([4])]]);
    assert.deepEqual(file.metadata, {});
  });

  test('doubles, an empty blob, a scalar, and elements in two pieces', async () => {
    const doubles: Tensor = { dtype: 'float64', shape: [2], data: Float64Array.of(Math.PI, -0) };
    const elements = new Uint8Array(counting([2]).data.buffer);
    const pieces = joined(
      content(5, elements.subarray(0, 4)),
      content(5, elements.subarray(4)),
      content(7, content(1, '\x02')),
    );
    const scalar = joined(content(5, elements.subarray(4)), content(7, ''));
    const file = await parse(
      layer(content(7, caffeBlob(doubles)), content(7, ''), content(7, scalar), content(7, pieces)),
    );
    assert.deepEqual(
      [...file.tensors],
      [
        ['a/0', doubles],
        ['a/1', counting([0])],
        ['a/2', { dtype: 'float32', shape: [], data: Float32Array.of(1) }],
        ['a/3', counting([2])],
      ],
    );
  });
});

const whole = joined(...caffeFile(tensors));
const refused: [string, Uint8Array, RegExp][] = [
  ['cut in a blob', whole.subarray(0, 100), /the field at byte 5 has \d+ bytes of content, but the file ends/],
  [
    'a blob that does not fill its shape',
    layer(content(7, content(5, 'abcd'), content(7, content(1, '\x02')))),
    /tensor "a\/0", float32 of shape \[2\], needs 8 bytes and has 4/,
  ],
  [
    'sizes that overflow',
    layer(content(7, number(1, 2n ** 62n), number(2, 2n ** 62n), number(3, 1), number(4, 1))),
    /of shape \[4611686018427388000,4611686018427388000,1,1\]/,
  ],
  [
    'elements of two types',
    layer(content(7, content(5, 'abcd'), content(8, 'abcdefgh'))),
    /the blob at byte \d+ has elements of two types/,
  ],
  [
    'elements that are not packed',
    layer(content(7, Uint8Array.of(0x2d, 0, 0, 0, 0))),
    /the blob at byte \d+ is not packed/,
  ],
  ['a layer twice', joined(whole, whole.subarray(5)), /two layers with weights are called "conv1_1"/],
  ['no weights', content(100, content(1, 'data'), content(2, 'Input')), /no layer of it has blobs/],
  [
    'too many dimensions',
    layer(content(7, content(7, content(1, new Uint8Array(65).fill(1))))),
    /dimensions at byte \d+ is damaged/,
  ],
];

describe('Caffe models: what is refused', () => {
  for (const [what, bytes, message] of refused) {
    test(what, async () => {
      await assert.rejects(parse(bytes), (error: Error & { code?: string }) => {
        assert.match(error.message, message);
        assert.ok(error.message.startsWith('x.caffemodel: '), error.message);
        return error.code === 'weights';
      });
    });
  }
});
