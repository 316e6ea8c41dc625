// Boxes are in the unit of the batch here. Stretched pictures: normalised, x over the width of the picture as it is in the
// batch, y over its height, 0 to 1. Pictures that keep their ratio: pixels of the canvas, cut to the picture in it.
import { newArray, type Tensor, type TypedArray } from '../../graph/tensor.js';
import type { CanvasSize, Frame } from '../../models/canvas.js';

/** The arrays of a batch of B pictures, which travel between threads and are used again. */
export interface BatchArrays {
  /** [B, canvas height, canvas width, 3] RGB, zero where a picture does not reach. */
  readonly images: Uint8Array;
  /** [B, maxBoxes, 4] x1, y1, x2, y2 in 0..1 of a stretched picture, else in pixels of the canvas; zero where there is no box. */
  readonly boxes: Float32Array;
  /** [B, maxBoxes] class counted from 1; 0 where there is no box. */
  readonly labels: Int32Array;
  /**
   * [B, 4] the picture's height and width in pixels of the canvas, and pixels of the canvas per pixel of the source (y, x).
   * A place without a picture has 0, 0, 1, 1: no pixel, and scales that can be divided by.
   */
  readonly frames: Float32Array;
  /** [B, 2] width and height in pixels of the picture before augmentation and resize. */
  readonly sourceSizes: Int32Array;
  /** Targets by name, each [B, …]; empty without a `TargetSpec`. */
  readonly targets: Record<string, Tensor>;
}

/** A batch of pictures with their boxes. Places from `count` on are zero but for `frames`: shapes depend on the canvas alone. */
export interface Batch extends BatchArrays {
  readonly epoch: number;
  /** Number of the batch in its epoch, from 0. */
  readonly index: number;
  /** Size of its pictures: the canvas that they share. */
  readonly canvas: CanvasSize;
  /** Pictures in the batch; fewer than the batch size only in a canvas' last one of an epoch that keeps it. */
  readonly count: number;
  /** Index into the data set's images, of each of the `count` pictures. */
  readonly pictures: readonly number[];
  /** Whether each of the `count` pictures stands in for a broken one. */
  readonly replaced: readonly boolean[];
  /** Names of the `count` pictures. */
  readonly files: readonly string[];
  /** Milliseconds that the consumer waited for this batch. */
  readonly waitedMs: number;
  /**
   * Hands the arrays back to be filled again, which saves allocating them anew. They must not be read afterwards. Without
   * it they are the caller's for good. A caller that moved the buffers to another thread hands in the arrays that came
   * back.
   */
  release(returned?: BatchArrays): void;
}

/** What decides the arrays' sizes, besides the canvas. */
export interface BatchShape {
  readonly batchSize: number;
  readonly maxBoxes: number;
}

/** Zero-filled arrays; targets are added by the first picture, which knows their shapes. */
export function newBatchArrays({ batchSize, maxBoxes }: BatchShape, canvas: CanvasSize): BatchArrays {
  return {
    images: new Uint8Array(batchSize * canvas.height * canvas.width * 3),
    boxes: new Float32Array(batchSize * maxBoxes * 4),
    labels: new Int32Array(batchSize * maxBoxes),
    frames: new Float32Array(batchSize * 4),
    sourceSizes: new Int32Array(batchSize * 2),
    targets: {},
  };
}

/** One picture's row of `frames`. */
export function frameRow({ height, width, scaleY, scaleX }: Frame): number[] {
  return [height, width, scaleY, scaleX];
}

/** Puts one picture's targets at a place of the batch. */
export function stackTargets(
  arrays: BatchArrays,
  batchSize: number,
  slot: number,
  targets: Record<string, Tensor>,
): void {
  for (const [name, { dtype, shape, data }] of Object.entries(targets)) {
    arrays.targets[name] ??= { dtype, shape: [batchSize, ...shape], data: newArray(dtype, batchSize * data.length) };
    // Element types agree, since both come from the same encoder; the compiler cannot know which of the arrays it is.
    (arrays.targets[name].data as Float32Array).set(data as Float32Array, slot * data.length);
  }
}

/** Empties the places from `count` on, which may hold a former batch. */
export function clearFrom(arrays: BatchArrays, batchSize: number, count: number): void {
  for (const array of everyArray(arrays)) {
    const from = (array.length / batchSize) * count;
    if (array instanceof BigInt64Array) array.fill(0n, from);
    else array.fill(0, from);
  }
  for (let place = count; place < batchSize; place++) arrays.frames.set([0, 0, 1, 1], place * 4);
}

/** The memory to be transferred with the arrays. */
export function buffersOf(arrays: BatchArrays): ArrayBuffer[] {
  return everyArray(arrays).map(({ buffer }) => buffer as ArrayBuffer);
}

function everyArray({ images, boxes, labels, frames, sourceSizes, targets }: BatchArrays): TypedArray[] {
  return [images, boxes, labels, frames, sourceSizes, ...Object.values(targets).map(({ data }) => data)];
}
