import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { constants, copyFile, mkdir, readdir, rename, rm, rmdir, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { BoxwrightError } from '../../errors.js';
import { writeError } from '../../weights/atomic-file.js';
import type { Dataset } from '../dataset.js';
import { writeCoco } from './write-coco.js';
import { writeVoc } from './write-voc.js';
import { writeYolo } from './write-yolo.js';
import type { WrittenFormat } from './written-formats.js';
import type { DatasetPart, NamedPart, WrittenLayout } from './written-layout.js';

/** How a data set is written. */
export interface WriteOptions {
  readonly format: WrittenFormat;
  /** Pictures are copied, or linked to where they are; `copy` by default. */
  readonly pictures?: 'copy' | 'link';
  /** Told as pictures are written. */
  readonly onPicture?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** What was written. */
export interface WrittenDataset {
  readonly pictures: number;
  readonly boxes: number;
  /** What the format cannot say, and what became of it. */
  readonly notes: readonly string[];
}

const layouts: Readonly<Record<WrittenFormat, (parts: readonly NamedPart[]) => WrittenLayout>> = {
  coco: writeCoco,
  voc: writeVoc,
  yolo: writeYolo,
};

/**
 * Writes a data set with its pictures in another format. The folder appears once it is whole; a folder that holds anything
 * is never touched.
 *
 * @throws BoxwrightError `io` if something is at `folder` already, or it cannot be written; `data` if the parts have
 *   different classes; `aborted` if the signal says so. Nothing is left behind then.
 */
export async function writeDataset(
  dataset: Dataset | readonly DatasetPart[],
  folder: string,
  options: WriteOptions,
): Promise<WrittenDataset> {
  const parts = 'images' in dataset ? [{ dataset }] : dataset;
  requireOneClassList(parts);
  await requireNothing(folder);
  const target = resolve(folder);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
  const named = nameFiles(parts);
  const layout = layouts[options.format](named);
  try {
    await mkdir(temporary, { recursive: true });
    for (const { path, content } of layout.files) {
      await mkdir(dirname(join(temporary, path)), { recursive: true });
      await writeFile(join(temporary, path), content);
    }
    await writePictures(named, (part) => join(temporary, layout.pictureFolder(part)), options);
    // Windows does not rename over a folder, not even an empty one.
    if (existsSync(target)) await rmdir(target);
    await rename(temporary, target);
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true });
    throw writeError(folder, cause);
  }
  const images = parts.flatMap((part) => part.dataset.images);
  const boxes = images.reduce((sum, { objects }) => sum + objects.length, 0);
  return { pictures: images.length, boxes, notes: layout.notes };
}

/** @throws BoxwrightError `io` unless there is nothing, or an empty folder. */
async function requireNothing(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  const names = await readdir(folder).catch((cause) => {
    throw new BoxwrightError('io', `${folder}: it is no folder to write to (${cause.message})`, { cause });
  });
  if (names.length > 0) {
    throw new BoxwrightError('io', `${folder}: the folder is not empty, and nothing is overwritten; choose another`);
  }
}

function requireOneClassList(parts: readonly DatasetPart[]): void {
  const [first] = parts;
  const other = parts.find(({ dataset }) => dataset.classes.join('\n') !== first.dataset.classes.join('\n'));
  if (!other) return;
  const what = `${first.dataset.name} and ${other.dataset.name} have different classes`;
  throw new BoxwrightError('data', `${what}; open them with one list of classes`);
}

/** File names that differ even without their extension, as labels are found by it, over all parts. */
function nameFiles(parts: readonly DatasetPart[]): NamedPart[] {
  const byPath = new Map<string, string>();
  const stems = new Set<string>();
  return parts.map(({ name, dataset }) => ({
    name,
    dataset,
    fileNames: dataset.images.map((image) => {
      const known = byPath.get(image.path);
      if (known !== undefined) return known;
      const given = basename(image.path);
      const ending = extname(given);
      const stem = given.slice(0, given.length - ending.length);
      let free = stem;
      for (let i = 2; stems.has(free.toLowerCase()); i++) free = `${stem}-${i}`;
      stems.add(free.toLowerCase());
      byPath.set(image.path, `${free}${ending}`);
      return `${free}${ending}`;
    }),
  }));
}

async function writePictures(
  parts: readonly NamedPart[],
  folderOf: (part: NamedPart) => string,
  { pictures = 'copy', onPicture, signal }: WriteOptions,
): Promise<void> {
  const total = parts.reduce((sum, { fileNames }) => sum + fileNames.length, 0);
  const written = new Set<string>();
  let done = 0;
  for (const part of parts) {
    const folder = folderOf(part);
    await mkdir(folder, { recursive: true });
    for (const [i, { path }] of part.dataset.images.entries()) {
      if (signal?.aborted) throw new BoxwrightError('aborted', 'Stopped while pictures were written');
      const target = join(folder, part.fileNames[i]);
      // Two parts of one folder may share a picture.
      if (!written.has(target)) {
        if (pictures === 'link') await symlink(path, target);
        else await copyFile(path, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
        written.add(target);
      }
      onPicture?.(++done, total);
    }
  }
}
