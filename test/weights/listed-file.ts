// Files of weights in memory, from lists of names and shapes.
import { elementCount, type Tensor } from '../../src/graph/tensor.js';
import type { WeightFile, WeightFormat } from '../../src/weights/weight-file.js';

export type Listed = readonly [name: string, shape: readonly number[], dtype?: string];

let zeros = new Float32Array(0);

/** Zeros that all tensors share, since real ones of a large model would fill the memory. */
function sharedZeros(count: number): Float32Array {
  if (zeros.length < count) zeros = new Float32Array(count);
  return zeros.subarray(0, count);
}

/** A file with these tensors, float32 unless told, zero unless `value` says what to fill them with. */
export function listedFile(
  list: readonly Listed[],
  { format = 'pytorch', metadata = {}, value }: ListedOptions = {},
): WeightFile {
  const tensors = new Map<string, Tensor>(
    list.map(([name, shape, dtype = 'float32']) => {
      if (dtype.includes('int')) return [name, { dtype: 'int64', shape, data: new BigInt64Array(elementCount(shape)) }];
      const data = value?.(name, shape) ?? sharedZeros(elementCount(shape));
      return [name, { dtype: 'float32', shape, data }];
    }),
  );
  return { format, tensors, metadata };
}

interface ListedOptions {
  readonly format?: WeightFormat;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly value?: (name: string, shape: readonly number[]) => Float32Array | undefined;
}

/** Names for classes of which only the number counts. */
export function someClasses(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `class ${i}`);
}

/** The float32 tensor of these numbers. */
export function floats(shape: readonly number[], values: Iterable<number>): Tensor<'float32'> {
  return { dtype: 'float32', shape, data: Float32Array.from(values) };
}
