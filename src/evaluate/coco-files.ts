// Boxes here are [x, y, width, height], as COCO's files have them.
import { BoxwrightError } from '../errors.js';
import type { DetectionColumns, EvaluationData, TruthColumns } from './evaluation-data.js';
import { JsonBytes, keysOf } from './json-bytes.js';
import { reordered, sortByPicture } from './picture-sort.js';

/** A COCO ground truth file as columns. */
export interface CocoTruth {
  readonly file: string;
  readonly pictures: readonly CocoPicture[];
  /** By rising id, which is the order of labels. */
  readonly categories: readonly CocoCategory[];
  readonly truths: TruthColumns;
}

/** What a ground truth file says of a picture. */
export interface CocoPicture {
  readonly id: number | string;
  readonly fileName?: string;
  readonly width?: number;
  readonly height?: number;
  /** LVIS: labels of classes that were looked for and not found. */
  readonly negative?: readonly number[];
  /** LVIS: labels of classes of which not every object is annotated. */
  readonly notExhaustive?: readonly number[];
}

export interface CocoCategory {
  readonly id: number;
  readonly name: string;
  /** LVIS: how many pictures have the class; r (rare), c (common) or f (frequent). */
  readonly frequency?: string;
}

/** Results for a ground truth file. */
export interface CocoFound {
  readonly detections: DetectionColumns;
  /** What is allowed but strange, for people. */
  readonly warnings: readonly string[];
}

