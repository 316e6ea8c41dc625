// The obviously right form of every operator that ONNX lacks. Tests compare the fast forms with these.
import { Conv, type ConvAttributes, ConvTranspose } from '../graph/ops/conv.js';
import { add, div, greater, mul, reciprocal, sqrt, sub, where } from '../graph/ops/elementwise.js';
import { scatterElements } from '../graph/ops/gather.js';
import { type BatchNormTraining, type BatchNormTrainingGradient, perChannel } from '../graph/ops/normalization.js';
import { type AveragePoolGradient, MaxPoolWithIndices, type PoolAttributes } from '../graph/ops/pooling.js';
import { reduceMean, reduceSum } from '../graph/ops/reduce.js';
import { pad, reshape, slice, transpose } from '../graph/ops/shape.js';
import { apply, apply1, constant, filled, type Value } from '../graph/value.js';
import type { Rule } from './lower.js';
import { roiAlignByLevel, roiAlignGradient } from './roi-align.js';

type ShapedConv = ConvAttributes & { shape: readonly number[] };

export const reluGradient: Rule = ({ inputs: [g, y] }) => [where(greater(y, 0), g, 0)];

/** A transposed convolution; output padding covers the border that the strides did not reach. */
export const convInputGradient: Rule = ({ node, inputs: [dy, w] }) => {
  const { shape, ...conv } = node.attributes as ShapedConv;
  const [, , kh, kw] = w.staticShape;
  const reached = [kh, kw].map(
    (kernel, i) =>
      (dy.staticShape[2 + i] - 1) * conv.strides[i] +
      conv.dilations[i] * (kernel - 1) +
      1 -
      conv.pads[i] -
      conv.pads[i + 2],
  );
  const output_padding = [shape[2] - reached[0], shape[3] - reached[1]];
  return [apply1(ConvTranspose, [dy, w], { ...conv, output_padding })];
};

/** A convolution of X by dY with batch and channels exchanged, strides and dilations too. */
export const convWeightGradient: Rule = ({ node, inputs: [x, dy] }) => {
  const { shape, strides, dilations, pads, group } = node.attributes as ShapedConv;
  const [n, channels, h, w] = x.staticShape;
  const perGroup = channels / group;
  const byChannel = reshape(transpose(reshape(x, [n, group, perGroup, h, w]), [2, 1, 0, 3, 4]), [
    perGroup,
    group * n,
    h,
    w,
  ]);
  const swapped = { strides: dilations, dilations: strides, pads, group };
  const products = apply1(Conv, [byChannel, transpose(dy, [1, 0, 2, 3])], swapped);
  return [transpose(slice(products, [0, 0], [shape[2], shape[3]], [2, 3]), [1, 0, 2, 3])];
};

/** Scatters dY to the places that the pooling chose. */
const maxPoolGradient: Rule = ({ node, inputs: [g, x] }) => {
  const [, indices] = apply(MaxPoolWithIndices, [x], node.attributes as PoolAttributes);
  const zeros = filled(0, x.dtype, [x.staticShape.reduce((product, dim) => product * dim, 1)]);
  return [reshape(scatterElements(zeros, reshape(indices, [-1]), reshape(g, [-1]), 0, 'add'), x.shape)];
};

/** Spreads dY over its windows: a transposed convolution by ones after division by each window's count. */
const averagePoolGradient: Rule = ({ node, inputs: [g] }) => {
  const { kernel_shape, strides, pads, shape, count_include_pad } = node.attributes as Parameters<
    typeof AveragePoolGradient.infer
  >[1];
  const [n, c, h, w] = shape;
  const [, , oh, ow] = g.staticShape;
  const counts = new Float32Array(oh * ow);
  const rows = windowCounts(oh, h, kernel_shape[0], strides[0], pads[0], pads[2], count_include_pad === 1);
  const columns = windowCounts(ow, w, kernel_shape[1], strides[1], pads[1], pads[3], count_include_pad === 1);
  for (let i = 0; i < oh; i++) for (let j = 0; j < ow; j++) counts[i * ow + j] = rows[i] * columns[j];
  const planes = reshape(div(g, constant('float32', [oh, ow], counts)), [n * c, 1, oh, ow]);
  const spread = apply1(ConvTranspose, [planes, filled(1, 'float32', [1, 1, ...kernel_shape])], {
    strides,
    pads: [0, 0, 0, 0],
    dilations: [1, 1],
    group: 1,
    output_padding: [0, 0],
  });
  const [, , fullH, fullW] = spread.staticShape;
  const after = [0, 0, h - (fullH - pads[0]), w - (fullW - pads[1])];
  return [reshape(pad(spread, [0, 0, -pads[0], -pads[1]], after), [n, c, h, w])];
};

/** Elements of the input (or of the padded input) under each window along one axis. */
function windowCounts(
  windows: number,
  size: number,
  kernel: number,
  stride: number,
  before: number,
  after: number,
  padded: boolean,
): number[] {
  return Array.from({ length: windows }, (_, i) => {
    const start = i * stride - before;
    const low = padded ? start : Math.max(start, 0);
    const high = padded ? Math.min(start + kernel, size + after) : Math.min(start + kernel, size);
    return high - low;
  });
}

const spatialAxes = (x: Value) => x.shape.map((_, axis) => axis).filter((axis) => axis !== 1);
const inverseDeviation = (variance: Value, epsilon: number) => reciprocal(sqrt(add(variance, epsilon)));

export const batchNormTraining: Rule = ({ node, inputs: [x, scale, bias] }) => {
  const { epsilon } = node.attributes as Parameters<typeof BatchNormTraining.infer>[1];
  const mean = reduceMean(x, spatialAxes(x));
  const centred = sub(x, perChannel(mean, x.rank));
  const variance = reduceMean(mul(centred, centred), spatialAxes(x));
  const factor = mul(scale, inverseDeviation(variance, epsilon));
  return [add(mul(centred, perChannel(factor, x.rank)), perChannel(bias, x.rank)), mean, variance];
};

const batchNormTrainingGradient: Rule = ({ node, inputs: [g, x, scale, mean, variance] }) => {
  const { epsilon } = node.attributes as Parameters<typeof BatchNormTrainingGradient.infer>[1];
  const count = x.staticShape.reduce((product, dim) => product * dim, 1) / x.staticShape[1];
  const inverse = inverseDeviation(variance, epsilon);
  const normalized = mul(sub(x, perChannel(mean, x.rank)), perChannel(inverse, x.rank));
  const dBias = reduceSum(g, spatialAxes(x));
  const dScale = reduceSum(mul(g, normalized), spatialAxes(x));
  const correction = add(
    perChannel(mul(dBias, 1 / count), x.rank),
    mul(normalized, perChannel(mul(dScale, 1 / count), x.rank)),
  );
  return [mul(sub(g, correction), perChannel(mul(scale, inverse), x.rank)), dScale, dBias];
};

export const reference: ReadonlyMap<string, readonly Rule[]> = new Map<string, readonly Rule[]>([
  ['ReluGradient', [reluGradient]],
  ['ConvInputGradient', [convInputGradient]],
  ['ConvWeightGradient', [convWeightGradient]],
  ['MaxPoolGradient', [maxPoolGradient]],
  ['AveragePoolGradient', [averagePoolGradient]],
  ['BatchNormTraining', [batchNormTraining]],
  ['BatchNormTrainingGradient', [batchNormTrainingGradient]],
  ['RoiAlignLevels', [roiAlignByLevel]],
  ['RoiAlignGradient', [roiAlignGradient]],
]);
