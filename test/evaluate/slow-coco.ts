// COCO's metric once more, as its definition reads: objects, loops and filters, no thought of speed.

import type { CocoSettings } from '../../src/evaluate/coco/coco-settings.js';
import { cocoRecallPoints } from '../../src/evaluate/coco/coco-settings.js';
import type { EvaluatedPicture } from '../../src/evaluate/index.js';

interface Box {
  readonly box: readonly number[];
  readonly label: number;
}

interface SlowTruth extends Box {
  readonly crowd: boolean;
  readonly area: number;
  /** Index among all truths of all pictures, as these are given. */
  readonly index: number;
}

interface SlowDetection extends Box {
  readonly score: number;
  readonly index: number;
}

/** Truths and detections of one picture and class, detections by falling score, as many as count. */
export interface SlowGroup {
  readonly truths: readonly SlowTruth[];
  readonly detections: readonly SlowDetection[];
}

export interface SlowOutcome {
  readonly detection: SlowDetection;
  readonly truth: SlowTruth | undefined;
  readonly ignored: boolean;
}

/** [x, y, width, height] */
export function slowOverlap([ax, ay, aw, ah]: readonly number[], [bx, by, bw, bh]: readonly number[], crowd: boolean) {
  const width = Math.min(ax + aw, bx + bw) - Math.max(ax, bx);
  const height = Math.min(ay + ah, by + bh) - Math.max(ay, by);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  return both / (crowd ? aw * ah : aw * ah + bw * bh - both);
}

/** Groups of class k, or of all classes, by rising picture id. */
export function slowGroups(pictures: readonly EvaluatedPicture[], k: number | 'all', most: number): SlowGroup[] {
  let truths = 0;
  let detections = 0;
  const indexed = pictures.map((picture) => {
    const { truth, detections: found = { boxes: [], labels: [], scores: [] } } = picture;
    const own = { id: picture.id as number, truths: [] as SlowTruth[], detections: [] as SlowDetection[] };
    for (let i = 0; i < truth.labels.length; i++) {
      const box = [0, 1, 2, 3].map((c) => truth.boxes[4 * i + c]);
      const area = truth.area ? truth.area[i] : box[2] * box[3];
      own.truths.push({ box, label: truth.labels[i], crowd: truth.crowd?.[i] === 1, area, index: truths++ });
    }
    for (let i = 0; i < found.labels.length; i++) {
      const box = [0, 1, 2, 3].map((c) => found.boxes[4 * i + c]);
      own.detections.push({ box, label: found.labels[i], score: found.scores[i], index: detections++ });
    }
    return own;
  });
  return indexed
    .toSorted((a, b) => a.id - b.id)
    .map((own) => ({
      truths: own.truths.filter(({ label }) => k === 'all' || label === k).toSorted((a, b) => a.label - b.label),
      detections: own.detections
        .filter(({ label }) => k === 'all' || label === k)
        .toSorted((a, b) => a.label - b.label)
        .toSorted((a, b) => b.score - a.score)
        .slice(0, most),
    }));
}

/** One group at one threshold in one area range. */
export function slowMatch(
  { truths, detections }: SlowGroup,
  threshold: number,
  from: number,
  to: number,
): SlowOutcome[] {
  const outside = (area: number) => area < from || area > to;
  const ignored = (truth: SlowTruth) => truth.crowd || outside(truth.area);
  const taken = new Set<SlowTruth>();
  return detections.map((detection) => {
    const best = (candidates: SlowTruth[]) => {
      let truth: SlowTruth | undefined;
      let most = Math.min(threshold, 1 - 1e-10);
      for (const candidate of candidates) {
        const overlap = slowOverlap(detection.box, candidate.box, candidate.crowd);
        if (overlap >= most) [truth, most] = [candidate, overlap];
      }
      return truth;
    };
    const free = truths.filter((truth) => truth.crowd || !taken.has(truth));
    const truth = best(free.filter((candidate) => !ignored(candidate))) ?? best(free.filter(ignored));
    if (truth) taken.add(truth);
    const area = detection.box[2] * detection.box[3];
    return { detection, truth, ignored: truth ? ignored(truth) : outside(area) };
  });
}

/** Precision, scores [T, R, K, A, M] and recall [T, K, A, M], as `CocoTables` has them. */
export function slowTables(pictures: readonly EvaluatedPicture[], settings: CocoSettings) {
  const { iouThresholds, areas, maxDetections, agnostic, classes } = settings;
  const labels = agnostic ? (['all'] as const) : [...classes.keys()];
  const precision: number[] = [];
  const scores: number[] = [];
  const recall: number[] = [];
  for (const threshold of iouThresholds) {
    const cells = labels.flatMap((k) =>
      areas.flatMap((area) => maxDetections.map((most) => slowCell(pictures, k, threshold, area, most))),
    );
    cocoRecallPoints.forEach((_, r) => {
      precision.push(...cells.map((cell) => cell.precision[r]));
      scores.push(...cells.map((cell) => cell.scores[r]));
    });
    recall.push(...cells.map((cell) => cell.recall));
  }
  return { precision, scores, recall };
}

function slowCell(
  pictures: readonly EvaluatedPicture[],
  k: number | 'all',
  threshold: number,
  { from, to }: { from: number; to: number },
  most: number,
) {
  const groups = slowGroups(pictures, k, most);
  const counted = groups
    .flatMap(({ truths }) => truths)
    .filter(({ crowd, area }) => !crowd && area >= from && area <= to);
  const none = Array.from(cocoRecallPoints, () => -1);
  if (counted.length === 0) return { precision: none, scores: none, recall: -1 };
  const outcomes = groups
    .flatMap((group) => slowMatch(group, threshold, from, to))
    .toSorted((a, b) => b.detection.score - a.detection.score);
  // One point after each detection, the ignored ones included: they change neither count.
  let [tp, fp] = [0, 0];
  const points = outcomes.map(({ detection, truth, ignored }) => {
    if (!ignored) truth ? tp++ : fp++;
    return { recall: tp / counted.length, precision: tp / (fp + tp + 2 ** -52), score: detection.score };
  });
  const at = (recall: number) => points.findIndex((point) => point.recall >= recall);
  return {
    precision: Array.from(cocoRecallPoints, (recall) =>
      at(recall) < 0 ? 0 : Math.max(...points.slice(at(recall)).map((point) => point.precision)),
    ),
    scores: Array.from(cocoRecallPoints, (recall) => points[at(recall)]?.score ?? 0),
    recall: points.at(-1)?.recall ?? 0,
  };
}