export interface ReadOptions {
  /** Told of the bytes read so far, a few times a second. */
  readonly onProgress?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

const truthKeys = keysOf('images', 'categories', 'annotations');
const annotationKeys = keysOf('id', 'image_id', 'category_id', 'bbox', 'area', 'iscrowd');
const resultKeys = keysOf('image_id', 'category_id', 'bbox', 'score');
/** Bytes between looks at the signal. */
const lookEvery = 2 ** 22;

/** Truths and detections in one, for the metrics. */
export function cocoData({ pictures, categories, truths }: CocoTruth, { detections }: CocoFound): EvaluationData {
  return {
    classes: categories.map(({ name }) => name),
    boxFormat: 'xywh',
    pictures: pictures.map(({ id }) => id),
    truths,
    detections,
  };
}

/**
 * Reads a ground truth file (`instances_*.json`) of any size as a stream.
 *
 * @throws BoxwrightError `data` that names the list, the entry (counted from 0), the field and what was expected: for a
 *   file that is cut off or something else, wrong types, boxes of negative size, ids that are unknown or taken; `io`.
 */
export async function readCocoTruth(file: string, options: ReadOptions = {}): Promise<CocoTruth> {
  using json = new JsonBytes(file);
  if (json.kind() === 'list') {
    throw json.error('this is a list, as results are; a ground truth has images, categories and annotations');
  }
  json.openObject('a COCO ground truth with images, categories and annotations');
  const pictures: CocoPicture[] = [];
  const categories: CocoCategory[] = [];
  let annotations: Annotations | undefined;
  const found = new Set<number>();
  for (let key = json.nextKey(true, truthKeys); key !== -2; key = json.nextKey(false, truthKeys)) {
    if (key < 0) {
      json.skip();
      continue;
    }
    const list = ['images', 'categories', 'annotations'][key];
    found.add(key);
    if (key === 0) await forEachEntry(json, list, options, () => pictures.push(pictureOf(json)));
    else if (key === 1) await forEachEntry(json, list, options, () => categories.push(categoryOf(json)));
    else annotations = await readAnnotations(json, options);
    json.place = '';
  }
  json.end();
  const missing = ['images', 'categories', 'annotations'].filter((_, key) => !found.has(key));
  if (missing.length > 0 || !annotations) {
    throw json.error(`it has no list '${missing.join("', '")}', so this is no COCO ground truth of boxes`);
  }
  requireDistinct(file, 'images', pictures, ({ id }) => id, 'id');
  requireDistinct(file, 'categories', categories, ({ id }) => id, 'id');
  categories.sort((a, b) => a.id - b.id);
  const labels = new Map(categories.map(({ id }, label) => [id, label]));
  return {
    file,
    categories,
    pictures: pictures.map((picture) => withLabels(picture, labels)),
    truths: truthColumns(file, annotations, pictures, labels),
  };
}

/**
 * Reads a results file (a list of `image_id`, `category_id`, `bbox`, `score`) of any size as a stream.
 *
 * @throws BoxwrightError `data` that names the entry (counted from 0), the field and what was expected: for a file that
 *   is cut off or something else, wrong types, a score of NaN, boxes of negative size, pictures and categories that the
 *   truth does not list; `io`. Scores below 0 and over 1 are allowed, with a warning, since only their order counts.
 */
export async function readCocoResults(file: string, truth: CocoTruth, options: ReadOptions = {}): Promise<CocoFound> {
  using json = new JsonBytes(file);
  if (json.kind() === 'object') throw notResults(json);
  const pictureOfId = new Map(truth.pictures.map(({ id }, p) => [id, p]));
  const labelOfId = new Map(truth.categories.map(({ id }, label) => [id, label]));
  let room = {
    pictures: new Uint32Array(256),
    labels: new Uint32Array(256),
    boxes: new Float64Array(4 * 256),
    scores: new Float64Array(256),
  };
  let count = 0;
  const unusual = { first: -1, score: 0, count: 0 };
  const ids = { image: Number.NaN as number | string, picture: 0 };
  await forEachEntry(json, 'results', options, () => {
    if (count === room.labels.length) room = enlarged(room);
    json.openObject('a detection');
    let seen = 0;
    for (let key = json.nextKey(true, resultKeys); key !== -2; key = json.nextKey(false, resultKeys)) {
      if (key === 0) {
        const id = idOf(json, 'image_id');
        if (id !== ids.image) {
          const picture = pictureOfId.get(id);
          if (picture === undefined) throw unknownPicture(json, id, truth);
          [ids.image, ids.picture] = [id, picture];
        }
        room.pictures[count] = ids.picture;
      } else if (key === 1) {
        const id = json.number('category_id');
        const label = labelOfId.get(id);
        if (label === undefined) throw unknownCategory(json, id, truth.categories);
        room.labels[count] = label;
      } else if (key === 2) readBox(json, room.boxes, 4 * count);
      else if (key === 3) {
        const score = json.number('score');
        if (Number.isNaN(score)) throw json.error('score is NaN, expected a number');
        if (!(score >= 0 && score <= 1) && unusual.count++ === 0) [unusual.first, unusual.score] = [count, score];
        room.scores[count] = score;
      } else json.skip();
      if (key >= 0) seen |= 1 << key;
    }
    if (seen !== 0b1111) throw missingField(json, seen);
    count++;
  });
  json.end();
  const { starts, order } = sortByPicture(room.pictures.subarray(0, count), truth.pictures.length);
  const warnings =
    unusual.count === 0
      ? []
      : [
          `${file}: ${unusual.count} of ${count} scores are below 0 or over 1, such as ${unusual.score} of results[${unusual.first}]; ` +
            'only their order counts.',
        ];
  return {
    warnings,
    detections: {
      starts,
      labels: reordered(room.labels.subarray(0, count), order),
      boxes: reordered(room.boxes.subarray(0, 4 * count), order, 4),
      scores: reordered(room.scores.subarray(0, count), order),
    },
  };
}

async function forEachEntry(
  json: JsonBytes,
  list: string,
  { onProgress, signal }: ReadOptions,
  entry: () => void,
): Promise<void> {
  json.place = list;
  json.openList(list);
  let look = json.position + lookEvery;
  let index = 0;
  for (; json.nextEntry(index === 0); index++) {
    json.index = index;
    entry();
    if (json.position < look) continue;
    look = json.position + lookEvery;
    onProgress?.(json.position);
    // Lets a Ctrl-C come through.
    await new Promise((resolve) => setImmediate(resolve));
    if (signal?.aborted) throw new BoxwrightError('aborted', `${json.file}: reading was stopped`);
  }
  json.index = -1;
}

/** Annotations as they come, with ids that are not looked up yet: the lists they belong to may follow. */
interface Annotations {
  readonly count: number;
  readonly ids: Float64Array;
  /** Index into `imageIds`. */
  readonly images: Uint32Array;
  readonly categories: Float64Array;
  readonly boxes: Float64Array;
  readonly areas: Float64Array;
  readonly crowd: Uint8Array;
  /** Ids of pictures as they first appear, with the annotation in which they do. */
  readonly imageIds: ReadonlyMap<number | string, { readonly index: number; readonly first: number }>;
}

async function readAnnotations(json: JsonBytes, options: ReadOptions): Promise<Annotations> {
  let room = {
    ids: new Float64Array(256),
    images: new Uint32Array(256),
    categories: new Float64Array(256),
    boxes: new Float64Array(4 * 256),
    areas: new Float64Array(256),
    crowd: new Uint8Array(256),
  };
  const imageIds = new Map<number | string, { index: number; first: number }>();
  let count = 0;
  await forEachEntry(json, 'annotations', options, () => {
    if (count === room.ids.length) room = enlarged(room);
    json.openObject('an annotation');
    room.ids[count] = Number.NaN;
    room.areas[count] = Number.NaN;
    let seen = 0;
    for (let key = json.nextKey(true, annotationKeys); key !== -2; key = json.nextKey(false, annotationKeys)) {
      if (key === 0) room.ids[count] = json.number('id');
      else if (key === 1) {
        const id = idOf(json, 'image_id');
        if (!imageIds.has(id)) imageIds.set(id, { index: imageIds.size, first: count });
        room.images[count] = imageIds.get(id)!.index;
      } else if (key === 2) room.categories[count] = json.number('category_id');
      else if (key === 3) readBox(json, room.boxes, 4 * count);
      else if (key === 4) room.areas[count] = areaOf(json);
      else if (key === 5) room.crowd[count] = crowdOf(json);
      else json.skip();
      if (key >= 0) seen |= 1 << key;
    }
    const missing = ['image_id', 'category_id', 'bbox'].find((_, i) => !(seen & (2 << i)));
    if (missing) throw json.error(`it has no ${missing}`);
    if (!(seen & 16)) room.areas[count] = room.boxes[4 * count + 2] * room.boxes[4 * count + 3];
    count++;
  });
  return { ...room, count, imageIds };
}

function truthColumns(
  file: string,
  annotations: Annotations,
  pictures: readonly CocoPicture[],
  labelOfId: ReadonlyMap<number, number>,
): TruthColumns {
  const { count, imageIds } = annotations;
  const fail = (i: number, message: string) => new BoxwrightError('data', `${file}, annotations[${i}]: ${message}`);
  const pictureOfId = new Map(pictures.map(({ id }, p) => [id, p]));
  const pictureOfIndex = new Uint32Array(imageIds.size);
  for (const [id, { index, first }] of imageIds) {
    const picture = pictureOfId.get(id);
    if (picture === undefined) throw fail(first, `image_id is ${JSON.stringify(id)}, which images does not list`);
    pictureOfIndex[index] = picture;
  }
  const labels = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const label = labelOfId.get(annotations.categories[i]);
    if (label === undefined) {
      throw fail(i, `category_id is ${annotations.categories[i]}, which categories does not list`);
    }
    labels[i] = label;
  }
  const repeated = firstRepeated(annotations.ids.subarray(0, count));
  if (repeated) {
    throw fail(
      repeated[1],
      `id is ${annotations.ids[repeated[1]]}, as that of annotations[${repeated[0]}]; ids must differ`,
    );
  }
  const places = annotations.images.subarray(0, count).map((index) => pictureOfIndex[index]);
  const { starts, order } = sortByPicture(places, pictures.length);
  return {
    starts,
    labels: reordered(labels, order),
    boxes: reordered(annotations.boxes.subarray(0, 4 * count), order, 4),
    areas: reordered(annotations.areas.subarray(0, count), order),
    crowd: reordered(annotations.crowd.subarray(0, count), order),
    ids: reordered(annotations.ids.subarray(0, count), order),
  };
}

