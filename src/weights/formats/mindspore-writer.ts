import type { ElementType, Tensor } from '../../graph/tensor.js';
import { bytesOf } from '../../graph/tensor.js';
import { writeFileAtomically } from '../atomic-file.js';
import { requireComplete } from './complete-tensor.js';

/** MindSpore's names of element types. */
const typeNames: Readonly<Record<ElementType, string>> = {
  float64: 'Float64',
  float32: 'Float32',
  float16: 'Float16',
  int64: 'Int64',
  int32: 'Int32',
  uint32: 'UInt32',
  uint8: 'UInt8',
  int8: 'Int8',
  bool: 'Bool',
};

/** A value holds at most this much of a tensor; the rest follows in values of the same name, as MindSpore writes it. */
const largestPiece = 512 * 2 ** 20;

/** How a checkpoint is laid out. */
export interface MindsporeOptions {
  /** Bytes of a tensor that one value holds at most; MindSpore's own are 512 MiB. */
  readonly pieceBytes?: number;
}

/**
 * Writes tensors as a MindSpore checkpoint, atomically (see `writeFileAtomically`): names and order as given, byte for byte
 * what `mindspore.save_checkpoint` writes for them. `mindspore.load_checkpoint` reads it.
 *
 * @throws BoxwrightError `weights` if a tensor's data does not fill its shape; `io` if the file cannot be written, in
 *   which case a previous file of that name is as it was.
 */
export async function writeMindspore(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  { pieceBytes = largestPiece }: MindsporeOptions = {},
): Promise<void> {
  for (const [name, tensor] of tensors) requireComplete(path, name, tensor);
  await writeFileAtomically(path, valuesOf(tensors, pieceBytes));
}

function* valuesOf(tensors: ReadonlyMap<string, Tensor>, pieceBytes: number): Generator<Uint8Array> {
  for (const [name, tensor] of tensors) {
    const bytes = bytesOf(tensor.data);
    for (let at = 0; at === 0 || at < bytes.byteLength; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes);
      yield valueHeader(name, tensor, piece.byteLength);
      yield piece;
    }
  }
}

/** All of a value but the bytes of its tensor, which end it. */
function valueHeader(name: string, { dtype, shape }: Tensor, length: number): Uint8Array {
  // Every version of MindSpore takes [0] with one element for a scalar; only newer ones take no dimensions.
  const dims = (shape.length ? shape : [0]).flatMap((dim) => [0x08, ...varintBytes(dim)]);
  const description = [...dims, ...field(0x12, Buffer.from(typeNames[dtype])), 0x1a, ...varintBytes(length)];
  const tag = field(0x0a, Buffer.from(name));
  const tensorLength = description.length + length;
  const tensor = [0x12, ...varintBytes(tensorLength)];
  const valueLength = tag.length + tensor.length + tensorLength;
  return Uint8Array.from([0x0a, ...varintBytes(valueLength), ...tag, ...tensor, ...description]);
}

function field(key: number, content: Uint8Array): number[] {
  return [key, ...varintBytes(content.byteLength), ...content];
}

function varintBytes(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 0x80);
  }
}
