import type { Tensor } from '../graph/tensor.js';
import type { Detection } from './formats/picture-detections.js';

/**
 * The model's outputs as lists, one a picture.
 *
 * @param outputs float32 boxes [n, 4] and scores [n], int64 labels [n] and pictures [n], the index in the batch
 * @param lowest score to keep of each class
 */
export function detectionsOf(
  outputs: Readonly<Record<string, Tensor>>,
  classes: readonly string[],
  pictures: number,
  lowest: readonly number[],
): Detection[][] {
  const boxes = outputs.boxes.data as Float32Array;
  const scores = outputs.scores.data as Float32Array;
  const labels = outputs.labels.data as BigInt64Array;
  const owners = outputs.pictures.data as BigInt64Array;
  const found = Array.from({ length: pictures }, (): Detection[] => []);
  for (let i = 0; i < scores.length; i++) {
    const [x1, y1, x2, y2] = boxes.subarray(4 * i, 4 * i + 4);
    const labelIndex = Number(labels[i]);
    if (scores[i] < lowest[labelIndex]) continue;
    found[Number(owners[i])].push({ box: [x1, y1, x2, y2], label: classes[labelIndex], labelIndex, score: scores[i] });
  }
  return found;
}
