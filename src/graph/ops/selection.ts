import { dimsAgree, freshDim, normalizeAxis } from '../dims.js';
import type { Operator, Value } from '../value.js';
import { apply, apply1, constant, constantInts, filled, shapeError } from '../value.js';
import { scatterElements } from './gather.js';
import { floats, numbers, required, requireRank, requireSameType, requireType, requireWhole } from './require.js';

type TopKAttributes = { axis: number; largest: number; sorted: number };

const TopK: Operator<TopKAttributes> = {
  type: 'TopK',
  attributes: { axis: 'int', largest: 'int', sorted: 'int' },
  infer(inputs, { axis }) {
    const x = required('TopK', inputs, 0);
    requireSameType('TopK', [x], numbers);
    const at = normalizeAxis('TopK', axis, x.rank, [x]);
    const k = constantInts(inputs[1]);
    const size = x.shape[at];
    if (k && (k.length !== 1 || k[0] < 0 || (typeof size === 'number' && k[0] > size)))
      throw shapeError('TopK', `cannot take ${k.join(', ')} of ${size} elements.`, [x]);
    const shape = x.shape.map((dim, i) => (i === at ? (k ? k[0] : freshDim('top')) : dim));
    return [
      { dtype: x.dtype, shape },
      { dtype: 'int64', shape },
    ];
  },
  vjp: ({ inputs: [x], outputs: [, indices], attributes: { axis }, gradients: [g] }) => [
    g && scatterElements(filled(0, x.dtype, x.staticShape), indices, g, axis),
    undefined,
  ],
};

/**
 * The k largest (or smallest) elements along an axis, in falling (rising) order, and their int64 indices.
 * Equal elements keep the order of their indices. `k` may be a computed int64 vector of one element.
 */
export function topK(
  x: Value,
  k: number | Value,
  axis = -1,
  { largest = true } = {},
): { values: Value; indices: Value } {
  const count = typeof k === 'number' ? constant('int64', [1], BigInt64Array.of(BigInt(k))) : k;
  const [values, indices] = apply(TopK, [x, count], { axis, largest: largest ? 1 : 0, sorted: 1 });
  return { values, indices };
}

const NonMaxSuppression: Operator<{ center_point_box: number }> = {
  type: 'NonMaxSuppression',
  attributes: { center_point_box: 'int' },
  infer(inputs) {
    const [boxes, scores] = [required('NonMaxSuppression', inputs, 0), required('NonMaxSuppression', inputs, 1)];
    requireSameType('NonMaxSuppression', [boxes, scores], ['float32']);
    requireRank('NonMaxSuppression', boxes, 3, 'boxes');
    requireRank('NonMaxSuppression', scores, 3, 'scores');
    if (
      !dimsAgree(boxes.shape[0], scores.shape[0]) ||
      !dimsAgree(boxes.shape[1], scores.shape[2]) ||
      !dimsAgree(boxes.shape[2], 4)
    ) {
      throw shapeError('NonMaxSuppression', 'wants boxes [batch, n, 4] and scores [batch, classes, n].', [
        boxes,
        scores,
      ]);
    }
    return [{ dtype: 'int64', shape: [freshDim('selected'), 3] }];
  },
};

export interface NmsOptions {
  /** A box goes if its IoU with a better one of its class is greater than this. */
  readonly iouThreshold: number;
  /** Only scores greater than this are looked at. */
  readonly scoreThreshold: number;
  readonly maxPerClass: number;
}

/**
 * Non-maximum suppression per picture and class. boxes [batch, n, 4] (two opposite corners), scores [batch, classes, n]
 * → int64 [selected, 3]: picture, class, box.
 */
export function nonMaxSuppression(boxes: Value, scores: Value, options: NmsOptions): Value {
  const most = constant('int64', [1], BigInt64Array.of(BigInt(options.maxPerClass)));
  const thresholds = [options.iouThreshold, options.scoreThreshold].map((value) =>
    constant('float32', [1], Float32Array.of(value)),
  );
  return apply1(NonMaxSuppression, [boxes, scores, most, ...thresholds], { center_point_box: 0 });
}

