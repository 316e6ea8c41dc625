import { BoxwrightError } from '../../../errors.js';
import type { ElementType, Tensor } from '../../../graph/tensor.js';
import { bytesPerElement, newArray } from '../../../graph/tensor.js';
import type { ByteSource } from '../../byte-source.js';
import { aligned, hostArray, type StoredType, storedTypes } from '../stored-types.js';
import { excerpt } from './values.js';

/** Where the bytes of a storage lie. */
export interface Place {
  readonly source: ByteSource;
  readonly position: number;
  readonly length: number;
}

/** A tensor as a file describes it: a view of a storage that other tensors may share. Nothing of it is read yet. */
export interface StoredTensor {
  readonly type: StoredType;
  readonly bigEndian: boolean;
  readonly shape: readonly number[];
  /** In elements, none negative. */
  readonly strides: readonly number[];
  /** Elements before the first one. */
  readonly offset: number;
  /** @throws BoxwrightError `weights` if the storage is not in the file. */
  readonly open: (allowance: Allowance) => Promise<Place>;
}

/**
 * How much a file may make its reader do. Tensors can be larger than what the file has for them (expanded, shared or
 * compressed ones), so a small file could ask for any amount of memory.
 */
export class Allowance {
  readonly #file: string;
  #memory: number;
  #reading: number;

  constructor(source: ByteSource) {
    this.#file = source.name;
    // Widened half precision takes twice its bytes, tied weights once more each; the rest is for small files.
    this.#memory = 4 * source.size + 2 ** 24;
    // Slices of one storage that are not contiguous read the same bytes each.
    this.#reading = 16 * source.size + 2 ** 24;
  }

  keep(bytes: number, what: string): void {
    this.#memory -= bytes;
    if (!(this.#memory >= 0)) throw this.#tooMuch(what, `take ${bytes} bytes of memory`);
  }

  read(bytes: number, what: string): void {
    this.#reading -= bytes;
    if (!(this.#reading >= 0)) throw this.#tooMuch(what, `read ${bytes} bytes more`);
  }

  #tooMuch(what: string, does: string): BoxwrightError {
    const problem = `${what} would ${does}, beyond what a file of this size may`;
    return new BoxwrightError('weights', `${this.#file}: ${problem}. It is damaged or made to exhaust memory.`);
  }
}

/**
 * Reads a tensor into memory of its own, row-major: straight from the file if it is contiguous, else the part of the
 * storage that it lies in is read and copied once. float16 and bfloat16 become float32, int16 and uint16 int32.
 *
 * @throws BoxwrightError `weights` if the storage is shorter than the tensor needs or the type is not one of ours.
 */
export async function readStored(
  stored: StoredTensor,
  name: string,
  file: string,
  allowance: Allowance,
): Promise<Tensor> {
  const { type, shape, strides, offset, bigEndian } = stored;
  const { bytes: size, dtype } = storedTypes[type] as { bytes: number; dtype?: ElementType };
  const what = `tensor ${excerpt(name)}`;
  const place = await stored.open(allowance);
  const fail = (problem: string) => new BoxwrightError('weights', `${file}: ${what} ${problem}`);
  if (!dtype) throw fail(`has elements of type ${type}, which boxwright does not read: convert it to float32 first`);
  const elements = shape.includes(0) ? 0 : shape.reduce((product, dim) => product * dim, 1);
  allowance.keep(elements * bytesPerElement(dtype), what);
  if (elements === 0) return { dtype, shape, data: newArray(dtype, 0) };
  const reach = shape.reduce((sum, dim, i) => sum + (dim - 1) * strides[i], 1);
  if (!((offset + reach) * size <= place.length)) {
    const needed = `needs ${(offset + reach) * size} bytes of its storage (${type} of shape [${shape}], strides [${strides}], offset ${offset})`;
    throw fail(`${needed}, which has ${place.length}`);
  }
  allowance.read(reach * size, what);
  const read = await place.source.read(place.position + offset * size, reach * size);
  const ordered = isContiguous(shape, strides) ? read : gather(read, size, shape, strides, elements);
  const data = hostArray(type, bigEndian ? swapped(ordered, size) : aligned(ordered, size));
  if (!data) throw fail('has an element of 2^63 or more, which boxwright does not read');
  return { dtype, shape, data };
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== expected) return false;
    expected *= shape[i];
  }
  return true;
}

/** Strides of row-major elements, or of column-major ones. */
export function stridesOf(shape: readonly number[], columnMajor = false): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let k = 0; k < shape.length; k++) {
    const i = columnMajor ? k : shape.length - 1 - k;
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

const words = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array } as const;

/** Elements of `size` bytes in row-major order. */
function gather(
  from: Uint8Array,
  size: number,
  shape: readonly number[],
  strides: readonly number[],
  elements: number,
): Uint8Array {
  const out = new Uint8Array(elements * size);
  // Elements of eight bytes are copied as two words of four, as numbers of eight are slow (bigint) or inexact (NaN).
  const Word = words[Math.min(size, 4) as 1 | 2 | 4];
  const perElement = size / Word.BYTES_PER_ELEMENT;
  const source = aligned(from, size);
  const input = new Word(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength / Word.BYTES_PER_ELEMENT);
  const output = new Word(out.buffer);
  const inner = shape[shape.length - 1];
  const innerStride = strides[shape.length - 1] * perElement;
  const at = shape.map(() => 0);
  let base = 0;
  for (let to = 0; to < output.length; ) {
    for (let i = 0, in_ = base; i < inner; i++, in_ += innerStride) {
      for (let k = 0; k < perElement; k++) output[to++] = input[in_ + k];
    }
    for (let axis = shape.length - 2; axis >= 0; axis--) {
      base += strides[axis] * perElement;
      if (++at[axis] < shape[axis]) break;
      base -= shape[axis] * strides[axis] * perElement;
      at[axis] = 0;
    }
  }
  return out;
}

/** In memory of its own, as `bytes` may be a view of what the caller gave. */
function swapped(bytes: Uint8Array, size: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  const buffer = Buffer.from(copy.buffer);
  if (size === 2) buffer.swap16();
  if (size === 4) buffer.swap32();
  if (size === 8) buffer.swap64();
  return copy;
}