/** Places of the first number that comes a second time; NaN is none. */
function firstRepeated(numbers: Float64Array): [first: number, second: number] | undefined {
  const sorted = numbers.slice().sort();
  if (!sorted.some((number, i) => i > 0 && number === sorted[i - 1])) return undefined;
  const seen = new Map<number, number>();
  for (let i = 0; i < numbers.length; i++) {
    const first = seen.get(numbers[i]);
    if (first !== undefined && !Number.isNaN(numbers[i])) return [first, i];
    seen.set(numbers[i], i);
  }
  return undefined;
}

function pictureOf(json: JsonBytes): CocoPicture {
  const value = json.value() as Record<string, unknown> | null;
  const id = value?.id;
  if (typeof id !== 'number' && typeof id !== 'string')
    throw json.error(`id is ${JSON.stringify(id)}, expected a number`);
  return {
    id,
    ...(typeof value?.file_name === 'string' ? { fileName: value.file_name } : {}),
    ...(typeof value?.width === 'number' ? { width: value.width } : {}),
    ...(typeof value?.height === 'number' ? { height: value.height } : {}),
    ...labelLists(json, value ?? {}),
  };
}

const federated = { negative: 'neg_category_ids', notExhaustive: 'not_exhaustive_category_ids' } as const;

function labelLists(json: JsonBytes, value: Record<string, unknown>): Pick<CocoPicture, 'negative' | 'notExhaustive'> {
  const lists: Record<string, number[]> = {};
  for (const [name, field] of Object.entries(federated)) {
    const list = value[field];
    if (list === undefined) continue;
    const numbers = Array.isArray(list) && list.every((id) => typeof id === 'number');
    if (!numbers) throw json.error(`${field} is no list of category ids`);
    lists[name] = list;
  }
  return lists;
}

