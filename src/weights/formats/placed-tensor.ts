import type { ElementType, Tensor } from '../../graph/tensor.js';
import { elementCount } from '../../graph/tensor.js';
import type { ProtobufFile } from './protobuf.js';
import { aligned, hostArray, type StoredType, storedTypes } from './stored-types.js';

/** A tensor of a protobuf file: what it is and where its elements lie. Nothing of them is read yet. */
export interface PlacedTensor {
  readonly name: string;
  readonly type: StoredType;
  readonly shape: readonly number[];
  /** One place, or several that follow each other in this order. */
  readonly parts: readonly { readonly begin: number; readonly end: number }[];
}

/** No array has more dimensions. */
export const mostDimensions = 64;

/** Tensors in several parts are joined from reads of this size, so that no part is held twice. */
const pieceSize = 2 ** 23;

/** Bytes that its parts have. */
export function bytesOfParts({ parts }: Pick<PlacedTensor, 'parts'>): number {
  return parts.reduce((sum, { begin, end }) => sum + end - begin, 0);
}

/**
 * Reads a tensor into memory of its own: half precision becomes float32, int16 and uint16 int32.
 * @throws BoxwrightError `weights`, before memory is taken, if its parts do not fill its shape or the type is not one of ours.
 */
export async function readPlaced(file: ProtobufFile, tensor: PlacedTensor): Promise<Tensor> {
  const { name, type, shape } = tensor;
  const { bytes: size, dtype } = storedTypes[type] as { bytes: number; dtype?: ElementType };
  const what = `tensor ${JSON.stringify(name)}`;
  if (!dtype) throw file.bad(`${what} has elements of type ${type}, which boxwright does not read`);
  const needed = elementCount(shape) * size;
  const found = bytesOfParts(tensor);
  if (!shape.every((dim) => Number.isSafeInteger(dim)) || found !== needed) {
    throw file.bad(`${what}, ${type} of shape [${shape}], needs ${needed} bytes and has ${found}`);
  }
  const data = hostArray(type, aligned(await joined(file, tensor), size));
  if (!data) throw file.bad(`${what} has an element of 2^63 or more, which boxwright does not read`);
  return { dtype, shape, data };
}

async function joined(file: ProtobufFile, tensor: PlacedTensor): Promise<Uint8Array> {
  const { parts } = tensor;
  if (parts.length === 1) return file.bytes(parts[0]);
  const out = new Uint8Array(bytesOfParts(tensor));
  let at = 0;
  for (const { begin, end } of parts) {
    for (let from = begin; from < end; from += pieceSize) {
      const piece = await file.bytes({ begin: from, end: Math.min(from + pieceSize, end) });
      out.set(piece, at);
      at += piece.byteLength;
    }
  }
  return out;
}
