import type { Batch } from '../data/batch.js';
import { BatchLoader } from '../data/batches.js';
import type { Dataset } from '../data/dataset.js';
import { CocoEvaluator, type CocoResult, truthOf } from '../evaluate/index.js';
import type { Tensor } from '../graph/index.js';
import type { TrainingSession } from './training-session.js';

/** Judges a model in training on a data set. Pictures are kept decoded by the loader's workers only as long as needed. */
export async function evaluateRun(
  session: TrainingSession,
  dataset: Dataset,
  size: number,
  batch: number,
  workers: number | undefined,
  signal?: AbortSignal,
): Promise<CocoResult> {
  const evaluator = new CocoEvaluator({ classes: dataset.classes });
  await using loader = new BatchLoader({
    dataset,
    batchSize: Math.min(batch, dataset.images.length),
    size: { width: size, height: size },
    shuffle: false,
    broken: 'replace',
    workers,
  });
  for await (const part of loader.epoch(0)) {
    signal?.throwIfAborted();
    const found = await session.detect(...inputsOf(part, size));
    const rows = rowsByPicture(found.pictures.data as BigInt64Array, part.count);
    for (let i = 0; i < part.count; i++) {
      evaluator.addPicture({
        id: part.pictures[i],
        truth: truthOf(dataset.images[part.pictures[i]]),
        detections: select(found, rows[i]),
      });
    }
    part.release();
  }
  return evaluator.result();
}

function inputsOf({ images, sourceSizes }: Batch, size: number): [images: Tensor, sizes: Tensor] {
  const count = sourceSizes.length / 2;
  // The graph wants height before width. A place without a picture gets a size too, since nothing may divide by zero.
  const sizes = Float32Array.from(sourceSizes, (_, i) => Math.max(1, sourceSizes[i ^ 1]));
  return [
    { dtype: 'uint8', shape: [count, size, size, 3], data: images },
    { dtype: 'float32', shape: [count, 2], data: sizes },
  ];
}

function rowsByPicture(pictures: BigInt64Array, count: number): number[][] {
  const rows: number[][] = Array.from({ length: count }, () => []);
  pictures.forEach((picture, row) => {
    rows[Number(picture)]?.push(row);
  });
  return rows;
}

function select(found: Readonly<Record<string, Tensor>>, rows: readonly number[]) {
  const boxes = found.boxes.data as Float32Array;
  const scores = found.scores.data as Float32Array;
  const labels = found.labels.data as BigInt64Array;
  return {
    boxes: rows.flatMap((row) => Array.from(boxes.subarray(4 * row, 4 * row + 4))),
    scores: rows.map((row) => scores[row]),
    labels: rows.map((row) => Number(labels[row])),
  };
}
