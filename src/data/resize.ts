/** A rectangle of whole pixels; right and bottom are exclusive. */
export interface PixelRegion {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Bits of a weight in OpenCV's fixed-point bilinear resize. */
const WEIGHT_ONE = 2048;

/** For every place of the result along one axis: the source place before it, the next one, and the next one's share. */
export interface LinearTaps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  /** Share of `second`, 0 ≤ share < 1, float32. */
  readonly share: Float32Array;
}

/** Where OpenCV's bilinear resize reads along one axis: half-pixel centres, no antialiasing, edges clamped. */
export function linearTaps(sourceLength: number, length: number): LinearTaps {
  const taps = { first: new Int32Array(length), second: new Int32Array(length), share: new Float32Array(length) };
  const scale = sourceLength / length;
  for (let i = 0; i < length; i++) {
    const place = Math.fround((i + 0.5) * scale - 0.5);
    const before = Math.floor(place);
    const inside = before >= 0 && before < sourceLength - 1;
    const first = Math.min(Math.max(before, 0), sourceLength - 1);
    taps.first[i] = first;
    taps.second[i] = inside ? first + 1 : first;
    taps.share[i] = inside ? place - before : 0;
  }
  return taps;
}

/** Weights of 0 … 2048 for a share, each rounded half to even as OpenCV does. */
function fixedWeights(share: Float32Array): { first: Int32Array; second: Int32Array } {
  const first = Int32Array.from(share, (f) => roundHalfToEven(Math.fround(Math.fround(1 - f) * WEIGHT_ONE)));
  const second = Int32Array.from(share, (f) => roundHalfToEven(f * WEIGHT_ONE));
  return { first, second };
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

/** The picture's whole area. */
export function wholeRegion(picture: { readonly width: number; readonly height: number }): PixelRegion {
  return { left: 0, top: 0, right: picture.width, bottom: picture.height };
}

/**
 * Bilinear resize of interleaved RGB bytes in fixed point, equal to OpenCV's `resize` in every byte (`INTER_LINEAR`, 8 bits).
 * `region` of the source `[height, sourceWidth, 3]` becomes `out` `[size.height, size.width, 3]`.
 */
export function resizeBytes(
  source: Uint8Array,
  sourceWidth: number,
  region: PixelRegion,
  size: { readonly width: number; readonly height: number },
  out: Uint8Array,
): void {
  const columns = linearTaps(region.right - region.left, size.width);
  const rows = linearTaps(region.bottom - region.top, size.height);
  const columnWeights = fixedWeights(columns.share);
  const rowWeights = fixedWeights(rows.share);
  const rowLength = size.width * 3;
  // Neighbouring result rows share source rows, so the last two mixed along x are kept.
  let upper = new Int32Array(rowLength);
  let lower = new Int32Array(rowLength);
  let upperRow = -1;
  let lowerRow = -1;
  const mixRow = (row: number, mixed: Int32Array) => {
    const base = ((region.top + row) * sourceWidth + region.left) * 3;
    for (let x = 0, o = 0; x < size.width; x++, o += 3) {
      const a = base + columns.first[x] * 3;
      const b = base + columns.second[x] * 3;
      const wa = columnWeights.first[x];
      const wb = columnWeights.second[x];
      mixed[o] = (source[a] * wa + source[b] * wb) >> 4;
      mixed[o + 1] = (source[a + 1] * wa + source[b + 1] * wb) >> 4;
      mixed[o + 2] = (source[a + 2] * wa + source[b + 2] * wb) >> 4;
    }
  };
  for (let y = 0; y < size.height; y++) {
    const first = rows.first[y];
    const second = rows.second[y];
    if (upperRow !== first) {
      if (lowerRow === first) {
        [upper, lower] = [lower, upper];
        lowerRow = upperRow;
      } else {
        mixRow(first, upper);
      }
      upperRow = first;
    }
    if (lowerRow !== second) {
      mixRow(second, lower);
      lowerRow = second;
    }
    const wa = rowWeights.first[y];
    const wb = rowWeights.second[y];
    const o = y * rowLength;
    for (let i = 0; i < rowLength; i++) {
      out[o + i] = (((wa * upper[i]) >> 16) + ((wb * lower[i]) >> 16) + 2) >> 2;
    }
  }
}
