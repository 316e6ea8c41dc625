import type { ElementType } from '../tensor.js';
import type { Type, Value } from '../value.js';
import { shapeError } from '../value.js';

/** Input `index`, which must be there. */
export function required(operator: string, inputs: readonly (Value | undefined)[], index: number): Value {
  const value = inputs[index];
  if (!value) throw shapeError(operator, `input ${index} is missing.`, inputs);
  return value;
}

/** Throws unless all inputs have one element type out of `allowed`. */
export function requireSameType(
  operator: string,
  inputs: readonly Type[],
  allowed?: readonly ElementType[],
): ElementType {
  const dtype = inputs[0].dtype;
  if (inputs.some((input) => input.dtype !== dtype)) {
    throw shapeError(operator, 'inputs must have one element type; cast one of them.', inputs);
  }
  if (allowed && !allowed.includes(dtype)) {
    throw shapeError(operator, `element type ${dtype} is not allowed here (allowed: ${allowed.join(', ')}).`, inputs);
  }
  return dtype;
}

export function requireType(operator: string, input: Type, allowed: readonly ElementType[], name: string): void {
  if (!allowed.includes(input.dtype)) {
    throw shapeError(operator, `${name} must be ${allowed.join(' or ')}, not ${input.dtype}.`, [input]);
  }
}

export function requireRank(operator: string, input: Type, rank: number, name: string): void {
  if (input.shape.length !== rank) {
    throw shapeError(operator, `${name} must have rank ${rank}, not ${input.shape.length}.`, [input]);
  }
}

/** Throws unless every number is a whole one of at least `least`. */
export function requireWhole(operator: string, name: string, numbers: readonly number[], least: number): void {
  const wrong = numbers.find((number) => !Number.isInteger(number) || number < least);
  if (wrong !== undefined) {
    throw shapeError(operator, `${name} must be whole numbers of at least ${least}, not ${wrong}.`);
  }
}

export const floats: readonly ElementType[] = ['float32', 'float16', 'float64'];
export const signedNumbers: readonly ElementType[] = [...floats, 'int32', 'int64', 'int8'];
export const numbers: readonly ElementType[] = [...signedNumbers, 'uint8', 'uint32'];
