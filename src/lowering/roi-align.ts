// RoIAlign's gradient by the map. Its forward form is bilinear in the rows and columns that it samples, so that each
// RoI's bins are Rows · map · Columnsᵀ, and the gradient is Rowsᵀ · dY · Columns, summed over the RoIs of a picture.

import {
  abs,
  add,
  and,
  cast,
  clip,
  div,
  equal,
  greaterOrEqual,
  indicator,
  lessOrEqual,
  maximum,
  mul,
  relu,
  sub,
} from '../graph/ops/elementwise.js';
import { matMul } from '../graph/ops/linear.js';
import { reduceMean } from '../graph/ops/reduce.js';
import type { RoiAlignAttributes } from '../graph/ops/selection.js';
import { range, reshape, slice, transpose, unsqueeze } from '../graph/ops/shape.js';
import { constant, type Value } from '../graph/value.js';
import type { Rule } from './lower.js';

/** Inputs: dY [R, C, h, w], rois [R, 4], pictures [R]. Every RoI spreads over its whole picture: right, but not lean. */
export const roiAlignGradient: Rule = ({ node, inputs: [g, rois, pictures] }) => {
  const attributes = node.attributes as RoiAlignAttributes & { shape: readonly number[] };
  const { output_height: h, output_width: w, shape } = attributes;
  const [batch, channels, height, width] = shape;
  const [count] = rois.staticShape;
  const columns = axisWeights(rois, 0, w, width, attributes);
  const rows = axisWeights(rois, 1, h, height, attributes);
  // [R, C, h, w] · [R, 1, w, W], then all bins of a picture's RoIs against their rows.
  const spread = matMul(g, unsqueeze(columns, 1));
  const byBin = reshape(transpose(spread, [1, 3, 0, 2]), [1, channels * width, count * h]);
  const ofPicture = indicator(equal(range(batch), unsqueeze(pictures, 1))); // [R, batch]
  const ownRows = mul(reshape(transpose(ofPicture, [1, 0]), [batch, count, 1, 1]), unsqueeze(rows, 0));
  const maps = matMul(byBin, reshape(ownRows, [batch, count * h, height]));
  return [transpose(reshape(maps, [batch, channels, width, height]), [0, 1, 3, 2])];
};

/**
 * [R, bins, size]: how much each pixel of one axis counts in each bin. A sampling point counts for the pixels nearer
 * than 1 by their closeness; beyond the border pixel's centre it takes the border pixel, and more than one pixel
 * outside nothing at all.
 *
 * @param axis 0 for x, 1 for y.
 */
function axisWeights(rois: Value, axis: 0 | 1, bins: number, size: number, attributes: RoiAlignAttributes): Value {
  const { sampling_ratio: sampling, spatial_scale: scale, coordinate_transformation_mode: mode } = attributes;
  const aligned = mode === 'half_pixel';
  const side = (index: number) => sub(mul(slice(rois, [index], [index + 1], [1]), scale), aligned ? 0.5 : 0);
  const start = side(axis);
  const extent = sub(side(axis + 2), start);
  const length = aligned ? extent : maximum(extent, 1);
  // Sampling points in units of a bin, in the order of bins and of points within.
  const offsets = Float32Array.from({ length: bins * sampling }, (_, i) => (i + 0.5) / sampling);
  const points = add(start, mul(div(length, bins), constant('float32', [1, bins * sampling], offsets)));
  const valid = and(greaterOrEqual(points, -1), lessOrEqual(points, size));
  const distance = abs(sub(unsqueeze(clip(points, 0, size - 1), 2), range(size, 'float32')));
  const weights = mul(relu(sub(1, distance)), unsqueeze(cast(valid, 'float32'), 2));
  return reduceMean(reshape(weights, [rois.staticShape[0], bins, sampling, size]), [2]);
}
