import type { DatasetImage } from '../../data/dataset.js';
import { type EvaluationData, outcomesByClass } from '../../evaluate/index.js';
import { overlapsOf } from '../../evaluate/matching/overlaps.js';
import { edgesAndAreas } from '../../evaluate/matching/picture.js';

/**
 * What became of a detection at an IoU of 0.5: `right`; `misplaced`, its class is there but overlaps by 0.1 to 0.5 only;
 * `class`, it lies on an object of another class; `twice`, the object is found already; `nothing` is there; `ignored`, it
 * lies in a crowd. TIDE's kinds (Bolya et al., ECCV 2020), with its thresholds.
 */
export type Outcome = 'right' | 'misplaced' | 'class' | 'twice' | 'nothing' | 'ignored';

/** Whether a detection is of nothing that is there. */
export function isFalse(outcome: Outcome): boolean {
  return outcome === 'class' || outcome === 'twice' || outcome === 'nothing';
}

export interface JudgedDetection {
  /** `[x1, y1, x2, y2]` in pixels of the picture. */
  readonly box: readonly number[];
  readonly label: number;
  readonly score: number;
  readonly outcome: Outcome;
}

export interface JudgedObject {
  readonly box: readonly number[];
  readonly label: number;
  readonly crowd: boolean;
  /** Score of the detection that finds it, or null. */
  readonly found: number | null;
}

/** A picture with its objects and detections, the surest first. */
export interface JudgedPicture {
  readonly path: string;
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly objects: readonly JudgedObject[];
  readonly detections: readonly JudgedDetection[];
}

/** TIDE's threshold of what is of the background. */
const background = 0.1;
const iouThreshold = 0.5;

/** What became of every detection and object of an evaluation. */
export interface Judgement {
  /** Of each detection; undefined for those beyond the hundred of a picture and class that count. */
  readonly outcomes: readonly (Outcome | undefined)[];
  /** Score of the detection that finds each object; NaN where none does. */
  readonly found: Float64Array;
}

/**
 * Judges every detection. Surer detections choose first, so that what a score threshold leaves out changes nothing for
 * those above it.
 *
 * @param data boxes as `[x1, y1, x2, y2]`.
 */
export function judge(data: EvaluationData): Judgement {
  const { detections, truths } = data;
  const outcomes = new Array<Outcome | undefined>(detections.labels.length).fill(undefined);
  const found = new Float64Array(truths.labels.length).fill(Number.NaN);
  const errorOf = errorJudge(data);
  for (const own of outcomesByClass(data, { iouThreshold })) {
    own.detections.forEach((d, i) => {
      if (own.ignored[i]) outcomes[d] = 'ignored';
      else if (own.matched[i]) {
        outcomes[d] = 'right';
        found[own.truths[i]] = own.scores[i];
      } else outcomes[d] = errorOf(d, own.pictures[i]);
    });
  }
  return { outcomes, found };
}

/** One picture of a judgement, `p` counted as in the data, its surest detections first. */
export function judgedPicture(
  data: EvaluationData,
  { outcomes, found }: Judgement,
  p: number,
  image: DatasetImage,
): JudgedPicture {
  const { detections, truths } = data;
  const { path, name, width, height } = image;
  return {
    path,
    name,
    width,
    height,
    objects: places(truths.starts, p).map((g) => ({
      box: boxOf(truths.boxes, g),
      label: truths.labels[g],
      crowd: truths.crowd[g] === 1,
      found: Number.isNaN(found[g]) ? null : found[g],
    })),
    detections: places(detections.starts, p)
      .flatMap((d) => {
        const outcome = outcomes[d];
        const { labels, scores, boxes } = detections;
        return outcome ? [{ box: boxOf(boxes, d), label: labels[d], score: scores[d], outcome }] : [];
      })
      .sort((a, b) => b.score - a.score),
  };
}

/** Indices of a picture's boxes. */
export function places(starts: Uint32Array, p: number): number[] {
  return Array.from({ length: starts[p + 1] - starts[p] }, (_, i) => starts[p] + i);
}

/** Tells what is wrong with detection d of picture p, which finds nothing. */
function errorJudge({ detections, truths, boxFormat }: EvaluationData): (d: number, p: number) => Outcome {
  const found = edgesAndAreas(detections.boxes, boxFormat);
  const objects = edgesAndAreas(truths.boxes, boxFormat);
  return (d, p) => {
    const columns = Uint32Array.from(places(truths.starts, p).filter((g) => !truths.crowd[g]));
    const overlaps = overlapsOf(found, Uint32Array.of(d), objects, columns, undefined);
    let [own, other] = [0, 0];
    for (let i = 0; i < columns.length; i++) {
      if (truths.labels[columns[i]] === detections.labels[d]) own = Math.max(own, overlaps[i]);
      else other = Math.max(other, overlaps[i]);
    }
    if (own >= iouThreshold) return 'twice';
    if (other >= iouThreshold) return 'class';
    return own >= background ? 'misplaced' : 'nothing';
  };
}

/** Tenths of a pixel are enough to draw. */
function boxOf(boxes: Float64Array, index: number): number[] {
  return Array.from(boxes.subarray(4 * index, 4 * index + 4), (value) => Math.round(10 * value) / 10);
}