/** Category ids that the file does not list are left out: no class is judged by them. */
function withLabels(picture: CocoPicture, labelOfId: ReadonlyMap<number, number>): CocoPicture {
  if (!picture.negative && !picture.notExhaustive) return picture;
  const labels = (ids: readonly number[] = []) => ids.flatMap((id) => labelOfId.get(id) ?? []);
  return { ...picture, negative: labels(picture.negative), notExhaustive: labels(picture.notExhaustive) };
}

function categoryOf(json: JsonBytes): CocoCategory {
  const value = json.value() as Record<string, unknown> | null;
  const { id, name, frequency } = value ?? {};
  if (typeof id !== 'number') throw json.error(`id is ${JSON.stringify(id)}, expected a number`);
  if (typeof name !== 'string' || name === '') throw json.error(`name is ${JSON.stringify(name)}, expected a text`);
  return { id, name, ...(typeof frequency === 'string' ? { frequency } : {}) };
}

function requireDistinct<T>(
  file: string,
  list: string,
  entries: readonly T[],
  keyOf: (entry: T) => number | string,
  field: string,
): void {
  const seen = new Map<number | string, number>();
  for (const [i, entry] of entries.entries()) {
    const value = keyOf(entry);
    const first = seen.get(value);
    if (first !== undefined) {
      const taken = `${field} is ${JSON.stringify(value)}, as that of ${list}[${first}]; ${field}s must differ`;
      throw new BoxwrightError('data', `${file}, ${list}[${i}]: ${taken}`);
    }
    seen.set(value, i);
  }
}

function idOf(json: JsonBytes, field: string): number | string {
  return json.kind() === 'text' ? (json.value() as string) : json.number(field);
}

