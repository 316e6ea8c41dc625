// Boxes here are [x1, y1, x2, y2] or [x, y, width, height], as the evaluator's `boxFormat` says.
import { BoxwrightError } from '../../errors.js';

/**
 * How four numbers give a box. A COCO file's boxes are `xywh`: give them as they are, since x + width − x is not always
 * the width again, and one last bit can decide whether an IoU reaches its threshold.
 */
export type BoxFormat = 'xyxy' | 'xywh';

/** The annotated objects of one picture; n of them. */
export interface Truth {
  /** `[n, 4]`, in pixels. */
  readonly boxes: ArrayLike<number>;
  /** Index of each object's class, `[n]`. */
  readonly labels: ArrayLike<number>;
  /** 1 for a region of uncounted objects, which takes any number of detections and counts as none; default all 0. */
  readonly crowd?: ArrayLike<number>;
  /** Area in square pixels by which an object falls into an area range (COCO: of its mask); default that of its box. */
  readonly area?: ArrayLike<number>;
  /** COCO annotation ids, for figures equal to pycocotools' in one case: it takes a match with id 0 for no match. */
  readonly ids?: ArrayLike<number>;
}

/** What a detector found in one picture; n detections in any order. Those of equal score count in the order given. */
export interface Detections {
  /** `[n, 4]`, in pixels. */
  readonly boxes: ArrayLike<number>;
  /** Index of each detection's class, `[n]`. */
  readonly labels: ArrayLike<number>;
  /** `[n]`, of any scale; not NaN. */
  readonly scores: ArrayLike<number>;
}

/** One picture of an evaluation. */
export interface EvaluatedPicture {
  /** Detections of equal score in different pictures count by rising id: numbers first, then texts by code unit. */
  readonly id: number | string;
  readonly truth: Truth;
  readonly detections?: Detections;
}

/** Boxes by class: those of class k are `index[starts[k]..starts[k + 1])`, each class in the order given. */
export interface ByClass {
  readonly index: Uint32Array;
  readonly starts: Uint32Array;
}

/** Edges and areas of n boxes: `[n, 5]` as x1, y1, x2, y2, width × height. */
export function edgesAndAreas(boxes: ArrayLike<number>, format: BoxFormat): Float64Array {
  const count = boxes.length / 4;
  const out = new Float64Array(5 * count);
  for (let i = 0; i < count; i++) writeEdges(boxes, i, format === 'xywh', out, i);
  return out;
}

/** Edges and area of box `i` into row `row` of `edges` [n, 5]; `sized` boxes are x, y, width, height. */
export function writeEdges(
  boxes: ArrayLike<number>,
  i: number,
  sized: boolean,
  edges: Float64Array,
  row: number,
): void {
  const x = boxes[4 * i];
  const y = boxes[4 * i + 1];
  const third = boxes[4 * i + 2];
  const fourth = boxes[4 * i + 3];
  edges[5 * row] = x;
  edges[5 * row + 1] = y;
  edges[5 * row + 2] = sized ? x + third : third;
  edges[5 * row + 3] = sized ? y + fourth : fourth;
  edges[5 * row + 4] = sized ? third * fourth : (third - x) * (fourth - y);
}

/** Groups boxes by their class; with `agnostic` all of them form one group, by rising class and then in the order given. */
export function groupByClass(labels: ArrayLike<number>, classes: number, agnostic: boolean): ByClass {
  const starts = new Uint32Array(classes + 1);
  for (let i = 0; i < labels.length; i++) starts[labels[i] + 1]++;
  for (let k = 0; k < classes; k++) starts[k + 1] += starts[k];
  const next = starts.slice();
  const index = new Uint32Array(labels.length);
  for (let i = 0; i < labels.length; i++) index[next[labels[i]]++] = i;
  return { index, starts: agnostic ? Uint32Array.of(0, labels.length) : starts };
}

/**
 * @throws BoxwrightError `data` naming the picture, the box, what was found and what was expected, unless arrays fit
 *   each other, boxes are finite with x1 ≤ x2 and y1 ≤ y2, labels are classes and scores are numbers.
 */
export function checkPicture({ id, truth, detections }: EvaluatedPicture, classes: number, format: BoxFormat): void {
  const picture = `picture ${JSON.stringify(id)}`;
  checkBoxes(truth.boxes, truth.labels, classes, format, `${picture}: truth`);
  for (const name of ['crowd', 'area', 'ids'] as const) {
    const values = truth[name];
    if (values) checkLength(values, truth.labels.length, `${picture}: truth.${name}`);
  }
  const badArea = indexOf(truth.area, (area) => !(area >= 0 && area < Number.POSITIVE_INFINITY));
  if (badArea >= 0) {
    throw data(`${picture}: truth.area[${badArea}] is ${truth.area![badArea]}, expected square pixels, at least 0`);
  }
  if (!detections) return;
  checkBoxes(detections.boxes, detections.labels, classes, format, `${picture}: detections`);
  checkLength(detections.scores, detections.labels.length, `${picture}: detections.scores`);
  const badScore = indexOf(detections.scores, Number.isNaN);
  if (badScore >= 0) throw data(`${picture}: detections.scores[${badScore}] is NaN, expected a number`);
}

function checkBoxes(
  boxes: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  format: BoxFormat,
  where: string,
): void {
  checkLength(boxes, 4 * labels.length, `${where}.boxes`);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (!(label >= 0 && label < classes && Number.isInteger(label))) {
      throw data(`${where}.labels[${i}] is ${label}, expected the index of one of ${classes} classes`);
    }
    const at = 4 * i;
    const width = format === 'xywh' ? boxes[at + 2] : boxes[at + 2] - boxes[at];
    const height = format === 'xywh' ? boxes[at + 3] : boxes[at + 3] - boxes[at + 1];
    // A sum is finite only if all its terms are.
    if (!(width >= 0 && height >= 0 && Number.isFinite(boxes[at] + boxes[at + 1] + width + height))) {
      const found = [boxes[at], boxes[at + 1], boxes[at + 2], boxes[at + 3]].join(', ');
      throw data(
        `${where}: box ${i} is [${found}] (${format}), expected finite numbers and no negative width or height`,
      );
    }
  }
}

function checkLength(values: ArrayLike<number>, expected: number, where: string): void {
  if (values.length !== expected) throw data(`${where} has ${values.length} numbers, expected ${expected}`);
}

function indexOf(values: ArrayLike<number> | undefined, isBad: (value: number) => boolean): number {
  if (values) for (let i = 0; i < values.length; i++) if (isBad(values[i])) return i;
  return -1;
}

function data(message: string): BoxwrightError {
  return new BoxwrightError('data', message);
}
