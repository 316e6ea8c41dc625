import { mul } from '../graph/ops/elementwise.js';
import { MaxPoolGradient, type PoolAttributes } from '../graph/ops/pooling.js';
import { apply1, type Operator, type Value } from '../graph/value.js';
import type { Rule } from './lower.js';

/** max(0, min(1, alpha · x + beta)). */
const HardSigmoid: Operator<{ alpha: number; beta: number }> = {
  type: 'HardSigmoid',
  attributes: { alpha: 'float', beta: 'float' },
  infer: ([x]) => [{ dtype: x!.dtype, shape: x!.shape }],
};

/** So steep that every positive normal float32 gets 1: the smallest, 2⁻¹²⁶, times this is 2. */
const steep = 2 ** 127;

/**
 * 1 where y > 0, else 0. One pass on all cores; ONNX Runtime's Greater + Cast, Sign and Where are slower (Sign and Where
 * run on one core).
 */
function positive(y: Value): Value {
  return apply1(HardSigmoid, [y], { alpha: steep, beta: 0 });
}

export const maskedReluGradient: Rule = ({ inputs: [g, y] }) =>
  y.dtype === 'float32' ? [mul(g, positive(y))] : undefined;

/**
 * Behind a max-pooling of the same activation: the chosen elements are the pooled ones, so that the mask can be applied
 * to the smaller pooled map.
 */
export const reluBeforeMaxPool: Rule = ({ node }) => {
  const [g, y] = node.inputs as Value[];
  const pool = g.node;
  if (pool.operator.type !== 'MaxPoolGradient' || pool.inputs[1] !== y || y.dtype !== 'float32') return undefined;
  const [gPooled, , pooled] = pool.inputs as Value[];
  const masked = mul(gPooled, positive(pooled));
  return [apply1(MaxPoolGradient, [masked, y, pooled], pool.attributes as PoolAttributes)];
};