function readBox(json: JsonBytes, boxes: Float64Array, at: number): void {
  json.openList('bbox as [x, y, width, height]');
  let sides = 0;
  for (; json.nextEntry(sides === 0); sides++) {
    const value = json.number(boxFields[Math.min(sides, 4)]);
    if (sides < 4) boxes[at + sides] = value;
  }
  if (sides !== 4) throw json.error(`bbox has ${sides} numbers, expected [x, y, width, height]`);
  // A sum is finite only if all its terms are.
  if (Number.isFinite(boxes[at] + boxes[at + 1] + boxes[at + 2] + boxes[at + 3])) {
    if (boxes[at + 2] >= 0 && boxes[at + 3] >= 0) return;
  }
  const wrong = [0, 1, 2, 3].find((i) => !Number.isFinite(boxes[at + i]) || (i > 1 && boxes[at + i] < 0)) ?? 0;
  const expected =
    wrong > 1
      ? `a ${wrong === 2 ? 'width' : 'height'} of 0 or more (bbox is [x, y, width, height])`
      : 'a finite number';
  throw json.error(`bbox[${wrong}] is ${boxes[at + wrong]}, expected ${expected}`);
}

const boxFields = ['bbox[0]', 'bbox[1]', 'bbox[2]', 'bbox[3]', 'bbox[4]'];

function areaOf(json: JsonBytes): number {
  const area = json.number('area');
  if (!(area >= 0 && area < Number.POSITIVE_INFINITY)) {
    throw json.error(`area is ${area}, expected square pixels, at least 0`);
  }
  return area;
}

function crowdOf(json: JsonBytes): number {
  const value = json.value();
  if (value === 0 || value === 1 || value === true || value === false) return Number(value);
  throw json.error(`iscrowd is ${JSON.stringify(value)}, expected 0 or 1`);
}

function missingField(json: JsonBytes, seen: number): BoxwrightError {
  const names = ['image_id', 'category_id', 'bbox', 'score'];
  const missing = names.filter((_, i) => !(seen & (1 << i)));
  return json.error(`it has no ${missing.join(' and no ')}; a detection has ${names.join(', ')}`);
}

/** What an object may be that stands where results should. */
function notResults(json: JsonBytes): BoxwrightError {
  const known = keysOf('annotations', 'predictions', 'results', 'detections');
  json.openObject('an object');
  const seen: string[] = [];
  for (let key = json.nextKey(true, known); key !== -2; key = json.nextKey(false, known)) {
    if (key >= 0) seen.push(Buffer.from(known[key]).toString());
    json.skip();
  }
  const advice = seen.includes('annotations')
    ? 'this is a ground truth, not results: are the two files swapped?'
    : seen.length > 0
      ? `write the list in '${seen[0]}' to a file of its own`
      : 'this is something else';
  return json.error(`expected a list of detections (image_id, category_id, bbox, score), found an object; ${advice}`);
}

function unknownPicture(json: JsonBytes, id: number | string, { pictures, file }: CocoTruth): BoxwrightError {
  const other = typeof id === 'number' ? String(id) : Number(id);
  const typed = pictures.some((picture) => picture.id === other);
  const hint = typed
    ? `; it has ${JSON.stringify(other)}, a ${typeof other === 'number' ? 'number' : 'text'}`
    : ': are the results of another data set?';
  return json.error(`image_id is ${JSON.stringify(id)}, which ${file} does not list${hint}`);
}

function unknownCategory(json: JsonBytes, id: number, categories: readonly CocoCategory[]): BoxwrightError {
  const ids = categories.map((category) => category.id);
  const listed = ids.length > 12 ? `${ids.slice(0, 10).join(', ')} … ${ids.at(-1)}` : ids.join(', ');
  const counted = id === 0 && !ids.includes(0) ? '; category ids are those of the file, not counted from 0' : '';
  return json.error(`category_id is ${id}; the ground truth lists ${listed}${counted}`);
}

type Room = Record<string, Float64Array | Uint32Array | Uint8Array>;

/** The same columns with twice the room. */
function enlarged<T extends Room>(room: T): T {
  const larger: Room = {};
  for (const [name, column] of Object.entries(room)) {
    const Column = column.constructor as new (length: number) => typeof column;
    larger[name] = new Column(2 * column.length);
    larger[name].set(column);
  }
  return larger as T;
}
