import { kernels, layOut, put, rowsOf } from './kernels/kernels.js';

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
 * `region` of the source `[height, sourceWidth, 3]` becomes `out` `[size.height, size.width, 3]`, left and right exchanged
 * if `mirrored`.
 */
export function resizeBytes(
  source: Uint8Array,
  sourceWidth: number,
  region: PixelRegion,
  size: { readonly width: number; readonly height: number },
  out: Uint8Array,
  mirrored = false,
): void {
  const columns = linearTaps(region.right - region.left, size.width);
  const rows = rowTaps(region.bottom - region.top, size.height);
  const columnWeights = fixedWeights(columns.share);
  if (mirrored)
    for (const row of [columns.first, columns.second, columnWeights.first, columnWeights.second]) row.reverse();
  const rowWeights = fixedWeights(rows.share);
  const { width, height } = size;
  const rowLength = width * 3;
  const pixels = rowsOf(source, sourceWidth, region);
  const table = width * 4;
  const scratch = layOut(pixels.length, table, table, table, table, table * 4, table * 4, rowLength * height);
  const [address, first, second, firstWeight, secondWeight, upper, lower, result] = scratch.at;
  put(scratch, first, columns.first.map(threefold));
  put(scratch, second, columns.second.map(threefold));
  put(scratch, firstWeight, columnWeights.first);
  put(scratch, secondWeight, columnWeights.second);
  const rowAt = pixels.open(scratch, address);
  const buffers = { upper, lower, upperRow: -1, lowerRow: -1 };
  const read = (row: number, into: number) => {
    kernels.mixColumnsBytes(rowAt(region.top + row), first, second, firstWeight, secondWeight, width, into);
  };
  for (let y = 0; y < height; y++) {
    fetchRows(buffers, rows.first[y], rows.second[y], read);
    const [above, below] = [rowWeights.first[y], rowWeights.second[y]];
    kernels.mixRowsBytes(buffers.upper, buffers.lower, above, below, width, result + y * rowLength);
  }
  out.set(scratch.bytes.subarray(result, result + rowLength * height));
}

/** Pixels as bytes. */
function threefold(pixel: number): number {
  return pixel * 3;
}
