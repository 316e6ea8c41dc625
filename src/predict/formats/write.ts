import { mkdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { BoxwrightError } from '../../errors.js';
import { writeError, writeFileAtomically } from '../../weights/atomic-file.js';
import { type CocoIds, cocoResults } from './coco-results.js';
import { jsonLine } from './json-lines.js';
import type { PictureDetections } from './picture-detections.js';
import { vocXml } from './voc-xml.js';
import { yoloText } from './yolo-text.js';

/** `jsonl` and `coco` are one file for all pictures, `voc` and `yolo` a folder with a file for each. */
export type DetectionFormat = 'jsonl' | 'coco' | 'voc' | 'yolo';

export interface WriteOptions {
  /** Needed for `coco`. */
  readonly cocoIds?: CocoIds;
  /** `yolo`: write scores as a sixth column; default true. */
  readonly scores?: boolean;
}

type Pictures = Iterable<PictureDetections> | AsyncIterable<PictureDetections>;

/**
 * Writes the detections of many pictures, one at a time as they come. A file appears once it is whole.
 *
 * @param path the file (`jsonl`, `coco`), or the folder (`voc`, `yolo`), which is made if need be.
 * @returns number of pictures written.
 * @throws BoxwrightError `config` for `coco` without ids; `data` for detections that a format cannot hold, or two
 *   pictures that would share a file; `io` if the disk refuses.
 */
export async function writeDetections(
  format: DetectionFormat,
  path: string,
  pictures: Pictures,
  options: WriteOptions = {},
): Promise<number> {
  if (format === 'voc') return writeEach(path, '.xml', pictures, vocXml);
  if (format === 'yolo') return writeEach(path, '.txt', pictures, (picture) => yoloText(picture, options));
  const { cocoIds } = options;
  if (format === 'coco' && !cocoIds) {
    throw new BoxwrightError(
      'config',
      'COCO results need the image and category ids of a ground truth file: give cocoIds',
    );
  }
  const counted = { pictures: 0 };
  const counting = count(pictures, counted);
  await writeFileAtomically(path, cocoIds && format === 'coco' ? cocoArray(counting, cocoIds) : jsonLines(counting));
  return counted.pictures;
}

async function* count(pictures: Pictures, counted: { pictures: number }): AsyncGenerator<PictureDetections> {
  for await (const picture of pictures) {
    counted.pictures++;
    yield picture;
  }
}

async function* jsonLines(pictures: Pictures): AsyncGenerator<string> {
  for await (const picture of pictures) yield `${jsonLine(picture)}\n`;
}

async function* cocoArray(pictures: Pictures, ids: CocoIds): AsyncGenerator<string> {
  let before = '[';
  for await (const picture of pictures) {
    for (const entry of cocoResults(picture, ids)) {
      yield `${before}\n${JSON.stringify(entry)}`;
      before = ',';
    }
  }
  yield before === '[' ? '[]\n' : '\n]\n';
}

async function writeEach(
  folder: string,
  extension: string,
  pictures: Pictures,
  text: (picture: PictureDetections) => string,
): Promise<number> {
  await mkdir(folder, { recursive: true }).catch((cause) => Promise.reject(writeError(folder, cause)));
  const sources = new Map<string, string>();
  for await (const picture of pictures) {
    const name = basename(picture.source, extname(picture.source));
    const other = sources.get(name);
    if (other !== undefined) {
      const files = `${picture.source} and ${other} would both be ${name}${extension}`;
      throw new BoxwrightError('data', `${files}: write them to different folders, or as jsonl`);
    }
    sources.set(name, picture.source);
    await writeFileAtomically(join(folder, `${name}${extension}`), text(picture));
  }
  return sources.size;
}
