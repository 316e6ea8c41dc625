import type { DetectionTensors } from '../../src/predict/merge-detections.js';

/** picture, class, score, box */
export type Row = readonly [
  picture: number,
  label: number,
  score: number,
  box: readonly [number, number, number, number],
];

/** As a run of a model gives them. */
export function tensorsOf(rows: readonly Row[]): DetectionTensors {
  const shape = [rows.length];
  const indices = (column: 0 | 1) => BigInt64Array.from(rows, (row) => BigInt(row[column]));
  return {
    boxes: { dtype: 'float32', shape: [rows.length, 4], data: Float32Array.from(rows.flatMap(([, , , box]) => box)) },
    scores: { dtype: 'float32', shape, data: Float32Array.from(rows, ([, , score]) => score) },
    labels: { dtype: 'int64', shape, data: indices(1) },
    pictures: { dtype: 'int64', shape, data: indices(0) },
  };
}

export function rowsOf(found: DetectionTensors): Row[] {
  const [boxes, scores] = [found.boxes.data as Float32Array, found.scores.data as Float32Array];
  const index = (name: 'labels' | 'pictures', i: number) => Number((found[name].data as BigInt64Array)[i]);
  return Array.from(scores, (score, i): Row => {
    const [x1, y1, x2, y2] = boxes.subarray(4 * i, 4 * i + 4);
    return [index('pictures', i), index('labels', i), score, [x1, y1, x2, y2]];
  });
}
