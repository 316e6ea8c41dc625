import type { Batch } from '../data/batch.js';
import { BatchLoader } from '../data/batches.js';
import type { DataProblem, Dataset } from '../data/dataset.js';
import { CocoEvaluator, type CocoResult, type Detections, truthOf } from '../evaluate/index.js';
import type { Tensor } from '../graph/index.js';
import type { TrainingSession } from './training-session.js';

export interface EvaluateRunOptions {
  /** Side of the network's input in pixels. */
  readonly size: number;
  /** Pictures in one run of the model. */
  readonly batch: number;
  readonly workers?: number;
  /** Told of each picture that cannot be decoded; the figures are without it, since a long run should not end there. */
  readonly onProblem: (problem: DataProblem) => void;
}

/** COCO's figures of a model in training, with the truth, picture ids and order of `evaluateDetections`. */
export async function evaluateRun(
  session: TrainingSession,
  dataset: Dataset,
  { size, batch, workers, onProblem }: EvaluateRunOptions,
): Promise<CocoResult> {
  const evaluator = new CocoEvaluator({ classes: dataset.classes });
  const batchSize = Math.min(batch, dataset.images.length);
  await using loader = new BatchLoader({
    dataset,
    batchSize,
    size: { width: size, height: size },
    shuffle: false,
    broken: 'replace',
    workers,
    onProblem: (problem) => onProblem({ ...problem, action: 'dropped' }),
  });
  for await (const part of loader.epoch(0)) {
    const found = detectionsByPicture(await session.detect(...inputsOf(part, size)), part.count);
    for (const [i, detections] of found.entries()) {
      const image = dataset.images[part.pictures[i]];
      // A picture out of its place stands in for a broken one, and counts only in its own.
      const inPlace = part.pictures[i] === part.index * batchSize + i;
      if (inPlace) evaluator.addPicture({ id: image.id, truth: truthOf(image), detections });
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

/** The rows of a batch's detections for each of its first `count` pictures. */
function detectionsByPicture(found: Readonly<Record<string, Tensor>>, count: number): Detections[] {
  const boxes = found.boxes.data as Float32Array;
  const scores = found.scores.data as Float32Array;
  const labels = found.labels.data as BigInt64Array;
  const rows: number[][] = Array.from({ length: count }, () => []);
  (found.pictures.data as BigInt64Array).forEach((picture, row) => {
    rows[Number(picture)]?.push(row);
  });
  return rows.map((own) => ({
    boxes: own.flatMap((row) => Array.from(boxes.subarray(4 * row, 4 * row + 4))),
    scores: own.map((row) => scores[row]),
    labels: own.map((row) => Number(labels[row])),
  }));
}
