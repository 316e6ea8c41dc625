// RoIAlign's gradient by the map. A bin is the mean of sampling points, and a point is a weighted sum of the four pixels
// around it, in which rows and columns are weighted apart: the gradient adds every bin's share to those pixels.
import {
  add,
  and,
  cast,
  clip,
  div,
  floor,
  greaterOrEqual,
  indicator,
  lessOrEqual,
  maximum,
  minimum,
  mul,
  sub,
} from '../graph/ops/elementwise.js';
import { scatterNd } from '../graph/ops/gather.js';
import type { RoiAlignAttributes } from '../graph/ops/selection.js';
import { concat, reshape, slice, transpose } from '../graph/ops/shape.js';
import { constant, filled, type Value } from '../graph/value.js';
import type { Rule } from './lower.js';

/** Inputs: dY [R, C, h, w], rois [R, 4], pictures [R]. The map is written with channels last: a pixel is a row to add to. */
export const roiAlignGradient: Rule = ({ node, inputs: [g, rois, pictures] }) => {
  const attributes = node.attributes as RoiAlignAttributes & { shape: readonly number[] };
  const { output_height: h, output_width: w, sampling_ratio: sampling, shape } = attributes;
  const [batch, channels, height, width] = shape;
  const [count] = rois.staticShape;
  const rows = samples(rois, 1, h, height, attributes);
  const columns = samples(rois, 0, w, width, attributes);
  const downwards = (value: Value) => reshape(value, [count, h, 2 * sampling, 1, 1]);
  const across = (value: Value) => reshape(value, [count, 1, 1, w, 2 * sampling]);
  const pixels = add(
    add(mul(reshape(pictures, [count, 1, 1, 1, 1]), height * width), mul(downwards(rows.pixels), width)),
    across(columns.pixels),
  );
  const weights = mul(downwards(rows.weights), across(columns.weights));
  const bins = reshape(transpose(g, [0, 2, 3, 1]), [count, h, 1, w, 1, channels]);
  const shares = mul(bins, reshape(weights, [count, h, 2 * sampling, w, 2 * sampling, 1]));
  const zeros = filled(0, 'float32', [batch * height * width, channels]);
  const map = scatterNd(zeros, reshape(pixels, [-1, 1]), reshape(shares, [-1, channels]), 'add');
  return [transpose(reshape(map, [batch, height, width, channels]), [0, 3, 1, 2])];
};

/**
 * The pixels of one axis that each bin reads, and how much each of them counts: [R, bins, 2 · sampling], for every
 * sampling point the pixel before it and the one behind. Beyond the border pixel's centre a point reads the border
 * pixel, and more than one pixel outside of the map nothing.
 *
 * @param axis 0 for x, 1 for y.
 */
function samples(
  rois: Value,
  axis: 0 | 1,
  bins: number,
  size: number,
  { sampling_ratio: sampling, spatial_scale: scale, coordinate_transformation_mode: mode }: RoiAlignAttributes,
): { pixels: Value; weights: Value } {
  const aligned = mode === 'half_pixel';
  const side = (index: number) => sub(mul(slice(rois, [index], [index + 1], [1]), scale), aligned ? 0.5 : 0);
  const start = side(axis);
  const extent = sub(side(axis + 2), start);
  const length = aligned ? extent : maximum(extent, 1);
  // Sampling points in units of a bin, in the order of bins and of points within.
  const offsets = Float32Array.from({ length: bins * sampling }, (_, i) => (i + 0.5) / sampling);
  const points = add(start, mul(div(length, bins), constant('float32', [1, bins * sampling], offsets)));
  const share = mul(indicator(and(greaterOrEqual(points, -1), lessOrEqual(points, size))), 1 / sampling);
  const within = clip(points, 0, size - 1);
  const before = floor(within);
  const part = sub(within, before);
  const both = (first: Value, second: Value) =>
    concat(
      [first, second].map((value) => reshape(value, [rois.staticShape[0], bins, sampling])),
      2,
    );
  return {
    pixels: cast(both(before, minimum(add(before, 1), size - 1)), 'int64'),
    weights: both(mul(sub(1, part), share), mul(part, share)),
  };
}
