import { add, concat, div, exp, log, maximum, minimum, mul, split, sub, type Value } from '../graph/index.js';
import { type BoxCoder, deltaPlaces } from './coder.js';

/** Boxes [..., 4] as their four columns [..., 1]. */
export function columns(boxes: Value): readonly [Value, Value, Value, Value] {
  const [a, b, c, d] = split(boxes, [1, 1, 1, 1], boxes.rank - 1);
  return [a, b, c, d];
}

/** Four columns [..., 1] as boxes [..., 4]. */
function fromColumns(parts: readonly Value[]): Value {
  return concat(parts, parts[0].rank - 1);
}

/** Graph form of `toCentres`: corners [..., 4] to cx, cy, w, h. */
export function cornersToCentres(corners: Value, plusOne = false): Value {
  const [x1, y1, x2, y2] = columns(corners);
  const extra = (side: Value) => (plusOne ? add(side, 1) : side);
  const centre = (low: Value, high: Value) => mul(add(low, high), 0.5);
  return fromColumns([centre(x1, x2), centre(y1, y2), extra(sub(x2, x1)), extra(sub(y2, y1))]);
}

/** Corners [..., 4] of boxes in centre form. With `plusOne` x2 and y2 are the last pixels inside. */
export function centresToCorners(centres: Value, plusOne = false): Value {
  const [cx, cy, w, h] = columns(centres);
  const half = (side: Value) => mul(plusOne ? sub(side, 1) : side, 0.5);
  return fromColumns([sub(cx, half(w)), sub(cy, half(h)), add(cx, half(w)), add(cy, half(h))]);
}

/** Graph form of `encodeBoxes`: boxes [..., 4] (corners) against references in centre form, which broadcast. */
export function encodeBoxesGraph(boxes: Value, references: Value, coder: BoxCoder): Value {
  const [cx, cy, w, h] = columns(cornersToCentres(boxes, coder.plusOne));
  const [ax, ay, aw, ah] = columns(references);
  const [sx, sy, sw, sh] = coder.stds;
  const ratio = (side: Value, own: Value): Value => {
    const quotient = div(side, own);
    const shifted = coder.ratioOffset ? add(quotient, coder.ratioOffset) : quotient;
    return coder.minRatio ? maximum(shifted, coder.minRatio) : shifted;
  };
  const deltas = [
    div(div(sub(cx, ax), aw), sx),
    div(div(sub(cy, ay), ah), sy),
    div(log(ratio(w, aw)), sw),
    div(log(ratio(h, ah)), sh),
  ];
  return fromColumns(ordered(deltas, coder));
}

/** Graph form of `decodeBoxes`, in centre form: deltas [..., 4] on references in centre form, which broadcast. */
export function decodeCentres(deltas: Value, references: Value, coder: BoxCoder): Value {
  const parts = columns(deltas);
  const [dx, dy, dw, dh] = deltaPlaces[coder.order].map((place) => parts[place]);
  const [ax, ay, aw, ah] = columns(references);
  const [sx, sy, sw, sh] = coder.stds;
  const scaled = (delta: Value, std: number): Value => {
    const logRatio = mul(delta, std);
    const limit = coder.maxLogRatio;
    return exp(limit === undefined ? logRatio : minimum(maximum(logRatio, -limit), limit));
  };
  return fromColumns([
    add(ax, mul(mul(dx, sx), aw)),
    add(ay, mul(mul(dy, sy), ah)),
    mul(aw, scaled(dw, sw)),
    mul(ah, scaled(dh, sh)),
  ]);
}

/** dx, dy, dw, dh in the coder's order. */
function ordered(deltas: readonly Value[], coder: BoxCoder): Value[] {
  return deltaPlaces[coder.order].map((_, i) => deltas[deltaPlaces[coder.order].indexOf(i as 0 | 1 | 2 | 3)]);
}
