import {
  add,
  and,
  cast,
  constant,
  div,
  floor,
  gather,
  greaterOrEqual,
  less,
  minimum,
  mul,
  reshape,
  round,
  shapeOf,
  slice,
  sub,
  type Value,
  where,
} from '../graph/index.js';

/** For each place of a resized axis: two source indices and their weights in 2048ths. */
interface Taps {
  readonly low: Value;
  readonly high: Value;
  readonly lowWeight: Value;
  readonly highWeight: Value;
}

/** Positions are computed in float64 and rounded to float32 once, as OpenCV does. `length` is an int64 vector of one. */
function taps(length: Value, to: number): Taps {
  const n = cast(length, 'float64');
  const centres = constant(
    'float64',
    [to],
    Float64Array.from({ length: to }, (_, i) => i + 0.5),
  );
  const at = cast(sub(mul(centres, div(n, to)), 0.5), 'float32');
  const index = floor(at);
  const last = cast(sub(length, 1), 'float32');
  const inside = and(greaterOrEqual(index, 0), less(index, last));
  const fraction = where(inside, sub(at, index), 0);
  const low = where(less(index, 0), 0, minimum(index, last));
  const weight = (part: Value) => cast(round(mul(part, 2048)), 'int32');
  return {
    low: cast(low, 'int64'),
    high: cast(minimum(add(low, 1), last), 'int64'),
    lowWeight: weight(sub(1, fraction)),
    highWeight: weight(fraction),
  };
}

/**
 * OpenCV's bilinear resize of bytes in fixed point, byte for byte what the data pipeline does: uint8 pixels
 * [batch, height, width, 3] of any size to [batch, size, size, 3].
 */
export function resizePictures(pixels: Value, size: number): Value {
  const dim = (axis: number) => slice(shapeOf(pixels), [axis], [axis + 1]);
  const [rows, columns] = [taps(dim(1), size), taps(dim(2), size)];
  const at = (x: Value, index: Value, axis: number) => cast(gather(x, index, axis), 'int32');
  const alongX = (weight: Value) => reshape(weight, [1, 1, size, 1]);
  const alongY = (weight: Value) => reshape(weight, [1, size, 1, 1]);
  const mixed = add(
    mul(at(pixels, columns.low, 2), alongX(columns.lowWeight)),
    mul(at(pixels, columns.high, 2), alongX(columns.highWeight)),
  );
  // Shifts to the right as divisions: all numbers are positive.
  const part = (index: Value, weight: Value) => div(mul(div(gather(mixed, index, 1), 16), alongY(weight)), 65536);
  const sum = add(part(rows.low, rows.lowWeight), part(rows.high, rows.highWeight));
  return cast(div(add(sum, 2), 4), 'uint8');
}