export type RoiAlignAttributes = {
  output_height: number;
  output_width: number;
  sampling_ratio: number;
  spatial_scale: number;
  coordinate_transformation_mode: 'half_pixel' | 'output_half_pixel';
  mode: 'avg' | 'max';
};

const roiAlignKinds = {
  output_height: 'int',
  output_width: 'int',
  sampling_ratio: 'int',
  spatial_scale: 'float',
  coordinate_transformation_mode: 'string',
  mode: 'string',
} as const;

const RoiAlign: Operator<RoiAlignAttributes> = {
  type: 'RoiAlign',
  attributes: roiAlignKinds,
  infer(inputs, { output_height, output_width }) {
    const [x, rois, pictures] = [0, 1, 2].map((i) => required('RoiAlign', inputs, i));
    requireRank('RoiAlign', x, 4, 'the map');
    requireSameType('RoiAlign', [x, rois], floats);
    requireType('RoiAlign', pictures, ['int64'], 'picture indices');
    if (rois.rank !== 2 || !dimsAgree(rois.shape[1], 4) || !dimsAgree(rois.shape[0], pictures.shape[0])) {
      throw shapeError('RoiAlign', 'wants rois [n, 4] and picture indices [n].', [x, rois, pictures]);
    }
    return [{ dtype: x.dtype, shape: [rois.shape[0], x.shape[1], output_height, output_width] }];
  },
  vjp({ inputs: [x, rois, pictures], attributes, gradients: [g], wants }) {
    if (attributes.sampling_ratio < 1)
      throw shapeError('RoiAlign', 'has a gradient only with a fixed number of sampling points.', [x, rois]);
    return [
      wants[0] ? apply1(RoiAlignGradient, [g, rois, pictures], { ...attributes, shape: x.staticShape }) : undefined,
      undefined, // boxes are treated as given, as in the published detectors
    ];
  },
};

/** dX of a RoiAlign by the map. Inputs: dY, rois, picture indices. */
export const RoiAlignGradient: Operator<RoiAlignAttributes & { shape: readonly number[] }> = {
  type: 'RoiAlignGradient',
  domain: 'boxwright',
  attributes: { ...roiAlignKinds, shape: 'ints' },
  infer: (inputs, { shape }) => [{ dtype: required('RoiAlignGradient', inputs, 0).dtype, shape }],
};

export interface RoiAlignOptions {
  readonly size: readonly [number, number];
  /** Sampling points a bin and axis; 0 takes as many as the bin has pixels (rounded up), which has no gradient. */
  readonly sampling: number;
  /** Map pixels per unit of the rois, such as 1/16. */
  readonly scale: number;
  /** Shift by half a pixel, so that a pixel's value lies at its centre (aligned = true elsewhere). Default true. */
  readonly aligned?: boolean;
}

/**
 * RoIAlign (He et al., Mask R-CNN, section 3): x [N, C, H, W], rois [n, 4], picture indices int64 [n] → [n, C, h, w].
 * Points more than one pixel outside the map count as 0. Without `aligned`, rois are at least one map pixel wide and
 * high. The gradient flows to the map only.
 */
export function roiAlign(
  x: Value,
  rois: Value,
  pictures: Value,
  { size, sampling, scale, aligned = true }: RoiAlignOptions,
): Value {
  requireWhole('RoiAlign', 'the size', size, 1);
  requireWhole('RoiAlign', 'sampling', [sampling], 0);
  return apply1(RoiAlign, [x, rois, pictures], {
    output_height: size[0],
    output_width: size[1],
    sampling_ratio: sampling,
    spatial_scale: scale,
    coordinate_transformation_mode: aligned ? 'half_pixel' : 'output_half_pixel',
    mode: 'avg',
  });
}
