import type { Picture } from '../decode.js';
import { fetchRows, linearTaps, type PixelRegion } from '../resize.js';
import { type Photometric, prepareDistortion } from './photometric.js';

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
  /** Offsets into a compact row of three values a pixel, whose pixel 0 is the fill. */
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly share: Float32Array;
}

/**
 * Distorts, expands, crops, mirrors and resizes in one pass: only pixels that the resize reads are distorted, and the canvas
 * is never made. Equal to doing the steps one after the other in float32 with OpenCV's bilinear resize. RGB values go to
 * `out` `[size.height, size.width, 3]`; a `Uint8ClampedArray` rounds and clips them.
 */
export function renderPlaced(
  picture: Picture,
  placement: Placement,
  size: { readonly width: number; readonly height: number },
  out: Float32Array | Uint8ClampedArray,
): void {
  const { crop, fill } = placement;
  const plan = planColumns(picture, placement, size.width);
  const rows = linearTaps(crop.bottom - crop.top, size.height);
  const rowLength = size.width * 3;
  const compact = new Float32Array((plan.columns.length + 1) * 3);
  compact.set(fill);
  const distortPixels = prepareDistortion(placement.photometric);
  const readRow = (row: number, mixed: Float32Array) => {
    const y = crop.top + row - placement.top;
    if (y < 0 || y >= picture.height) {
      for (let i = 0; i < rowLength; i++) mixed[i] = fill[i % 3];
      return;
    }
    distortPixels(picture.data, y * picture.width * 3, plan.columns, compact, 3);
    mixColumns(compact, plan, mixed);
  };
  const buffers = {
    upper: new Float32Array(rowLength),
    lower: new Float32Array(rowLength),
    upperRow: -1,
    lowerRow: -1,
  };
  for (let y = 0; y < size.height; y++) {
    fetchRows(buffers, rows.first[y], rows.second[y], readRow);
    mixRows(buffers.upper, buffers.lower, rows.share[y], out, y * rowLength);
  }
}

function planColumns(picture: Picture, { crop, left, flip }: Placement, width: number): ColumnPlan {
  const cropWidth = crop.right - crop.left;
  const taps = linearTaps(cropWidth, width);
  const columns: number[] = [];
  const slots = new Map<number, number>();
  const slotOf = (tap: number) => {
    const column = crop.left + (flip ? cropWidth - 1 - tap : tap) - left;
    if (column < 0 || column >= picture.width) return 0;
    let slot = slots.get(column);
    if (slot === undefined) {
      columns.push(column);
      slot = columns.length * 3;
      slots.set(column, slot);
    }
    return slot;
  };
  const first = taps.first.map(slotOf);
  const second = taps.second.map(slotOf);
  return { columns: Int32Array.from(columns), first, second, share: taps.share };
}

function mixColumns(compact: Float32Array, { first, second, share }: ColumnPlan, mixed: Float32Array): void {
  for (let x = 0, o = 0; x < share.length; x++, o += 3) {
    const a = first[x];
    const b = second[x];
    const f = share[x];
    const g = 1 - f;
    mixed[o] = compact[a] * g + compact[b] * f;
    mixed[o + 1] = compact[a + 1] * g + compact[b + 1] * f;
    mixed[o + 2] = compact[a + 2] * g + compact[b + 2] * f;
  }
}

function mixRows(
  upper: Float32Array,
  lower: Float32Array,
  share: number,
  out: Float32Array | Uint8ClampedArray,
  start: number,
): void {
  const rest = 1 - share;
  for (let i = 0; i < upper.length; i++) out[start + i] = upper[i] * rest + lower[i] * share;
}
