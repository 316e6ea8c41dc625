// The bins of RoIs along one axis. RoIAlign weighs rows and columns apart: a bin is the map weighted by the outer
// product of what this file gives for y and for x.
import {
  abs,
  add,
  and,
  cast,
  ceil,
  clip,
  div,
  floor,
  greaterOrEqual,
  indicator,
  less,
  lessOrEqual,
  maximum,
  minimum,
  mul,
  type Operand,
  relu,
  sub,
  sumOf,
} from '../graph/ops/elementwise.js';
import { gather } from '../graph/ops/gather.js';
import type { RoiAlignAttributes } from '../graph/ops/roi-align.js';
import { reshape, slice, unsqueeze } from '../graph/ops/shape.js';
import { constant, type Value } from '../graph/value.js';

/** RoIs along one axis of their maps, in map pixels. */
export interface RoiBins {
  /** Where each RoI begins: [n]. */
  readonly start: Value;
  /** The length of a bin: [n]. */
  readonly length: Value;
  /** Sampling points in a bin: a number, or [n] where each RoI has its own. */
  readonly points: number | Value;
  readonly bins: number;
  /** Pixels of the map along the axis: a number, or float32 [n] where the RoIs read several maps. */
  readonly size: number | Value;
}

/** RoIAlign's attributes; the scale [n] where the RoIs read several maps. */
export type BinGeometry = Pick<RoiAlignAttributes, 'sampling_ratio' | 'coordinate_transformation_mode'> & {
  readonly spatial_scale: number | Value;
};

/**
 * RoIs [n, 4] along an axis of their maps.
 *
 * @param axis 0 for x, 1 for y.
 */
export function roiBins(
  rois: Value,
  axis: 0 | 1,
  bins: number,
  size: number | Value,
  { sampling_ratio: sampling, spatial_scale: scale, coordinate_transformation_mode: mode }: BinGeometry,
): RoiBins {
  const aligned = mode === 'half_pixel';
  const side = (index: number) => {
    const coordinate = mul(reshape(slice(rois, [index], [index + 1], [1]), [-1]), scale);
    return aligned ? sub(coordinate, 0.5) : coordinate;
  };
  const start = side(axis);
  const extent = sub(side(axis + 2), start);
  const length = div(aligned ? extent : maximum(extent, 1), bins);
  return { start, length, points: sampling || ceil(length), bins, size };
}

/** The RoIs at `indices`, in their order. */
export function pickBins({ start, length, points, bins, size }: RoiBins, indices: Value): RoiBins {
  const pick = (value: Value) => gather(value, indices);
  const pickOf = (value: number | Value) => (typeof value === 'number' ? value : pick(value));
  return { start: pick(start), length: pick(length), points: pickOf(points), bins, size: pickOf(size) };
}

/** Moves points to the nearest pixel of an axis: at least 0, at most `size` - 1. */
function ontoMap(point: Value, size: number | Value): Value {
  return typeof size === 'number' ? clip(point, 0, size - 1) : maximum(minimum(point, sub(size, 1)), 0);
}

/** The first and the last of a range of pixels: int64 [n] each. */
export interface PixelRange {
  readonly first: Value;
  readonly last: Value;
}

/**
 * The map pixels that each RoI reads: between the first and the last are all that have a weight. A RoI without points on
 * the map still has some pixels, with weight 0.
 */
export function readPixels({ start, length, points, bins, size }: RoiBins): PixelRange {
  const lastPoint = typeof points === 'number' ? points - 1 : sub(maximum(points, 1), 1);
  const begin = pointAt(start, length, points, 0);
  const end = pointAt(add(start, mul(length, bins - 1)), length, points, lastPoint);
  const pixel = (point: Value) => floor(ontoMap(point, size));
  return {
    first: cast(pixel(minimum(begin, end)), 'int64'),
    last: cast(ontoMap(add(pixel(maximum(begin, end)), 1), size), 'int64'),
  };
}

/** The sampling point `index` of the bin that begins at `corner`. Same order of operations as the runtime's RoIAlign. */
function pointAt(corner: Value, length: Value, points: number | Value, index: Operand): Value {
  const middle = typeof index === 'number' ? index + 0.5 : add(index, 0.5);
  return add(corner, div(mul(length, middle), typeof points === 'number' ? points : maximum(points, 1)));
}

/**
 * How much each pixel counts in each bin: [n, bins, pixels]. A point counts 1 − its distance for the pixels on its two
 * sides. Beyond the border pixel's centre it reads the border pixel, and more than one pixel outside of the map nothing.
 *
 * @param pixels float32 [n, pixels] or [1, pixels]: their places on the axis. One off the map by two or more weighs 0.
 */
export function binWeights({ start, length, points, bins, size }: RoiBins, pixels: Value): Value {
  const column = (value: Value) => unsqueeze(unsqueeze(value, 1), 2);
  const extent = typeof size === 'number' ? size : column(size);
  const binIndex = constant(
    'float32',
    [1, bins, 1],
    Float32Array.from({ length: bins }, (_, i) => i),
  );
  const [own, count] = [column(length), typeof points === 'number' ? points : column(points)];
  const corner = add(column(start), mul(own, binIndex));
  const at = unsqueeze(pixels, 1);
  const shares = nearbyPoints(corner, own, count, at).map((index) => {
    const point = pointAt(corner, own, count, index);
    const onMap = and(greaterOrEqual(point, -1), lessOrEqual(point, extent));
    const counts = indicator(typeof count === 'number' ? onMap : and(onMap, less(index, count)));
    return mul(relu(sub(1, abs(sub(at, ontoMap(point, extent))))), counts);
  });
  return div(sumOf(shares), typeof count === 'number' ? count : maximum(count, 1));
}

/**
 * Which points of a bin may be less than a pixel away from `at`. With a fixed number of points each may. Adaptive
 * sampling has a single point or points more than half a pixel apart: less than four lie in the two pixels around `at`,
 * and one more is looked at on either side for rounding's sake.
 */
function nearbyPoints(corner: Value, length: Value, points: number | Value, at: Value): readonly Operand[] {
  if (typeof points === 'number') return Array.from({ length: points }, (_, index) => index);
  const spacing = maximum(div(length, maximum(points, 1)), 0.5);
  const before = floor(div(sub(sub(at, 1), pointAt(corner, length, points, 0)), spacing));
  const first = maximum(minimum(before, sub(points, 1)), 0);
  return [0, 1, 2, 3, 4].map((step) => (step ? add(first, step) : first));
}
