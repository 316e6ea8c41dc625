import type { Tensor } from '../../src/graph/tensor.js';
import { caffeFile } from '../../test/weights/caffe-writer.js';
import { small } from './tensors.js';

/** Both kinds of layers, floats and doubles. */
export async function caffeSamples(): Promise<Uint8Array[]> {
  const tensors = new Map<string, Tensor>([
    ['conv1/0', small('float32', [4, 3, 3, 3])],
    ['conv1/1', small('float32', [4])],
    ['norm/0', small('float64', [5])],
    ['fc/0', small('float32', [3, 5])],
    ['none/0', small('float32', [0])],
  ]);
  return [caffeFile(tensors), caffeFile(tensors, { old: true })].map((pieces) => new Uint8Array(Buffer.concat(pieces)));
}
