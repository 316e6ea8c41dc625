import { broadcastShapes, dimsAgree } from '../graph/dims.js';
import type { Operator, Shape, Type, Value } from '../graph/value.js';
import { apply1, shapeError } from '../graph/value.js';

type FusedMatMulAttributes = {
  transA: number;
  transB: number;
  transBatchA: number;
  transBatchB: number;
  alpha: number;
};

/** ONNX Runtime's matrix product with transposed operands; ONNX itself would copy them first. */
const FusedMatMul: Operator<FusedMatMulAttributes> = {
  type: 'FusedMatMul',
  domain: 'com.microsoft',
  attributes: { transA: 'int', transB: 'int', transBatchA: 'int', transBatchB: 'int', alpha: 'float' },
  infer([a, b], { transA, transB, transBatchA, transBatchB }) {
    if (!a || !b || a.shape.length < 2 || b.shape.length < 2)
      throw shapeError('FusedMatMul', 'wants two matrices or stacks of them.', [a, b]);
    const [left, right] = [operandShape(a.shape, transA, transBatchA), operandShape(b.shape, transB, transBatchB)];
    if (!dimsAgree(left[left.length - 1], right[right.length - 2]))
      throw shapeError('FusedMatMul', 'the operands do not fit.', [a, b]);
    const stackOf = ({ dtype }: Type, shape: Shape) => ({ dtype, shape: shape.slice(0, -2) });
    const stack = broadcastShapes('FusedMatMul', [stackOf(a, left), stackOf(b, right)]);
    return [{ dtype: a.dtype, shape: [...stack, left[left.length - 2], right[right.length - 1]] }];
  },
};

/** The operand's shape as the product sees it. `transBatch` has the stack's axes between the matrix's two: [m, …, k]. */
function operandShape(shape: Shape, trans: number, transBatch: number): Shape {
  const matrix = transBatch ? [...shape.slice(1, -1), shape[0], shape[shape.length - 1]] : [...shape];
  const rank = matrix.length;
  return trans ? [...matrix.slice(0, -2), matrix[rank - 1], matrix[rank - 2]] : matrix;
}

export interface FusedMatMulOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
  /** The operand is laid out as [m, stack …, k] rather than [stack …, m, k]. */
  readonly transBatchA?: boolean;
  readonly transBatchB?: boolean;
}

/** a' · b' for matrices or stacks of them, a' = aᵀ with `transA`, b' = bᵀ with `transB`, without copies. */
export function fusedMatMul(
  a: Value,
  b: Value,
  { transA = false, transB = false, transBatchA = false, transBatchB = false }: FusedMatMulOptions,
): Value {
  const flags = { transA, transB, transBatchA, transBatchB };
  const attributes = Object.fromEntries(Object.entries(flags).map(([name, value]) => [name, value ? 1 : 0]));
  return apply1(FusedMatMul, [a, b], { ...attributes, alpha: 1 } as FusedMatMulAttributes);
}
