import { type Suppression, suppressNonMaximum } from '../boxes/nms.js';
import type { Tensor } from '../graph/tensor.js';

/** A run's outputs, named as in `Detections` of the models. */
export type DetectionTensors = Readonly<Record<string, Tensor>>;

/** How detections of one picture from several runs become one list. Plain data. */
export interface MergeRule {
  /** Within a class. */
  readonly suppression: Suppression;
  /** Best detections of a picture over all classes; all if left out. */
  readonly keep?: number;
}

/** Detections of one picture and class. */
interface ClassDetections {
  readonly picture: number;
  readonly label: number;
  readonly boxes: number[];
  readonly scores: number[];
}

/** One detection that stays. */
interface Row {
  readonly box: Float32Array;
  readonly score: number;
  readonly label: number;
  readonly picture: number;
}

/**
 * Detections of the same pictures from several runs as if they came from one: suppressed class by class, so that an
 * object that several runs found keeps the best score and its box, then limited. Picture by picture, by falling score.
 *
 * @throws BoxwrightError `data` if a score is NaN.
 */
export function mergeDetections(runs: readonly DetectionTensors[], { suppression, keep }: MergeRule): DetectionTensors {
  const byPicture = new Map<number, Row[]>();
  for (const found of byClass(runs)) {
    const rows = byPicture.get(found.picture) ?? [];
    byPicture.set(found.picture, rows);
    const boxes = Float32Array.from(found.boxes);
    for (const i of suppressNonMaximum(boxes, Float32Array.from(found.scores), suppression)) {
      const box = boxes.subarray(4 * i, 4 * i + 4);
      rows.push({ box, score: found.scores[i], label: found.label, picture: found.picture });
    }
  }
  const pictures = [...byPicture].sort(([a], [b]) => a - b).map(([, rows]) => rows);
  return tensorsOf(pictures.flatMap((rows) => rows.sort((a, b) => b.score - a.score).slice(0, keep)));
}

function byClass(runs: readonly DetectionTensors[]): Iterable<ClassDetections> {
  const groups = new Map<string, ClassDetections>();
  for (const { boxes, scores, labels, pictures } of runs) {
    for (let i = 0; i < scores.data.length; i++) {
      const [picture, label] = [Number(pictures.data[i]), Number(labels.data[i])];
      const key = `${picture} ${label}`;
      const group = groups.get(key) ?? { picture, label, boxes: [], scores: [] };
      groups.set(key, group);
      group.boxes.push(...(boxes.data as Float32Array).subarray(4 * i, 4 * i + 4));
      group.scores.push(scores.data[i] as number);
    }
  }
  return groups.values();
}

function tensorsOf(rows: readonly Row[]): DetectionTensors {
  const boxes = new Float32Array(4 * rows.length);
  rows.forEach(({ box }, i) => {
    boxes.set(box, 4 * i);
  });
  const shape = [rows.length];
  const indices = (of: (row: Row) => number) => BigInt64Array.from(rows, (row) => BigInt(of(row)));
  return {
    boxes: { dtype: 'float32', shape: [rows.length, 4], data: boxes },
    scores: { dtype: 'float32', shape, data: Float32Array.from(rows, ({ score }) => score) },
    labels: { dtype: 'int64', shape, data: indices(({ label }) => label) },
    pictures: { dtype: 'int64', shape, data: indices(({ picture }) => picture) },
  };
}
