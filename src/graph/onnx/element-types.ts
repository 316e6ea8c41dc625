import type { ElementType } from '../tensor.js';

/** ONNX's numbers of the element types (TensorProto.DataType). */
const numbers: Record<ElementType, number> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
};

export function elementTypeNumber(dtype: ElementType): number {
  return numbers[dtype];
}

/** The element type with ONNX's number, or undefined for one that boxwright does not use. */
export function elementTypeOf(number: number): ElementType | undefined {
  return (Object.keys(numbers) as ElementType[]).find((dtype) => numbers[dtype] === number);
}
