import { broadcastShapes, dimsAgree, sameShape } from '../dims.js';
import type { Operator, Type, Value } from '../value.js';
import { apply1, shapeError } from '../value.js';
import { sumTo } from './elementwise.js';
import { floats, required, requireRank, requireSameType } from './require.js';
import { transpose } from './shape.js';

type None = Record<string, never>;

const MatMul: Operator<None> = {
  type: 'MatMul',
  infer(inputs) {
    const [a, b] = [required('MatMul', inputs, 0), required('MatMul', inputs, 1)];
    if (a.rank < 2 || b.rank < 2)
      throw shapeError('MatMul', 'both operands must be matrices or stacks of them.', [a, b]);
    const [rows, inner] = a.shape.slice(-2);
    const [innerB, columns] = b.shape.slice(-2);
    if (!dimsAgree(inner, innerB))
      throw shapeError('MatMul', `inner dimensions differ: ${inner} and ${innerB}.`, [a, b]);
    const stack = (value: Value): Type => ({ dtype: value.dtype, shape: value.shape.slice(0, -2) });
    const batch = broadcastShapes('MatMul', [stack(a), stack(b)]);
    return [{ dtype: requireSameType('MatMul', [a, b], floats), shape: [...batch, rows, columns] }];
  },
  vjp: ({ inputs: [a, b], gradients: [g], wants }) => [
    wants[0] ? sumTo(matMul(g!, matrixTranspose(b)), a) : undefined,
    wants[1] ? sumTo(matMul(matrixTranspose(a), g!), b) : undefined,
  ],
};

/** a [..., m, k] · b [..., k, n], leading axes broadcast. */
export function matMul(a: Value, b: Value): Value {
  return apply1(MatMul, [a, b], {});
}

/** The last two axes exchanged. */
export function matrixTranspose(x: Value): Value {
  const axes = x.shape.map((_, axis) => axis);
  return transpose(x, [...axes.slice(0, -2), x.rank - 1, x.rank - 2]);
}

type GemmAttributes = { transA: number; transB: number; alpha: number };

const Gemm: Operator<GemmAttributes> = {
  type: 'Gemm',
  attributes: { transA: 'int', transB: 'int', alpha: 'float' },
  infer(inputs, { transA, transB }) {
    const [a, b] = [required('Gemm', inputs, 0), required('Gemm', inputs, 1)];
    const present = inputs.filter((value) => value !== undefined);
    requireRank('Gemm', a, 2, 'the first operand');
    requireRank('Gemm', b, 2, 'the second operand');
    const [rows, inner] = transA ? [a.shape[1], a.shape[0]] : a.shape;
    const [innerB, columns] = transB ? [b.shape[1], b.shape[0]] : b.shape;
    if (!dimsAgree(inner, innerB))
      throw shapeError('Gemm', `inner dimensions differ: ${inner} and ${innerB}.`, present);
    const result: Type = { dtype: requireSameType('Gemm', present, floats), shape: [rows, columns] };
    const c = inputs[2];
    if (c && (c.rank > 2 || !sameShape(broadcastShapes('Gemm', [result, c]), result.shape)))
      throw shapeError('Gemm', `c must broadcast to [${result.shape.join(', ')}].`, present);
    return [result];
  },
  vjp({ inputs: [a, b, c], attributes: { transA, transB, alpha }, gradients: [g], wants }) {
    const product = (x: Value, transX: number, y: Value, transY: number) =>
      apply1(Gemm, [x, y], { transA: transX, transB: transY, alpha });
    return [
      wants[0] ? (transA ? product(b, transB, g!, 1) : product(g!, 0, b, transB ? 0 : 1)) : undefined,
      wants[1] ? (transB ? product(g!, 1, a, transA) : product(a, transA ? 0 : 1, g!, 0)) : undefined,
      wants[2] ? sumTo(g!, c) : undefined,
    ];
  },
};

/** alpha · a' · b' + c for matrices, a' = aᵀ with `transA`, b' = bᵀ with `transB`; c broadcasts. */
export function gemm(
  a: Value,
  b: Value,
  {
    c,
    transA = false,
    transB = false,
    alpha = 1,
  }: { c?: Value; transA?: boolean; transB?: boolean; alpha?: number } = {},
): Value {
  return apply1(Gemm, [a, b, c], { transA: transA ? 1 : 0, transB: transB ? 1 : 0, alpha });
}
