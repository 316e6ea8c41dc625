import type { Operator, Value } from '../graph/value.js';
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
    const left = operandShape(a.shape as readonly number[], transA, transBatchA);
    const right = operandShape(b.shape as readonly number[], transB, transBatchB);
    const rank = Math.max(left.length, right.length);
    const aligned = (shape: readonly number[]) => [...Array<number>(rank - shape.length).fill(1), ...shape];
    const [l, r] = [aligned(left), aligned(right)];
    const stack = l.slice(0, -2).map((dim, i) => Math.max(dim, r[i]));
    const fits = stack.every((dim, i) => [l[i], r[i]].every((own) => own === dim || own === 1));
    if (l[rank - 1] !== r[rank - 2] || !fits) throw shapeError('FusedMatMul', 'the operands do not fit.', [a, b]);
    return [{ dtype: a.dtype, shape: [...stack, l[rank - 2], r[rank - 1]] }];
  },
};

/** The operand's shape as the product sees it. `transBatch` has the stack's axes between the matrix's two: [m, …, k]. */
function operandShape(shape: readonly number[], trans: number, transBatch: number): readonly number[] {
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
