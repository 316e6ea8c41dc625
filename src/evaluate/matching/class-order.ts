import type { EvaluationData } from '../evaluation-data.js';

/**
 * Truths and detections by class. Those of class k are at places `starts[k]` to `starts[k + 1]`, by rising picture id
 * (numbers first, then texts by code unit), each picture's in the order given: the order in which equal scores count.
 */
export interface ClassOrder {
  /** Classes; 1 if agnostic. */
  readonly classes: number;
  readonly truths: OrderedColumns;
  readonly detections: OrderedColumns;
  /** Of the detections, in that order: boxes of a class lie far apart in the data, and looking each up takes long. */
  readonly scores: Float64Array;
  /** Width × height, likewise. */
  readonly boxAreas: Float64Array;
}

/** Where one kind of boxes is. */
export interface OrderedColumns {
  /** `[classes + 1]` */
  readonly starts: Uint32Array;
  /** Index into the data's columns, `[n]`. */
  readonly index: Uint32Array;
  /** Rank of the picture by id, `[n]`. */
  readonly ranks: Uint32Array;
}

/**
 * Sorts the whole data set by class and picture in one counting sort. With `agnostic` everything is one class, in which
 * a picture's boxes come by rising label, then in the order given, as in pycocotools.
 */
export function orderByClass(data: EvaluationData, agnostic: boolean): ClassOrder {
  const { classes, pictures, truths, detections } = data;
  const order = picturesById(pictures);
  const columns = ({ starts, labels }: { starts: Uint32Array; labels: Uint32Array }) =>
    agnostic ? oneClass(starts, labels, order) : countingSort(starts, labels, order, classes.length);
  const ordered = columns(detections);
  const numbers = inOrder(data, order, ordered, agnostic);
  return { classes: agnostic ? 1 : classes.length, truths: columns(truths), detections: ordered, ...numbers };
}

/** Reads the data picture by picture and writes each class's numbers one after the other. */
function inOrder(
  { boxFormat, detections: { boxes, scores, starts, labels } }: EvaluationData,
  order: Uint32Array,
  columns: OrderedColumns,
  agnostic: boolean,
): Pick<ClassOrder, 'scores' | 'boxAreas'> {
  const ordered = { scores: new Float64Array(labels.length), boxAreas: new Float64Array(labels.length) };
  const next = columns.starts.slice();
  const given = boxFormat === 'xywh';
  for (let rank = 0, place = 0; rank < order.length; rank++) {
    const end = starts[order[rank] + 1];
    for (let j = starts[order[rank]]; j < end; j++, place++) {
      const i = agnostic ? columns.index[place] : j;
      const at = agnostic ? place : next[labels[j]]++;
      const width = given ? boxes[4 * i + 2] : boxes[4 * i + 2] - boxes[4 * i];
      const height = given ? boxes[4 * i + 3] : boxes[4 * i + 3] - boxes[4 * i + 1];
      ordered.scores[at] = scores[i];
      ordered.boxAreas[at] = width * height;
    }
  }
  return ordered;
}

/** Detections of the class that has most. */
export function largestClass({ classes, detections: { starts } }: ClassOrder): number {
  let most = 0;
  for (let k = 0; k < classes; k++) most = Math.max(most, starts[k + 1] - starts[k]);
  return most;
}

/** Places of pictures by rising id. */
export function picturesById(ids: readonly (number | string)[]): Uint32Array {
  const order = Uint32Array.from({ length: ids.length }, (_, i) => i);
  let rising = true;
  for (let i = 1; i < ids.length && rising; i++) rising = compareIds(ids[i - 1], ids[i]) <= 0;
  return rising ? order : order.sort((i, j) => compareIds(ids[i], ids[j]));
}

function compareIds(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function countingSort(starts: Uint32Array, labels: Uint32Array, order: Uint32Array, classes: number): OrderedColumns {
  const ends = new Uint32Array(classes + 1);
  for (let i = 0; i < labels.length; i++) ends[labels[i] + 1]++;
  for (let k = 0; k < classes; k++) ends[k + 1] += ends[k];
  const next = ends.slice();
  const index = new Uint32Array(labels.length);
  const ranks = new Uint32Array(labels.length);
  for (let rank = 0; rank < order.length; rank++) {
    const end = starts[order[rank] + 1];
    for (let i = starts[order[rank]]; i < end; i++) {
      const place = next[labels[i]]++;
      index[place] = i;
      ranks[place] = rank;
    }
  }
  return { starts: ends, index, ranks };
}

function oneClass(starts: Uint32Array, labels: Uint32Array, order: Uint32Array): OrderedColumns {
  const index = new Uint32Array(labels.length);
  const ranks = new Uint32Array(labels.length);
  let place = 0;
  for (let rank = 0; rank < order.length; rank++) {
    const [from, end] = [starts[order[rank]], starts[order[rank] + 1]];
    ranks.fill(rank, place, place + end - from);
    const own = index.subarray(place, place + end - from);
    for (let i = from; i < end; i++) own[i - from] = i;
    own.sort((i, j) => labels[i] - labels[j] || i - j);
    place += end - from;
  }
  return { starts: Uint32Array.of(0, labels.length), index, ranks };
}
