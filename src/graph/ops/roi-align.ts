// RoIAlign (He et al., Mask R-CNN, section 3) on one map and on the levels of a pyramid. A RoI is cut into bins, and a
// bin is the mean of bilinear samples at evenly spaced points; points more than one pixel outside the map count as 0.
import { dimsAgree, mergeDim } from '../dims.js';
import type { Operator, Value } from '../value.js';
import { apply, apply1, constant, shapeError } from '../value.js';
import { add } from './elementwise.js';
import { gather } from './gather.js';
import { floats, required, requireRank, requireSameType, requireType, requireWhole } from './require.js';
import { unsqueeze } from './shape.js';

type BinAttributes = {
  output_height: number;
  output_width: number;
  sampling_ratio: number;
  coordinate_transformation_mode: 'half_pixel' | 'output_half_pixel';
  mode: 'avg';
};
export type RoiAlignAttributes = BinAttributes & { spatial_scale: number };
export type RoiAlignLevelsAttributes = BinAttributes & { spatial_scales: readonly number[] };
/** `sizes`: height and width of each map in turn. */
export type RoiAlignGradientAttributes = RoiAlignLevelsAttributes & { batch: number; sizes: readonly number[] };

const binKinds = {
  output_height: 'int',
  output_width: 'int',
  sampling_ratio: 'int',
  coordinate_transformation_mode: 'string',
  mode: 'string',
} as const;

export const RoiAlign: Operator<RoiAlignAttributes> = {
  type: 'RoiAlign',
  attributes: { ...binKinds, spatial_scale: 'float' },
  infer(inputs, { output_height, output_width }) {
    const [x, rois, pictures] = [0, 1, 2].map((i) => required('RoiAlign', inputs, i));
    requireRank('RoiAlign', x, 4, 'the map');
    requireRois('RoiAlign', x, rois, pictures);
    return [{ dtype: x.dtype, shape: [rois.shape[0], x.shape[1], output_height, output_width] }];
  },
  vjp({ inputs: [x, rois, pictures], attributes, gradients: [g], wants }) {
    const { spatial_scale, ...bins } = attributes;
    const scaled = { ...bins, spatial_scales: [spatial_scale] };
    // Boxes are treated as given, as in the published detectors.
    return [wants[0] ? mapGradients([x], [g, rois, pictures], scaled)[0] : undefined, undefined];
  },
};

function requireRois(operator: string, x: Value, rois: Value, ...ofEach: readonly Value[]): void {
  requireSameType(operator, [x, rois], floats);
  for (const indices of ofEach) requireType(operator, indices, ['int64'], 'indices of pictures and levels');
  const fits = ofEach.every((own) => own.rank === 1 && dimsAgree(rois.shape[0], own.shape[0]));
  if (rois.rank !== 2 || !dimsAgree(rois.shape[1], 4) || !fits) {
    const wanted = ['picture indices [n]', 'level indices [n]'].slice(0, ofEach.length).join(' and ');
    throw shapeError(operator, `wants rois [n, 4] and ${wanted}.`, [x, rois, ...ofEach]);
  }
}

/** Inputs: rois, pictures, levels, then a map a level. */
const RoiAlignLevels: Operator<RoiAlignLevelsAttributes> = {
  type: 'RoiAlignLevels',
  domain: 'boxwright',
  attributes: { ...binKinds, spatial_scales: 'floats' },
  infer(inputs, { output_height, output_width, spatial_scales }) {
    const [rois, pictures, levels, ...maps] = inputs.map((_, i) => required('RoiAlignLevels', inputs, i));
    if (!maps.length || maps.length !== spatial_scales.length)
      throw shapeError('RoiAlignLevels', `wants a map for each of ${spatial_scales.length} scales.`, maps);
    for (const map of maps) requireRank('RoiAlignLevels', map, 4, 'a map');
    requireSameType('RoiAlignLevels', maps);
    requireRois('RoiAlignLevels', maps[0], rois, pictures, levels);
    if (!maps.every((map) => [0, 1].every((axis) => dimsAgree(map.shape[axis], maps[0].shape[axis]))))
      throw shapeError('RoiAlignLevels', 'maps must have one batch and one number of channels.', maps);
    const channels = maps.map((map) => map.shape[1]).reduce(mergeDim);
    const count = mergeDim(levels.shape[0], rois.shape[0]);
    return [{ dtype: rois.dtype, shape: [count, channels, output_height, output_width] }];
  },
  vjp: ({ inputs: [rois, pictures, levels, ...maps], attributes, gradients: [g] }) => [
    undefined, // boxes are treated as given here, too
    undefined,
    undefined,
    ...mapGradients(maps, [g, rois, pictures, levels], attributes),
  ],
};

