/** Element types that boxwright's graphs use, by ONNX's names. */
export type ElementType = 'float32' | 'float16' | 'float64' | 'uint8' | 'int8' | 'int32' | 'int64' | 'uint32' | 'bool';

export type TypedArray =
  | Float32Array
  | Uint16Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Int32Array
  | BigInt64Array
  | Uint32Array;

/** The array that holds a tensor's elements on the host: float16 as its bits, bool as bytes 0 and 1. */
export interface ArrayOf {
  float32: Float32Array;
  float16: Uint16Array;
  float64: Float64Array;
  uint8: Uint8Array;
  int8: Int8Array;
  int32: Int32Array;
  int64: BigInt64Array;
  uint32: Uint32Array;
  bool: Uint8Array;
}

const constructors = {
  float32: Float32Array,
  float16: Uint16Array,
  float64: Float64Array,
  uint8: Uint8Array,
  int8: Int8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint32: Uint32Array,
  bool: Uint8Array,
} as const;

/** A tensor on the host: row-major elements and their shape. */
export interface Tensor<T extends ElementType = ElementType> {
  readonly dtype: T;
  readonly shape: readonly number[];
  readonly data: ArrayOf[T];
}

/** Number of elements of a shape; 1 for a scalar's `[]`. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** Bytes that one element takes. */
export function bytesPerElement(dtype: ElementType): number {
  return constructors[dtype].BYTES_PER_ELEMENT;
}

/** A zero-filled array for `count` elements. */
export function newArray<T extends ElementType>(dtype: T, count: number): ArrayOf[T] {
  return new constructors[dtype](count) as ArrayOf[T];
}

/** The elements in `bytes`, without a copy; `bytes` must start at a multiple of the element's size. */
export function viewArray<T extends ElementType>(dtype: T, bytes: Uint8Array): ArrayOf[T] {
  const size = bytesPerElement(dtype);
  return new constructors[dtype](bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength / size) as ArrayOf[T];
}

/** The bytes under a typed array, without a copy. */
export function bytesOf(array: TypedArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
