import { freshDim } from '../graph/dims.js';
import {
  add,
  and,
  cast,
  concat,
  dimOf,
  div,
  floor,
  gather,
  greater,
  greaterOrEqual,
  less,
  maximum,
  minimum,
  mul,
  range,
  rangeTo,
  reshape,
  round,
  sub,
  type Value,
  where,
} from '../graph/index.js';
import type { KeepRatioRule } from './canvas.js';

/** For each place of a resized axis: two source indices and their weights in 2048ths. */
interface Taps {
  readonly low: Value;
  readonly high: Value;
  readonly lowWeight: Value;
  readonly highWeight: Value;
}

/**
 * Where each place of a resized axis lies in the source, float32 [n]. OpenCV computes in float64 and rounds once. For a
 * size that is known, one float32 division of whole numbers rounds to the same, as long as they are below 2^24 (sources
 * of up to 2^23 / `to` pixels), and runs where there is no float64: ONNX Runtime has none for WebGPU in browsers.
 */
function positions(length: Value, to: Value | number, places: Value): Value {
  if (typeof to === 'number') return div(cast(sub(mul(add(mul(places, 2), 1), length), to), 'float32'), 2 * to);
  const centres = add(cast(places, 'float64'), 0.5);
  return cast(sub(mul(centres, div(cast(length, 'float64'), to)), 0.5), 'float32');
}

/**
 * Where each place of a resized axis reads, and how much of it.
 *
 * @param length int64 [1] pixels of the source
 * @param to float64 [1] or [] pixels of the result
 * @param places int64 [n] 0, 1, …; those from `to` on are padding, which has no weight
 * @param mixesEdges whether beyond the outermost centres a source line is mixed with itself, as rows are (see `rowTaps`)
 */
function taps(length: Value, to: Value | number, places: Value, mixesEdges: boolean): Taps {
  const at = positions(length, to, places);
  const index = floor(at);
  const last = cast(sub(length, 1), 'float32');
  const inside = and(greaterOrEqual(index, 0), less(index, last));
  const fraction = mixesEdges ? sub(at, index) : where(inside, sub(at, index), 0);
  const low = where(less(index, 0), 0, minimum(index, last));
  const covered = typeof to === 'number' ? undefined : less(cast(places, 'float64'), to);
  const weight = (part: Value) => {
    const rounded = cast(round(mul(part, 2048)), 'int32');
    return covered ? where(covered, rounded, 0) : rounded;
  };
  return {
    low: cast(low, 'int64'),
    high: cast(where(inside, add(low, 1), low), 'int64'),
    lowWeight: weight(sub(1, fraction)),
    highWeight: weight(fraction),
  };
}

/** Bilinear mixing of bytes [batch, height, width, 3] in OpenCV's fixed point. */
function resample(pixels: Value, rows: Taps, columns: Taps): Value {
  const at = (x: Value, index: Value, axis: number) => cast(gather(x, index, axis), 'int32');
  const alongX = (weight: Value) => reshape(weight, [1, 1, weight.shape[0], 1]);
  const alongY = (weight: Value) => reshape(weight, [1, weight.shape[0], 1, 1]);
  const mixed = add(
    mul(at(pixels, columns.low, 2), alongX(columns.lowWeight)),
    mul(at(pixels, columns.high, 2), alongX(columns.highWeight)),
  );
  // Shifts to the right as divisions: all numbers are positive.
  const part = (index: Value, weight: Value) => div(mul(div(gather(mixed, index, 1), 16), alongY(weight)), 65536);
  const sum = add(part(rows.low, rows.lowWeight), part(rows.high, rows.highWeight));
  return cast(div(add(sum, 2), 4), 'uint8');
}

/**
 * OpenCV's bilinear resize of bytes in fixed point, byte for byte what the data pipeline does: uint8 pixels
 * [batch, height, width, 3] of any size to [batch, size, size, 3].
 */
export function resizePictures(pixels: Value, size: number): Value {
  const along = (axis: number) => taps(dimOf(pixels, axis), size, range(size), axis === 1);
  return resample(pixels, along(1), along(2));
}

/** Pictures on canvases, and where they lie there. */
export interface FittedPictures {
  /** uint8 [batch, canvas height, canvas width, 3], zero right of the pictures and below */
  readonly pixels: Value;
  /** float32 [1, 4], of all pictures: height and width in pixels of the canvas, pixels of it per source pixel (y, x) */
  readonly frames: Value;
}

/** Height and width of something, float64 [1] each. */
interface Sides {
  readonly height: Value;
  readonly width: Value;
}

/**
 * Pictures brought to their tightest canvas with their ratio kept, byte for byte what the data pipeline does (see
 * `fitted`): uint8 pixels [batch, height, width, 3] of any size.
 */
export function fitPictures(pixels: Value, rule: KeepRatioRule): FittedPictures {
  const source = { height: cast(dimOf(pixels, 1), 'float64'), width: cast(dimOf(pixels, 2), 'float64') };
  const { long, short, fixed } = rule;
  const scale = minimum(
    div(long, maximum(source.height, source.width)),
    div(short, minimum(source.height, source.width)),
  );
  const first = scaledSides(source, scale);
  if (!fixed) {
    const [sy, sx] = [div(first.height, source.height), div(first.width, source.width)];
    return { pixels: place(pixels, first, rule), frames: frameRow(first, sy, sx) };
  }
  const shrink = div(fixed.height, maximum(first.height, first.width));
  const again = where(greater(first.height, fixed.height), shrink, 1);
  const last = scaledSides(first, again);
  const product = mul(scale, again);
  // Where one resize was enough, the second is to the same size, which changes no byte.
  const once = place(pixels, first, { ...rule, multiple: 1, fixed: undefined });
  return { pixels: place(once, last, rule), frames: frameRow(last, product, product) };
}

function scaledSides({ height, width }: Sides, scale: Value): Sides {
  const side = (length: Value) => maximum(floor(add(mul(length, scale), 0.5)), 1);
  return { height: side(height), width: side(width) };
}

/** Pixels resized to the given sides in the corner of the canvas that the rule pads them to. */
function place(pixels: Value, to: Sides, { multiple, fixed }: KeepRatioRule): Value {
  const along = (axis: number, side: Value, length: number | undefined, name: string) =>
    taps(
      dimOf(pixels, axis),
      side,
      length === undefined ? paddedRange(side, multiple, name) : range(length),
      axis === 1,
    );
  return resample(
    pixels,
    along(1, to.height, fixed?.height, 'canvas_height'),
    along(2, to.width, fixed?.width, 'canvas_width'),
  );
}

/** 0, 1, … of a side rounded up to a multiple. */
function paddedRange(side: Value, multiple: number, name: string): Value {
  const units = div(add(cast(side, 'int64'), multiple - 1), multiple);
  return rangeTo(mul(units, multiple), freshDim(name));
}

function frameRow({ height, width }: Sides, scaleY: Value, scaleX: Value): Value {
  return reshape(cast(concat([height, width, scaleY, scaleX], 0), 'float32'), [1, 4]);
}
