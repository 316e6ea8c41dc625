// RoIAlign on several levels, and its gradient by the map. A bin is the mean of sampling points, and a point is a weighted sum of the four pixels
// around it, in which rows and columns are weighted apart: the gradient adds every bin's share to those pixels.
import {
  add,
  and,
  cast,
  clip,
  div,
  equal,
  floor,
  greaterOrEqual,
  indicator,
  lessOrEqual,
  maximum,
  minimum,
  mul,
  sub,
} from '../graph/ops/elementwise.js';
import { gather, nonZero, scatterElements, scatterNd } from '../graph/ops/gather.js';
import { cumSum } from '../graph/ops/reduce.js';
import { RoiAlign, type RoiAlignAttributes, type RoiAlignLevelsAttributes } from '../graph/ops/roi-align.js';
import { concat, reshape, slice, squeeze, transpose } from '../graph/ops/shape.js';
import { apply1, constant, filled, shapeError, type Value } from '../graph/value.js';
import type { Rule } from './lower.js';

/** Each level pools its own RoIs; then they are put back in their order. */
export const roiAlignByLevel: Rule = ({ node, inputs: [rois, pictures, levels, ...maps] }) => {
  const { spatial_scales, ...bins } = node.attributes as RoiAlignLevelsAttributes;
  const members = maps.map((_, level) => squeeze(nonZero(equal(levels, level)), 0));
  const pooled = maps.map((map, level) =>
    apply1(RoiAlign, [map, gather(rois, members[level]), gather(pictures, members[level])], {
      ...bins,
      spatial_scale: spatial_scales[level],
    }),
  );
  // The place of each RoI in the concatenation: 0, 1, … written where they came from.
  const order = concat(members, 0);
  const ones = cast(equal(levels, levels), 'int64');
  const places = scatterElements(levels, order, cumSum(ones, 0, { exclusive: true }), 0);
  const [count] = node.outputs[0].shape;
  return [gather(concat(pooled, 0), count === places.shape[0] ? places : reshape(places, [count]))];
};

/** Inputs: dY [R, C, h, w], rois [R, 4], pictures [R], levels [R] or none. The map is written with channels last: a pixel is a row to add to. */
export const roiAlignGradient: Rule = ({ node, inputs: [g, rois, pictures, levels] }) => {
  const attributes = node.attributes as RoiAlignAttributes & { shape: readonly number[]; level: number };
  const { output_height: h, output_width: w, sampling_ratio: sampling, shape, level } = attributes;
  if (sampling === 0) throw shapeError('RoiAlign', 'has no gradient with adaptive sampling yet.', [rois]);
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
  const own = levels ? mul(g, reshape(indicator(equal(levels, level)), [count, 1, 1, 1])) : g;
  const bins = reshape(transpose(own, [0, 2, 3, 1]), [count, h, 1, w, 1, channels]);
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
