// Boxes are normalised here: x over the width of the picture as it is in the batch, y over its height, 0 to 1.
import type { Tensor } from '../graph/tensor.js';
import { newArray } from '../graph/tensor.js';

/** The arrays of a batch of B pictures, which travel between threads and are used again. */
export interface BatchArrays {
  /** [B, height, width, 3] RGB. */
  readonly images: Uint8Array;
  /** [B, maxBoxes, 4] x1, y1, x2, y2 in 0..1 of the picture as it is in `images`; zero where there is no box. */
  readonly boxes: Float32Array;
  /** [B, maxBoxes] class counted from 1; 0 where there is no box. */
  readonly labels: Int32Array;
  /** [B, 2] width and height in pixels of the picture before augmentation and resize. */
  readonly sourceSizes: Int32Array;
  /** Targets by name, each [B, …]; empty without a `TargetSpec`. */
  readonly targets: Record<string, Tensor>;
}

/** A batch of pictures with their boxes. Places from `count` on are zero: shapes never change. */
export interface Batch extends BatchArrays {
  readonly epoch: number;
  /** Number of the batch in its epoch, from 0. */
  readonly index: number;
  /** Pictures in the batch; fewer than the batch size only in the last one of an epoch that keeps it. */
  readonly count: number;
  /** Index into the data set's images, of each of the `count` pictures. */
  readonly pictures: readonly number[];
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

/** What decides the arrays' sizes. */
export interface BatchShape {
  readonly batchSize: number;
  readonly size: { readonly width: number; readonly height: number };
  readonly maxBoxes: number;
}

/** Zero-filled arrays; targets are added by the first picture, which knows their shapes. */
export function newBatchArrays({ batchSize, size, maxBoxes }: BatchShape): BatchArrays {
  return {
    images: new Uint8Array(batchSize * size.height * size.width * 3),
    boxes: new Float32Array(batchSize * maxBoxes * 4),
    labels: new Int32Array(batchSize * maxBoxes),
    sourceSizes: new Int32Array(batchSize * 2),
    targets: {},
  };
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

/** Zeroes the places from `count` on, which may hold a former batch. */
export function clearFrom(arrays: BatchArrays, batchSize: number, count: number): void {
  const { images, boxes, labels, sourceSizes, targets } = arrays;
  const all = [images, boxes, labels, sourceSizes, ...Object.values(targets).map(({ data }) => data as Uint8Array)];
  for (const array of all) array.fill(0 as never, (array.length / batchSize) * count);
}

/** The memory to be transferred with the arrays. */
export function buffersOf({ images, boxes, labels, sourceSizes, targets }: BatchArrays): ArrayBuffer[] {
  const arrays = [images, boxes, labels, sourceSizes, ...Object.values(targets).map(({ data }) => data)];
  return arrays.map(({ buffer }) => buffer as ArrayBuffer);
}
