import * as g from '../../src/graph/index.js';
import { writeOnnx } from '../../src/graph/onnx/write.js';
import { initializer, modelOf, outside } from '../../test/weights/onnx-pieces.js';
import { content } from '../../test/weights/protobuf-writer.js';
import { small } from './tensors.js';

/** A model of ours, and initializers in every other way to write them. */
export async function onnxSamples(): Promise<Uint8Array[]> {
  const x = g.input('pictures', 'float32', ['batch', 3, 8, 8]);
  const w = g.input('conv.weight', 'float32', [4, 3, 3, 3]);
  const y = g.relu(g.conv2d(x, w, { padding: 1 }));
  const initializers = new Map([['conv.weight', small('float32', [4, 3, 3, 3])]]);
  const ours = writeOnnx({ name: 'm', inputs: [x], outputs: { y }, initializers, metadata: { task: 'detect' } }).bytes;
  const minusOne = new Uint8Array([...new Array(9).fill(0xff), 1]);
  const others = modelOf(
    initializer({ name: 'floats', elements: content(4, 'abcd') }),
    initializer({ name: 'doubles', type: 11, elements: content(10, 'abcdefgh') }),
    initializer({ name: 'shape', type: 7, dims: [3], elements: content(7, minusOne, Uint8Array.of(1, 2)) }),
    initializer({ name: 'half', type: 10, dims: [2], elements: content(5, Uint8Array.of(0x80, 0x78, 0)) }),
    initializer({ name: 'bytes', type: 2, dims: [2], elements: content(5, '\x01\x02') }),
    initializer({ name: 'long', type: 13, dims: [], elements: content(11, '\x01') }),
    initializer({ name: 'outside', dims: [4], elements: outside('weights.data', { offset: '16', length: '16' }) }),
  );
  return [ours, others];
}

export async function onnxFolder(): Promise<ReadonlyMap<string, Uint8Array>> {
  return new Map([['weights.data', new Uint8Array(64)]]);
}
