// Batch normalisation with the batch's statistics in few passes over the maps: what is written is the centred map, which stands
// for x from then on, y, and in the gradient two maps and their sum. Sums of products are matrix products, which write nothing.
import { add, mul, neg, reciprocal, sqrt, sub } from '../graph/ops/elementwise.js';
import {
  type BatchNormTraining,
  type BatchNormTrainingGradient,
  batchNorm,
  perChannel,
} from '../graph/ops/normalization.js';
import { reduceMean, reduceSum } from '../graph/ops/reduce.js';
import { reshape } from '../graph/ops/shape.js';
import { filled, type Value } from '../graph/value.js';
import { fusedMatMul } from './fused-matmul.js';
import type { Rule } from './lower.js';

const otherAxes = (x: Value) => x.shape.map((_, axis) => axis).filter((axis) => axis !== 1);

/** Σ a·b for each channel: [C]. */
function channelProducts(a: Value, b: Value): Value {
  const [n, c, ...spatial] = a.staticShape;
  const places = spatial.reduce((product, dim) => product * dim, 1);
  const rows = (value: Value) => reshape(value, [n, c, 1, places]);
  return reduceSum(fusedMatMul(rows(a), rows(b), { transB: true }), [0, 2, 3]);
}

/** scale · x + bias for each channel in one pass. */
function channelAffine(x: Value, scale: Value, bias: Value): Value {
  const size = scale.staticShape;
  const [mean, variance] = [filled(0, x.dtype, size), filled(1, x.dtype, size)];
  return batchNorm(x, { scale, bias, mean, variance }, 0);
}

/** The variance is taken of the centred map: Σ x² − (Σ x)² would cancel for means far from 0. */
export const batchNormTrainingOfCentred: Rule = ({ node, inputs: [x, scale, bias] }) => {
  const { epsilon } = node.attributes as Parameters<typeof BatchNormTraining.infer>[1];
  const mean = reduceMean(x, otherAxes(x));
  const centred = sub(x, perChannel(mean, x.rank));
  const variance = mul(channelProducts(centred, centred), 1 / placesOf(x));
  const factor = mul(scale, reciprocal(sqrt(add(variance, epsilon))));
  return [channelAffine(centred, factor, bias), mean, variance];
};

export const batchNormTrainingGradientOfCentred: Rule = ({ node, inputs: [g, x, scale, mean, variance] }) => {
  const { epsilon } = node.attributes as Parameters<typeof BatchNormTrainingGradient.infer>[1];
  const centred = sub(x, perChannel(mean, x.rank)); // the forward pass's, merged
  const inverse = reciprocal(sqrt(add(variance, epsilon)));
  const dBias = reduceSum(g, otherAxes(x));
  const dScale = mul(channelProducts(g, centred), inverse);
  const factor = mul(scale, inverse);
  const share = mul(factor, 1 / placesOf(x));
  const straight = channelAffine(g, factor, neg(mul(share, dBias)));
  const throughVariance = mul(centred, perChannel(mul(mul(share, inverse), dScale), x.rank));
  return [sub(straight, throughVariance), dScale, dBias];
};

/** Elements of a channel. */
function placesOf(x: Value): number {
  return x.staticShape.reduce((product, dim) => product * dim, 1) / x.staticShape[1];
}
