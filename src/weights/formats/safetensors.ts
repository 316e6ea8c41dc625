import { BoxwrightError } from '../../errors.js';
import type { Tensor } from '../../graph/tensor.js';
import { bytesOf, viewArray } from '../../graph/tensor.js';
import { writeFileAtomically } from '../atomic-file.js';
import type { ByteSource } from '../byte-source.js';
import { withFile } from '../file-source.js';
import { requireComplete } from './complete-tensor.js';
import { widenBfloat16, widenFloat16 } from './half-precision.js';
import { buildHeader, type HeaderEntry, headerLength, parseHeader, storedTypes } from './safetensors-header.js';

/** What a safetensors file holds, tensors in the order of its header. */
export interface Safetensors {
  readonly tensors: Map<string, Tensor>;
  readonly metadata: Record<string, string>;
}

/** What half precision becomes. */
export interface ReadOptions {
  /** Turn F16 into float32. Without it F16 stays `float16` (its bits); BF16 becomes float32 always, as no array holds it. */
  readonly widen?: boolean;
}

/**
 * Reads a safetensors file: F64, F32, F16, BF16, I64, I32, U32, U8, I8 and BOOL. The header is checked against the
 * file's size before any tensor is allocated, and every tensor has memory of its own.
 *
 * @throws BoxwrightError `io` if the file cannot be read; `weights` if it is truncated or not a valid safetensors file
 *   (bytes expected and found are named).
 */
export async function readSafetensors(path: string, options: ReadOptions = {}): Promise<Safetensors> {
  return withFile(path, (source) => readSafetensorsFrom(source, options));
}

/**
 * As `readSafetensors`, from any source of bytes. Of a source in memory, tensors are views where their elements lie at a
 * multiple of their size, and copies where they do not.
 */
export async function readSafetensorsFrom(source: ByteSource, options: ReadOptions = {}): Promise<Safetensors> {
  const { name: file, size } = source;
  const dataStart = 8 + headerLength(await source.read(0, Math.min(8, size)), size, file);
  const header = parseHeader(await source.read(8, dataStart - 8), size - dataStart, file);
  const tensors = new Map<string, Tensor>();
  for (const entry of header.entries) {
    const bytes = await source.read(dataStart + entry.begin, entry.end - entry.begin);
    tensors.set(entry.name, tensorOf(entry, bytes, options));
  }
  return { tensors, metadata: header.metadata };
}

/**
 * Writes tensors and metadata as a safetensors file, atomically (see `writeFileAtomically`): equal input gives equal bytes.
 *
 * @throws BoxwrightError `weights` if a tensor's data does not fill its shape or a name is reserved; `io` if the file
 *   cannot be written, in which case a previous file of that name is as it was.
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (tensors.has('__metadata__')) {
    const problem = 'a tensor cannot be called __metadata__, safetensors keeps that name for itself';
    throw new BoxwrightError('weights', `${path}: ${problem}`);
  }
  for (const [name, tensor] of tensors) requireComplete(path, name, tensor);
  const { header, order } = buildHeader(tensors, metadata);
  await writeFileAtomically(path, [header, ...order.map((name) => bytesOf(tensors.get(name)!.data))]);
}

function tensorOf({ stored, shape }: HeaderEntry, bytes: Uint8Array, { widen }: ReadOptions): Tensor {
  const { dtype, bytes: size } = storedTypes[stored];
  // Not slice(): that of a Buffer is a view.
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  if (stored === 'BF16') return { dtype: 'float32', shape, data: widenBfloat16(viewArray('float16', aligned)) };
  if (stored === 'F16' && widen) return { dtype: 'float32', shape, data: widenFloat16(viewArray('float16', aligned)) };
  return { dtype, shape, data: viewArray(dtype, aligned) };
}
