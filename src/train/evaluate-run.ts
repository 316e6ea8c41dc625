import { BatchLoader } from '../data/batches/batches.js';
import type { DataProblem, Dataset } from '../data/dataset.js';
import { CocoEvaluator, type Detections, truthOf } from '../evaluate/index.js';
import type { Tensor } from '../graph/index.js';
import type { ResizeRule } from '../models/canvas.js';
import { batchFeeds } from './feeds.js';
import type { TrainingSession } from './training-session.js';

/** How a model in training is evaluated. */
export interface EvaluateRunOptions {
  /** How the model's pictures come to size. */
  readonly resize: ResizeRule;
  /** Pictures in one run of the model. */
  readonly batch: number;
  readonly workers?: number;
  /** Told of each picture that cannot be decoded; the figures are without it, since a long run should not end there. */
  readonly onProblem: (problem: DataProblem) => void;
  readonly signal?: AbortSignal;
}

/**
 * What COCO's figures are made of, for a model in training, with the truth and picture ids of `evaluateDetections`.
 *
 * @returns undefined if the signal stopped it, which takes as long as the batch under way.
 */
export async function evaluateRun(
  session: Pick<TrainingSession, 'detect'>,
  dataset: Dataset,
  { resize, batch, workers, onProblem, signal }: EvaluateRunOptions,
): Promise<CocoEvaluator | undefined> {
  const evaluator = new CocoEvaluator({ classes: dataset.classes });
  const batchSize = Math.min(batch, dataset.images.length);
  await using loader = new BatchLoader({
    dataset,
    batchSize,
    resize,
    shuffle: false,
    broken: 'replace',
    workers,
    onProblem: (problem) => onProblem({ ...problem, action: 'dropped' }),
  });
  for await (const part of loader.epoch(0)) {
    if (signal?.aborted) return undefined;
    const found = detectionsByPicture(await session.detect(batchFeeds(part)), part.count);
    for (const [i, detections] of found.entries()) {
      const image = dataset.images[part.pictures[i]];
      // A picture that stands in for a broken one counts only in its own place.
      if (!part.replaced[i]) evaluator.addPicture({ id: image.id, truth: truthOf(image), detections });
    }
    part.release();
  }
  return signal?.aborted ? undefined : evaluator;
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
