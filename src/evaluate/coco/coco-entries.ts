// What reading a ground truth and reading results have in common. Boxes are [x, y, width, height], as COCO's files have them.
import { BoxwrightError } from '../../errors.js';
import type { JsonBytes } from './json-bytes.js';

/** What a long reading tells, and how it is stopped. */
export interface ReadOptions {
  /** Told of the bytes read so far, a few times a second. */
  readonly onProgress?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

/** Bytes between looks at the signal. */
const lookEvery = 2 ** 22;

/**
 * Steps into the list that comes next and calls `entry` at each of its entries, which has to read it.
 *
 * @throws BoxwrightError `aborted` when the signal says so; what `entry` and the reader throw.
 */
export async function forEachEntry(
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

/** The id of a picture, a number or a text. */
export function idOf(json: JsonBytes, field: string): number | string {
  return json.kind() === 'text' ? (json.value() as string) : json.number(field);
}

/** Reads [x, y, width, height] to places `at` to `at + 3`: finite, width and height not negative. */
export function readBox(json: JsonBytes, boxes: Float64Array, at: number): void {
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

type Room = Record<string, Float64Array | Uint32Array | Uint8Array>;

/** The same columns with twice the room. */
export function enlarged<T extends Room>(room: T): T {
  const larger: Room = {};
  for (const [name, column] of Object.entries(room)) {
    const Column = column.constructor as new (length: number) => typeof column;
    larger[name] = new Column(2 * column.length);
    larger[name].set(column);
  }
  return larger as T;
}
