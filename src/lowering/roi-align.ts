// RoIAlign on the levels of a pyramid, and the gradient of RoIAlign by a map in its plain form.
import { and, cast, equal, indicator, mul } from '../graph/ops/elementwise.js';
import { gather, nonZero, scatterElements } from '../graph/ops/gather.js';
import { matMul, matrixTranspose } from '../graph/ops/linear.js';
import { cumSum } from '../graph/ops/reduce.js';
import { RoiAlign, type RoiAlignGradientAttributes, type RoiAlignLevelsAttributes } from '../graph/ops/roi-align.js';
import { concat, range, reshape, squeeze, transpose, unsqueeze } from '../graph/ops/shape.js';
import { apply1 } from '../graph/value.js';
import type { Rule } from './lower.js';
import { binWeights, roiBins } from './roi-bins.js';

/** Each level pools its own RoIs by the runtime's RoIAlign; then they are put back in their order. */
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

/**
 * dMap = Σ Wyᵀ · dY · Wx over the RoIs that read the map, with the weights of all its pixels. Inputs: dY [n, C, h, w],
 * rois [n, 4], pictures [n], levels [n] or none.
 */
export const roiAlignGradient: Rule = ({ node, inputs: [g, rois, pictures, levels] }) => {
  const attributes = node.attributes as RoiAlignGradientAttributes;
  const [batch, channels, height, width] = attributes.shape;
  const [count, , h, w] = g.staticShape;
  const pixels = (size: number) => reshape(range(size, 'float32'), [1, size]);
  const rows = binWeights(roiBins(rois, 1, h, height, attributes), pixels(height));
  const columns = binWeights(roiBins(rois, 0, w, width, attributes), pixels(width));
  const inPicture = equal(reshape(range(batch), [batch, 1]), reshape(pictures, [1, count]));
  const own = levels ? and(inPicture, equal(reshape(levels, [1, count]), attributes.level)) : inPicture;
  const down = mul(unsqueeze(rows, 0), reshape(indicator(own), [batch, count, 1, 1])); // [N, n, h, H]
  const across = matMul(g, unsqueeze(columns, 1)); // [n, C, h, W]
  const map = matMul(
    matrixTranspose(reshape(down, [batch, count * h, height])),
    reshape(transpose(across, [0, 2, 1, 3]), [count * h, channels * width]),
  );
  return [transpose(reshape(map, [batch, height, channels, width]), [0, 2, 1, 3])];
};
