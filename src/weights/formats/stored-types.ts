import type { ElementType, Tensor } from '../../graph/tensor.js';
import { viewArray } from '../../graph/tensor.js';
import { widenBfloat16, widenFloat16 } from './half-precision.js';

/** Element types that files of weights hold, by their common names: bytes, and what they become here, if anything does. */
export const storedTypes = {
  float64: { bytes: 8, dtype: 'float64' },
  float32: { bytes: 4, dtype: 'float32' },
  float16: { bytes: 2, dtype: 'float32' },
  bfloat16: { bytes: 2, dtype: 'float32' },
  int64: { bytes: 8, dtype: 'int64' },
  int32: { bytes: 4, dtype: 'int32' },
  int16: { bytes: 2, dtype: 'int32' },
  int8: { bytes: 1, dtype: 'int8' },
  uint64: { bytes: 8, dtype: 'int64' },
  uint32: { bytes: 4, dtype: 'uint32' },
  uint16: { bytes: 2, dtype: 'int32' },
  uint8: { bytes: 1, dtype: 'uint8' },
  bool: { bytes: 1, dtype: 'bool' },
  complex32: { bytes: 4 },
  complex64: { bytes: 8 },
  complex128: { bytes: 16 },
  float8_e4m3fn: { bytes: 1 },
  float8_e5m2: { bytes: 1 },
  qint8: { bytes: 1 },
  quint8: { bytes: 1 },
  qint32: { bytes: 4 },
  quint4x2: { bytes: 1 },
  quint2x4: { bytes: 1 },
} as const satisfies Record<string, { bytes: number; dtype?: ElementType }>;

/** The common name of an element type, such as `bfloat16`. */
export type StoredType = keyof typeof storedTypes;

/** The same bytes at a multiple of `size`: themselves or a copy. */
export function aligned(bytes: Uint8Array, size: number): Uint8Array {
  // Not slice(): that of a Buffer is a view.
  return bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
}

/** The elements, in the order and alignment of this machine, as an array of ours; undefined if one does not fit. */
export function hostArray(type: StoredType, bytes: Uint8Array): Tensor['data'] | undefined {
  const { buffer, byteOffset, byteLength } = bytes;
  switch (type) {
    case 'float16':
      return widenFloat16(viewArray('float16', bytes));
    case 'bfloat16':
      return widenBfloat16(viewArray('float16', bytes));
    case 'int16':
      return Int32Array.from(new Int16Array(buffer, byteOffset, byteLength / 2));
    case 'uint16':
      return Int32Array.from(viewArray('float16', bytes));
    case 'uint64': {
      const data = viewArray('int64', bytes);
      return data.some((value) => value < 0n) ? undefined : data;
    }
    case 'bool':
      return bytes.some((byte) => byte > 1)
        ? Uint8Array.from(bytes, (byte) => (byte ? 1 : 0))
        : viewArray('bool', bytes);
    default:
      return viewArray((storedTypes[type] as { dtype?: ElementType }).dtype!, bytes);
  }
}
