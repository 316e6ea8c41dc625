// Caffe's models, for tests: one layer for each name before the slash, its blobs in order.
import { bytesOf, type Tensor } from '../../src/graph/tensor.js';
import { content, joined, number, varint } from './protobuf-writer.js';

export interface CaffeOptions {
  readonly name?: string;
  /** As before 2014: other fields, and four sizes for every blob. */
  readonly old?: boolean;
}

/** A model of tensors that are called `<layer>/<i>`, in pieces. */
export function caffeFile(
  tensors: ReadonlyMap<string, Tensor>,
  { name = 'net', old = false }: CaffeOptions = {},
): Uint8Array[] {
  const layers = new Map<string, Tensor[]>();
  for (const [blob, tensor] of tensors) {
    const layer = blob.slice(0, blob.lastIndexOf('/'));
    layers.set(layer, [...(layers.get(layer) ?? []), tensor]);
  }
  const pieces = [content(1, name)];
  for (const [layer, blobs] of layers) {
    const messages = blobs.map((tensor) => content(old ? 6 : 7, caffeBlob(tensor, old)));
    const head = old
      ? [content(2, 'data'), content(4, layer), number(5, 4)]
      : [content(1, layer), content(2, 'Convolution')];
    pieces.push(content(old ? 2 : 100, ...head, ...messages));
  }
  return pieces;
}

export function caffeBlob({ dtype, shape, data }: Tensor, old = false): Uint8Array {
  const elements = content(dtype === 'float64' ? 8 : 5, bytesOf(data));
  if (!old) return joined(elements, content(7, content(1, ...shape.map((dim) => varint(dim)))));
  const sizes = [1, 1, 1, ...shape].slice(-4);
  return joined(...sizes.map((dim, i) => number(i + 1, dim)), elements);
}
