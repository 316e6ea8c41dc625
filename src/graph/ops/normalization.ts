import type { Operator, Value } from '../value.js';
import { apply, apply1, shapeError } from '../value.js';
import { add, div, mul, sqrt, sub } from './elementwise.js';
import { reduceSum } from './reduce.js';
import { floats, required, requireSameType } from './require.js';
import { reshape } from './shape.js';

type EpsilonAttributes = { epsilon: number };

/** Shape [1, C, 1, …] for a per-channel vector beside x [N, C, …]. */
export function perChannel(vector: Value, rank: number): Value {
  return reshape(vector, [1, -1, ...Array<number>(rank - 2).fill(1)]);
}

function requireChannels(operator: string, inputs: readonly (Value | undefined)[], count: number): Value {
  const x = required(operator, inputs, 0);
  for (let i = 1; i < count; i++) {
    const vector = required(operator, inputs, i);
    if (vector.rank !== 1 || vector.shape[0] !== x.shape[1]) {
      throw shapeError(operator, `input ${i} must have shape [${x.shape[1]}], one number a channel.`, [x, vector]);
    }
  }
  requireSameType(operator, inputs as Value[], floats);
  return x;
}

const otherAxes = (x: Value) => x.shape.map((_, axis) => axis).filter((axis) => axis !== 1);

export const BatchNormalization: Operator<EpsilonAttributes> = {
  type: 'BatchNormalization',
  attributes: { epsilon: 'float' },
  infer(inputs) {
    const x = requireChannels('BatchNormalization', inputs, 5);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  vjp({ inputs: [x, scale, , mean, variance], attributes: { epsilon }, gradients: [g], wants }) {
    if (wants[3] || wants[4]) {
      const problem = 'the given statistics have no gradient; see batchNormTraining, or put stopGradient before them.';
      throw shapeError('BatchNormalization', problem, [x, mean, variance]);
    }
    const inverse = div(1, sqrt(add(variance, epsilon)));
    const centred = () => sub(x, perChannel(mean, x.rank));
    return [
      wants[0] ? mul(g!, perChannel(mul(scale, inverse), x.rank)) : undefined,
      wants[1] ? mul(reduceSum(mul(g!, centred()), otherAxes(x)), inverse) : undefined,
      wants[2] ? reduceSum(g!, otherAxes(x)) : undefined,
    ];
  },
};

/**
 * (x − mean) / √(variance + epsilon) · scale + bias per channel of x [N, C, …], with given statistics [C] (fixed ones or
 * moving averages), which have no gradient.
 */
export function batchNorm(
  x: Value,
  parameters: { scale: Value; bias: Value; mean: Value; variance: Value },
  epsilon: number,
): Value {
  const { scale, bias, mean, variance } = parameters;
  return apply1(BatchNormalization, [x, scale, bias, mean, variance], { epsilon });
}

/** Outputs: y, and the batch's mean and (biased) variance per channel. Inputs: x, scale, bias. */
export const BatchNormTraining: Operator<EpsilonAttributes> = {
  type: 'BatchNormTraining',
  domain: 'boxwright',
  attributes: { epsilon: 'float' },
  infer(inputs) {
    const x = requireChannels('BatchNormTraining', inputs, 3);
    const vector = { dtype: x.dtype, shape: [x.shape[1]] };
    return [{ dtype: x.dtype, shape: x.shape }, vector, vector];
  },
  vjp({ inputs: [x, scale], outputs: [, mean, variance], attributes, gradients: [g, gMean, gVariance] }) {
    if (gMean || gVariance) throw shapeError('BatchNormTraining', 'the batch statistics carry no gradient.', [x]);
    return apply(BatchNormTrainingGradient, [g, x, scale, mean, variance], attributes);
  },
};

/** Inputs: dY, x, scale, mean, variance. Outputs: dX, dScale, dBias (Ioffe & Szegedy 2015, section 3). */
export const BatchNormTrainingGradient: Operator<EpsilonAttributes> = {
  type: 'BatchNormTrainingGradient',
  domain: 'boxwright',
  attributes: { epsilon: 'float' },
  infer: (inputs) => {
    const x = required('BatchNormTrainingGradient', inputs, 1);
    const vector = { dtype: x.dtype, shape: [x.shape[1]] };
    return [{ dtype: x.dtype, shape: x.shape }, vector, vector];
  },
};

/** Batch normalisation with the batch's own statistics; they come back as [C] vectors for the moving averages. */
export function batchNormTraining(
  x: Value,
  scale: Value,
  bias: Value,
  epsilon: number,
): { y: Value; mean: Value; variance: Value } {
  const [y, mean, variance] = apply(BatchNormTraining, [x, scale, bias], { epsilon });
  return { y, mean, variance };
}
