// Fast form of max-pooling's gradient on the CPU provider; docs/benchmarks.md has what it was measured against.
import { MaxPoolWithIndices, type PoolAttributes } from '../graph/ops/pooling.js';
import { apply, apply1, int64s, type Operator } from '../graph/value.js';
import type { Rule } from './lower.js';

type UnpoolAttributes = Pick<PoolAttributes, 'kernel_shape' | 'strides' | 'pads'>;

const MaxUnpool: Operator<UnpoolAttributes & { shape: readonly number[] }> = {
  type: 'MaxUnpool',
  attributes: { kernel_shape: 'ints', strides: 'ints', pads: 'ints' },
  infer: ([g], { shape }) => [{ dtype: g!.dtype, shape }],
};

/** Windows that do not overlap: each chosen place gets one gradient, so that nothing needs adding up. */
export const unpooledGradient: Rule = ({ node, inputs: [g, x] }) => {
  const attributes = node.attributes as PoolAttributes;
  const { kernel_shape, strides } = attributes;
  if (kernel_shape.some((kernel, i) => kernel > strides[i])) return undefined;
  const [, indices] = apply(MaxPoolWithIndices, [x], attributes);
  const shape = x.staticShape;
  // MaxUnpool wants the windows to end within the map, which the last ones need not do in ceil mode.
  const over = [0, 1].map((i) => Math.max(0, (g.staticShape[2 + i] - 1) * strides[i] + kernel_shape[i] - shape[2 + i]));
  return [apply1(MaxUnpool, [g, indices, int64s(shape)], { kernel_shape, strides, pads: [0, 0, ...over], shape })];
};

/** Where the gradient is wanted the forward pooling gives the indices too, which need not be found again then. */
export const poolingWithIndices: Rule = ({ node, inputs: [x], users }) => {
  const isWanted = users.get(node.inputs[0]!)?.some(({ operator }) => operator.type === 'MaxPoolGradient');
  if (!isWanted || node.outputs.length > 1) return undefined;
  return [apply(MaxPoolWithIndices, [x], node.attributes as PoolAttributes)[0]];
};
