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
  return tapsAt(sourceLength, length, false);
}

/**
 * The same for the rows of a picture of bytes. Beyond the outermost rows' centres OpenCV mixes such a row with itself, by
 * shares as anywhere else: the two parts are rounded down apart, so the sum may be one less than the row.
 */
function rowTaps(sourceLength: number, length: number): LinearTaps {
  return tapsAt(sourceLength, length, true);
}

function tapsAt(sourceLength: number, length: number, mixesEdges: boolean): LinearTaps {
  const taps = { first: new Int32Array(length), second: new Int32Array(length), share: new Float32Array(length) };
  const scale = sourceLength / length;
  const last = sourceLength - 1;
  for (let i = 0; i < length; i++) {
    const place = Math.fround((i + 0.5) * scale - 0.5);
    const before = Math.floor(place);
    const inside = before >= 0 && before < last;
    const first = Math.min(Math.max(before, 0), last);
    taps.first[i] = first;
    taps.second[i] = inside ? first + 1 : first;
    taps.share[i] = inside || mixesEdges ? place - before : 0;
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

/** A line of interleaved RGB values that a resize reads from, and the row it holds; the last two rows are kept. */
export interface RowBuffers<T> {
  upper: T;
  lower: T;
  upperRow: number;
  lowerRow: number;
}

/** Brings rows `first` and `second` into `upper` and `lower`, reading only what is not there: neighbours share rows. */
export function fetchRows<T>(
  buffers: RowBuffers<T>,
  first: number,
  second: number,
  read: (row: number, into: T) => void,
): void {
  if (buffers.upperRow !== first) {
    const { upper, upperRow } = buffers;
    buffers.upper = buffers.lower;
    buffers.upperRow = buffers.lowerRow;
    buffers.lower = upper;
    buffers.lowerRow = upperRow;
    if (buffers.upperRow !== first) read(first, buffers.upper);
    buffers.upperRow = first;
  }
  if (buffers.lowerRow === second) return;
  read(second, buffers.lower);
  buffers.lowerRow = second;
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
  const rows = rowTaps(region.bottom - region.top, size.height);
  const columnWeights = fixedWeights(columns.share);
  const rowWeights = fixedWeights(rows.share);
  const rowLength = size.width * 3;
  const buffers = { upper: new Int32Array(rowLength), lower: new Int32Array(rowLength), upperRow: -1, lowerRow: -1 };
  const read = (row: number, into: Int32Array) => {
    const start = ((region.top + row) * sourceWidth + region.left) * 3;
    mixColumns(source, start, columns.first, columns.second, columnWeights.first, columnWeights.second, into);
  };
  for (let y = 0; y < size.height; y++) {
    fetchRows(buffers, rows.first[y], rows.second[y], read);
    mixRows(buffers.upper, buffers.lower, rowWeights.first[y], rowWeights.second[y], out, y * rowLength);
  }
}

/** Mixes neighbouring pixels of one row into values of 11 + 8 - 4 bits. */
function mixColumns(
  source: Uint8Array,
  start: number,
  first: Int32Array,
  second: Int32Array,
  firstWeight: Int32Array,
  secondWeight: Int32Array,
  mixed: Int32Array,
): void {
  for (let x = 0, o = 0; x < first.length; x++, o += 3) {
    const a = start + first[x] * 3;
    const b = start + second[x] * 3;
    const wa = firstWeight[x];
    const wb = secondWeight[x];
    mixed[o] = (Math.imul(source[a], wa) + Math.imul(source[b], wb)) >> 4;
    mixed[o + 1] = (Math.imul(source[a + 1], wa) + Math.imul(source[b + 1], wb)) >> 4;
    mixed[o + 2] = (Math.imul(source[a + 2], wa) + Math.imul(source[b + 2], wb)) >> 4;
  }
}

function mixRows(upper: Int32Array, lower: Int32Array, wa: number, wb: number, out: Uint8Array, start: number): void {
  for (let i = 0; i < upper.length; i++) {
    out[start + i] = ((Math.imul(wa, upper[i]) >> 16) + (Math.imul(wb, lower[i]) >> 16) + 2) >> 2;
  }
}
