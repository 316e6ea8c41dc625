import { dimDivide, dimPlus } from '../dims.js';
import type { Dim, Operator, Type, Value } from '../value.js';
import { apply, apply1, shapeError } from '../value.js';
import { sides } from './conv.js';
import { floats, required, requireRank, requireSameType, requireWhole } from './require.js';

export type PoolAttributes = {
  kernel_shape: readonly number[];
  strides: readonly number[];
  /** top, left, bottom, right */
  pads: readonly number[];
  ceil_mode: number;
};

const poolKinds = { kernel_shape: 'ints', strides: 'ints', pads: 'ints', ceil_mode: 'int' } as const;

function pooledShape(operator: string, x: Type, { kernel_shape, strides, pads, ceil_mode }: PoolAttributes): Dim[] {
  requireRank(operator, x, 4, 'the input');
  const spatial = [0, 1].map((i) => {
    const dim = x.shape[2 + i];
    const span = dimPlus(dim, pads[i] + pads[i + 2] - kernel_shape[i]);
    const size = dimPlus(dimDivide(span, strides[i], ceil_mode ? 'ceil' : 'floor'), 1);
    // In ceil mode a window that would start in the padding below is left out (as ONNX and PyTorch do).
    if (typeof size === 'number' && typeof dim === 'number' && ceil_mode && (size - 1) * strides[i] >= dim + pads[i])
      return size - 1;
    return size;
  });
  if (spatial.some((dim) => typeof dim === 'number' && dim < 1)) {
    throw shapeError(operator, `the output would be [${spatial.join(', ')}]: the input is smaller than the window.`, [
      x,
    ]);
  }
  return [x.shape[0], x.shape[1], ...spatial];
}

export const MaxPool: Operator<PoolAttributes> = {
  type: 'MaxPool',
  attributes: poolKinds,
  infer(inputs, attributes) {
    const x = required('MaxPool', inputs, 0);
    return [
      {
        dtype: requireSameType('MaxPool', [x], [...floats, 'uint8', 'int8']),
        shape: pooledShape('MaxPool', x, attributes),
      },
    ];
  },
  vjp: ({ inputs: [x], outputs: [y], attributes, gradients: [g] }) => [apply1(MaxPoolGradient, [g, x, y], attributes)],
};

/** dX of a MaxPool. Inputs: dY, X, Y. Of equal largest elements the first of the window gets the gradient. */
export const MaxPoolGradient: Operator<PoolAttributes> = {
  type: 'MaxPoolGradient',
  domain: 'boxwright',
  attributes: poolKinds,
  infer: (inputs) => {
    const x = required('MaxPoolGradient', inputs, 1);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
};

/** MaxPool with the flat int64 indices (into the whole [N, C, H, W]) of the chosen elements as second output. */
export const MaxPoolWithIndices: Operator<PoolAttributes> = {
  type: 'MaxPool',
  attributes: poolKinds,
  infer(inputs, attributes) {
    const [type] = MaxPool.infer(inputs, attributes);
    return [type, { dtype: 'int64', shape: type.shape }];
  },
};

type AveragePoolAttributes = PoolAttributes & { count_include_pad: number };

export const AveragePool: Operator<AveragePoolAttributes> = {
  type: 'AveragePool',
  attributes: { ...poolKinds, count_include_pad: 'int' },
  infer(inputs, attributes) {
    const x = required('AveragePool', inputs, 0);
    return [{ dtype: requireSameType('AveragePool', [x], floats), shape: pooledShape('AveragePool', x, attributes) }];
  },
  vjp: ({ inputs: [x], attributes, gradients: [g] }) => [
    apply1(AveragePoolGradient, [g], { ...attributes, shape: x.staticShape }),
  ],
};

/** dX of an AveragePool from dY. */
export const AveragePoolGradient: Operator<AveragePoolAttributes & { shape: readonly number[] }> = {
  type: 'AveragePoolGradient',
  domain: 'boxwright',
  attributes: { ...poolKinds, count_include_pad: 'int', shape: 'ints' },
  infer: (inputs, { shape }) => [{ dtype: required('AveragePoolGradient', inputs, 0).dtype, shape }],
};

export interface PoolOptions {
  readonly kernel: number;
  /** Default: the kernel's size. */
  readonly stride?: number;
  /** One amount for all sides, or [top, left, bottom, right]. Padding never wins a maximum. */
  readonly padding?: number | readonly [number, number, number, number];
  /** Rounds the output's size up instead of down; a window that would start behind the input is still left out. */
  readonly ceil?: boolean;
}

function poolAttributes(
  operator: string,
  { kernel, stride = kernel, padding, ceil = false }: PoolOptions,
): PoolAttributes {
  requireWhole(operator, 'kernel and stride', [kernel, stride], 1);
  requireWhole(operator, 'padding', sides(padding), 0);
  if (sides(padding).some((amount) => amount >= kernel))
    throw shapeError(operator, `padding [${sides(padding).join(', ')}] must be below the kernel's size ${kernel}.`);
  return { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: sides(padding), ceil_mode: ceil ? 1 : 0 };
}

/** Largest element of each window of x [N, C, H, W]; of equal ones the window's first (row by row) gets the gradient. */
export function maxPool2d(x: Value, options: PoolOptions): Value {
  return apply1(MaxPool, [x], poolAttributes('MaxPool', options));
}

/** `maxPool2d` with the flat indices of the chosen elements. */
export function maxPool2dWithIndices(x: Value, options: PoolOptions): readonly Value[] {
  return apply(MaxPoolWithIndices, [x], poolAttributes('MaxPool', options));
}

/** Mean of each window; `includePadding` divides by the whole window even where it reaches over the border. */
export function averagePool2d(
  x: Value,
  { includePadding = false, ...options }: PoolOptions & { includePadding?: boolean },
): Value {
  return apply1(AveragePool, [x], {
    ...poolAttributes('AveragePool', options),
    count_include_pad: includePadding ? 1 : 0,
  });
}
