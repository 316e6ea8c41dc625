// RoIAlign on the levels of a pyramid, and RoIAlign's gradient by its maps in its plain form.
import { and, cast, equal, indicator, mul } from '../graph/ops/elementwise.js';
import { gather, nonZero, scatterElements } from '../graph/ops/gather.js';
import { matMul, matrixTranspose } from '../graph/ops/linear.js';
import { cumSum } from '../graph/ops/reduce.js';
import {
  RoiAlign,
  type RoiAlignAttributes,
  type RoiAlignGradientAttributes,
  type RoiAlignLevelsAttributes,
} from '../graph/ops/roi-align.js';
import { concat, range, reshape, squeeze, transpose, unsqueeze } from '../graph/ops/shape.js';
import { apply1, type Value } from '../graph/value.js';
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

/** dMap = Σ Wyᵀ · dY · Wx over the RoIs that read a map, with the weights of all its pixels. */
export const roiAlignGradient: Rule = ({ node, inputs: [g, rois, pictures, levels] }) => {
  const { spatial_scales, sizes, batch, ...bins } = node.attributes as RoiAlignGradientAttributes;
  return spatial_scales.map((spatial_scale, level) => {
    const inPicture = equal(reshape(range(batch), [batch, 1]), unsqueeze(pictures, 0));
    const own = levels ? and(inPicture, equal(unsqueeze(levels, 0), level)) : inPicture;
    return mapGradient(g, rois, own, sizes.slice(2 * level, 2 * level + 2), { ...bins, spatial_scale });
  });
};

/** @param own bool [N, n]: whether a RoI reads the map of a picture. */
function mapGradient(
  g: Value,
  rois: Value,
  own: Value,
  [height, width]: readonly number[],
  attributes: RoiAlignAttributes,
): Value {
  const [count, channels, h, w] = g.staticShape;
  const [batch] = own.staticShape;
  const pixels = (size: number) => reshape(range(size, 'float32'), [1, size]);
  const rows = binWeights(roiBins(rois, 1, h, height, attributes), pixels(height));
  const columns = binWeights(roiBins(rois, 0, w, width, attributes), pixels(width));
  const down = mul(unsqueeze(rows, 0), reshape(indicator(own), [batch, count, 1, 1])); // [N, n, h, H]
  const across = matMul(g, unsqueeze(columns, 1)); // [n, C, h, W]
  const map = matMul(
    matrixTranspose(reshape(down, [batch, count * h, height])),
    reshape(transpose(across, [0, 2, 1, 3]), [count * h, channels * width]),
  );
  return transpose(reshape(map, [batch, height, channels, width]), [0, 2, 1, 3]);
}
