// Boxes here are [x, y, width, height], as COCO's files have them.
import { BoxwrightError } from '../../errors.js';
import type { TruthColumns } from '../evaluation-data.js';
import { reordered, sortByPicture } from '../matching/picture-sort.js';
import { enlarged, forEachEntry, idOf, type ReadOptions, readBox } from './coco-entries.js';
import { JsonBytes, keysOf } from './json-bytes.js';

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

/** What a ground truth file says of a class. */
export interface CocoCategory {
  readonly id: number;
  readonly name: string;
  /** LVIS: how many pictures have the class; r (rare), c (common) or f (frequent). */
  readonly frequency?: string;
}

const lists = ['images', 'categories', 'annotations'];
const truthKeys = keysOf(...lists);
const annotationKeys = keysOf('id', 'image_id', 'category_id', 'bbox', 'area', 'iscrowd');

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
    const list = lists[key];
    found.add(key);
    if (key === 0) await forEachEntry(json, list, options, () => pictures.push(pictureOf(json)));
    else if (key === 1) await forEachEntry(json, list, options, () => categories.push(categoryOf(json)));
    else annotations = await readAnnotations(json, options);
    json.place = '';
  }
  json.end();
  const missing = lists.filter((_, key) => !found.has(key));
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