function mapGradients(
  maps: readonly Value[],
  inputs: readonly (Value | undefined)[],
  attributes: RoiAlignLevelsAttributes,
): readonly Value[] {
  const sizes = maps.flatMap((map) => map.staticShape.slice(2));
  return apply(RoiAlignGradient, inputs, { ...attributes, batch: maps[0].staticShape[0], sizes });
}

/**
 * dX of a RoIAlign by each of its maps. Inputs: dY, rois, picture indices and, where the RoIs read several maps, the
 * level of each.
 */
export const RoiAlignGradient: Operator<RoiAlignGradientAttributes> = {
  type: 'RoiAlignGradient',
  domain: 'boxwright',
  attributes: { ...binKinds, spatial_scales: 'floats', batch: 'int', sizes: 'ints' },
  infer(inputs, { batch, sizes, spatial_scales }) {
    const { dtype, shape } = required('RoiAlignGradient', inputs, 0);
    const map = (level: number) => [batch, shape[1], sizes[2 * level], sizes[2 * level + 1]];
    return spatial_scales.map((_, level) => ({ dtype, shape: map(level) }));
  },
};

/**
 * Where a RoI's coordinate lies on the map.
 *
 * - `true`: at x · scale - 0.5, so that a pixel's value lies at its centre (`aligned` in PyTorch, `half_pixel` in ONNX).
 * - `false`: at x · scale, and RoIs are at least one map pixel wide and high (`output_half_pixel` in ONNX).
 * - `'unshifted'`: at x · scale, and RoIs are as small as they are (MindSpore).
 */
export type RoiCoordinates = boolean | 'unshifted';

interface BinOptions {
  readonly size: readonly [number, number];
  /**
   * Sampling points a bin and axis; 0 takes as many as the bin has map pixels, rounded up (a RoI's far corner must then
   * not lie before its near one: ONNX Runtime refuses that).
   */
  readonly sampling: number;
  /** Default true. */
  readonly aligned?: RoiCoordinates;
}

export interface RoiAlignOptions extends BinOptions {
  /** Map pixels per unit of the rois, such as 1/16. */
  readonly scale: number;
}

export interface RoiAlignLevelsOptions extends BinOptions {
  /** Map pixels per unit of the rois, for each map. */
  readonly scales: readonly number[];
}

/**
 * RoIAlign (He et al., Mask R-CNN, section 3): x [N, C, H, W], rois [n, 4], picture indices int64 [n] → [n, C, h, w].
 * Points more than one pixel outside the map count as 0. The gradient flows to the map only.
 */
export function roiAlign(x: Value, rois: Value, pictures: Value, options: RoiAlignOptions): Value {
  const { scale, aligned } = options;
  const placed = aligned === 'unshifted' ? add(rois, 0.5 / scale) : rois;
  return apply1(RoiAlign, [x, placed, pictures], { ...binAttributes(options), spatial_scale: scale });
}

/**
 * RoIAlign on the levels of a pyramid: each RoI reads the map of its own level.
 *
 * @param maps [N, C, H, W] of each level, with a size of its own.
 * @param rois [n, 4] in pixels of the canvas; n may be 0, and a level without RoIs.
 * @param pictures int64 [n]: the picture of each RoI in the batch.
 * @param levels int64 [n]: the map of each RoI, as an index into `maps`.
 * @returns [n, C, h, w]. The gradient flows to the maps only.
 */
export function roiAlignLevels(
  maps: readonly Value[],
  rois: Value,
  pictures: Value,
  levels: Value,
  options: RoiAlignLevelsOptions,
): Value {
  const { scales, aligned } = options;
  const placed = aligned === 'unshifted' ? add(rois, unsqueeze(gather(halfPixels(scales), levels), 1)) : rois;
  const attributes = { ...binAttributes(options), spatial_scales: scales };
  return apply1(RoiAlignLevels, [placed, pictures, levels, ...maps], attributes);
}

/** Half a map pixel of each level in units of the RoIs: moved by it, half-pixel coordinates lie at x · scale. */
function halfPixels(scales: readonly number[]): Value {
  return constant(
    'float32',
    [scales.length],
    Float32Array.from(scales, (scale) => 0.5 / scale),
  );
}

function binAttributes({ size, sampling, aligned = true }: BinOptions): BinAttributes {
  requireWhole('RoiAlign', 'the size', size, 1);
  requireWhole('RoiAlign', 'sampling', [sampling], 0);
  return {
    output_height: size[0],
    output_width: size[1],
    sampling_ratio: sampling,
    coordinate_transformation_mode: aligned === false ? 'output_half_pixel' : 'half_pixel',
    mode: 'avg',
  };
}
