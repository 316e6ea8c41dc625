import { bytesOf, type ElementType, elementCount, newArray, type Tensor } from '../../src/graph/tensor.js';

/** A small tensor; its bytes are below 64, so that they stand out from those of a format's structure. */
export function small<T extends ElementType>(dtype: T, shape: readonly number[]): Tensor<T> {
  const data = newArray(dtype, elementCount(shape));
  bytesOf(data).forEach((_, i, bytes) => {
    bytes[i] = dtype === 'bool' ? i & 1 : (i * 37 + 1) & 0x3f;
  });
  return { dtype, shape, data };
}

/** One tensor of each of these types, some of them empty. */
export function eachOf(dtypes: readonly ElementType[]): Map<string, Tensor> {
  return new Map(dtypes.map((dtype, i) => [`layer.${i}.weight`, small(dtype, [i % 3, 2])]));
}

/** A scalar, an empty tensor and a convolution's weights. */
export function someShapes(): Map<string, Tensor> {
  return new Map<string, Tensor>([
    ['scalar', small('float32', [])],
    ['empty', small('int8', [0, 4])],
    ['conv.weight', small('float32', [2, 3, 3, 3])],
  ]);
}
