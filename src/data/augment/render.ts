import { kernels, layOut, put, rowsOf } from '../kernels/kernels.js';
import type { Picture } from '../picture.js';
import { fetchRows, linearTaps, type PixelRegion } from '../resize.js';
import type { Photometric } from './photometric.js';

/** A picture on a canvas, a crop of the canvas, and what happens on the way. */
export interface Placement {
  readonly photometric: Photometric;
  /** Where the picture's corner lies on the canvas, in pixels. */
  readonly left: number;
  readonly top: number;
  /** RGB of the canvas around the picture. */
  readonly fill: readonly [number, number, number];
  /** The crop, in pixels of the canvas. */
  readonly crop: PixelRegion;
  readonly flip: boolean;
}

/** Columns of the picture that a resized row reads, each once, and for every place of the row where its two lie. */
interface ColumnPlan {
  /** Columns of the picture. */
  readonly columns: Int32Array;
  /** Offsets in bytes into a compact row of four floats a pixel, whose pixel 0 is the fill. */
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly share: Float32Array;
}

/** Bytes of four floats. */
const PIXEL = 16;

/**
 * Distorts, expands, crops, mirrors and resizes in one pass: only pixels that the resize reads are distorted, and the canvas
 * is never made. Equal to doing the steps one after the other in float32 with OpenCV's bilinear resize. RGB values go to
 * `out` `[size.height, size.width, 3]`; a `Uint8ClampedArray` gets them rounded and clipped.
 */
export function renderPlaced(
  picture: Picture,
  placement: Placement,
  size: { readonly width: number; readonly height: number },
  out: Float32Array | Uint8ClampedArray,
): void {
  const { crop, fill } = placement;
  const { columns, first, second, share } = planColumns(picture, placement, size.width);
  const rows = linearTaps(crop.bottom - crop.top, size.height);
  const count = columns.length;
  // The kernel takes four at a time: the last ones are repeated.
  const padded = Int32Array.from({ length: (count + 3) & ~3 }, (_, i) => columns[Math.min(i, count - 1)]);
  const [left, right] = bounds(columns);
  const table = size.width * 4;
  const isFloat = out instanceof Float32Array;
  const rowBytes = size.width * 3 * (isFloat ? 4 : 1);
  const top = Math.min(Math.max(crop.top - placement.top, 0), picture.height);
  const bottom = Math.max(Math.min(crop.bottom - placement.top, picture.height), top);
  const pixels = rowsOf(picture.data, picture.width, { left, top, right, bottom });
  const scratch = layOut(
    ...[pixels.length, padded.length * 4, table, table, table],
    ...[(padded.length + 1) * PIXEL, size.width * PIXEL, size.width * PIXEL, rowBytes * size.height],
  );
  const [address, offsets, firsts, seconds, shares, compact, upper, lower, result] = scratch.at;
  put(
    scratch,
    offsets,
    padded.map((column) => (column - left) * 3),
  );
  put(scratch, firsts, first);
  put(scratch, seconds, second);
  put(scratch, shares, share);
  put(scratch, compact, Float32Array.of(...fill, 0));
  const rowAt = pixels.open(scratch, address);
  const empty = rowOf(fill, size.width);
  const distort = distortion(placement.photometric);
  const readRow = (row: number, into: number) => {
    const y = crop.top + row - placement.top;
    if (y < 0 || y >= picture.height || count === 0) {
      put(scratch, into, empty);
      return;
    }
    distort(rowAt(y), offsets, padded.length, compact + PIXEL);
    kernels.mixColumnsFloats(compact, firsts, seconds, shares, size.width, into);
  };
  const buffers = { upper, lower, upperRow: -1, lowerRow: -1 };
  const mixRows = isFloat ? kernels.mixRowsToFloats : kernels.mixRowsFloats;
  for (let y = 0; y < size.height; y++) {
    fetchRows(buffers, rows.first[y], rows.second[y], readRow);
    mixRows(buffers.upper, buffers.lower, rows.share[y], size.width, result + y * rowBytes);
  }
  const target = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
  target.set(scratch.bytes.subarray(result, result + rowBytes * size.height));
}

/** The kernel with everything that a picture's distortion decides. */
function distortion({ brightness, contrast, contrastFirst, saturation, hue, channels }: Photometric) {
  const before = contrastFirst ? contrast : 1;
  const after = contrastFirst ? 1 : contrast;
  // The way to HSV and back changes nothing but pixels whose largest channel is negative.
  const shifts = saturation !== 1 || hue !== 0 || brightness * before < 0;
  const order = channels[0] | (channels[1] << 2) | (channels[2] << 4);
  return (source: number, columns: number, count: number, out: number) =>
    kernels.distort(
      ...([source, columns, count, brightness, before, after, saturation, hue] as const),
      ...([shifts ? 1 : 0, order, out] as const),
    );
}

/** The first column and the one behind the last. */
function bounds(columns: Int32Array): readonly [number, number] {
  if (columns.length === 0) return [0, 0];
  let [least, most] = [columns[0], columns[0]];
  for (const column of columns) {
    if (column < least) least = column;
    if (column > most) most = column;
  }
  return [least, most + 1];
}

/** A row of one colour, four floats a pixel. */
function rowOf(fill: Placement['fill'], width: number): Float32Array {
  return Float32Array.from({ length: width * 4 }, (_, i) => (i % 4 === 3 ? 0 : fill[i % 4]));
}

function planColumns(picture: Picture, { crop, left, flip }: Placement, width: number): ColumnPlan {
  const cropWidth = crop.right - crop.left;
  const taps = linearTaps(cropWidth, width);
  const columns: number[] = [];
  const slots = new Int32Array(picture.width);
  const slotOf = (tap: number) => {
    const column = crop.left + (flip ? cropWidth - 1 - tap : tap) - left;
    if (column < 0 || column >= picture.width) return 0;
    if (slots[column] === 0) slots[column] = columns.push(column) * PIXEL;
    return slots[column];
  };
  const first = taps.first.map(slotOf);
  const second = taps.second.map(slotOf);
  return { columns: Int32Array.from(columns), first, second, share: taps.share };
}
