// Boxes here are [x, y, width, height], as COCO's files have them.
import type { BoxwrightError } from '../../errors.js';
import type { DetectionColumns, EvaluationData } from '../evaluation-data.js';
import { reordered, sortByPicture } from '../matching/picture-sort.js';
import { enlarged, forEachEntry, idOf, type ReadOptions, readBox } from './coco-entries.js';
import type { CocoCategory, CocoTruth } from './coco-truth-file.js';
import { JsonBytes, keysOf } from './json-bytes.js';

/** Results for a ground truth file. */
export interface CocoFound {
  readonly detections: DetectionColumns;
  /** What is allowed but strange, for people. */
  readonly warnings: readonly string[];
}

const resultFields = ['image_id', 'category_id', 'bbox', 'score'];
const resultKeys = keysOf(...resultFields);

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

function missingField(json: JsonBytes, seen: number): BoxwrightError {
  const missing = resultFields.filter((_, i) => !(seen & (1 << i)));
  return json.error(`it has no ${missing.join(' and no ')}; a detection has ${resultFields.join(', ')}`);
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
