// RoIs are in pixels of the canvas here.
import {
  add,
  cast,
  constant,
  cumSum,
  div,
  greaterOrEqual,
  maximum,
  mul,
  reshape,
  roiAlignLevels,
  split,
  sqrt,
  squeeze,
  sub,
  type Value,
} from '../../graph/index.js';
import type { CascadeRcnnRecipe, RoiAlignRecipe } from './recipe.js';

/** Levels that RoIs are pooled from: P2 … P5. */
const pooledLevels = 4;

/**
 * RoIs of all pictures [N, R, 4] pooled from the maps of their levels: [N · R, channels, size, size].
 *
 * @param maps P2 … P6; the last is for the RPN only.
 */
export function poolRois({ roiAlign, anchors }: CascadeRcnnRecipe, maps: readonly Value[], boxes: Value): Value {
  const rois = reshape(boxes, [-1, 4]);
  const { size, sampling, aligned, plusOne } = roiAlign;
  const ends = plusOne ? add(rois, constant('float32', [1, 4], Float32Array.of(0, 0, 1, 1))) : rois;
  return roiAlignLevels(maps.slice(0, pooledLevels), ends, pictureOfEach(boxes), roiLevels(roiAlign, rois), {
    size: [size, size],
    sampling,
    scales: anchors.strides.slice(0, pooledLevels).map((stride) => 1 / stride),
    aligned,
  });
}

/** int64 [N · R]: the picture of every RoI of [N, R, 4]. */
function pictureOfEach(boxes: Value): Value {
  const [first] = split(boxes, [1, 3], 2);
  // Counted over the batch, since its size may be free.
  const ones = add(mul(cast(greaterOrEqual(squeeze(first, 2), 0), 'float32'), 0), 1);
  return cast(reshape(cumSum(ones, 0, { exclusive: true }), [-1]), 'int64');
}

/**
 * int64 [rois]: the level, from 0, that a RoI [rois, 4] is pooled from: ⌊log2(√area / finest side + 1e-6)⌋ within the
 * levels (FPN, equation 1).
 */
export function roiLevels({ plusOne, finestSide }: RoiAlignRecipe, rois: Value): Value {
  const [x1, y1, x2, y2] = split(rois, [1, 1, 1, 1], 1).map((column) => squeeze(column, 1));
  const side = (low: Value, high: Value) => (plusOne ? add(sub(high, low), 1) : sub(high, low));
  const area = maximum(mul(side(x1, x2), side(y1, y2)), 0);
  const size = add(div(sqrt(area), finestSide), 1e-6);
  // Comparisons with powers of two: a logarithm's last bit would decide at the borders.
  const above = Array.from({ length: pooledLevels - 1 }, (_, level) =>
    cast(greaterOrEqual(size, 2 ** (level + 1)), 'int64'),
  );
  return above.reduce((sum, part) => add(sum, part));
}
