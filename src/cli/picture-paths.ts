import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { isPictureName, pictureExtensions } from '../data/picture-files.js';
import { BoxwrightError } from '../errors.js';
import { similarName } from '../models/nearest-name.js';

/** A picture to look at. */
export interface PicturePath {
  readonly path: string;
  /** Where results for it go below an output folder: its path below the folder or pattern that named it. */
  readonly name: string;
}

/**
 * The pictures that files, folders (with all below them) and glob patterns name, each once, in the order given and
 * sorted within a folder.
 *
 * @throws BoxwrightError `data` for a path that does not exist (with the nearest name) and for folders and patterns
 *   without any picture.
 */
export async function picturePaths(given: readonly string[]): Promise<PicturePath[]> {
  const found = new Map<string, PicturePath>();
  for (const entry of given) {
    for (const picture of await expanded(entry)) {
      const whole = resolve(picture.path);
      if (!found.has(whole)) found.set(whole, picture);
    }
  }
  return [...found.values()];
}

async function expanded(entry: string): Promise<PicturePath[]> {
  const about = await stat(entry).catch(() => undefined);
  if (about?.isDirectory()) return inFolder(entry);
  if (about) return [{ path: entry, name: basename(entry) }];
  if (!isDynamicPattern(entry)) throw await missing(entry);
  const paths = (await glob(entry, { expandDirectories: false, absolute: isAbsolute(entry) })).sort();
  if (paths.length === 0) throw new BoxwrightError('data', `${entry}: no file fits this pattern.`);
  const pictures = paths.filter(isPictureName);
  if (pictures.length === 0) {
    throw new BoxwrightError('data', `${entry}: none of the ${paths.length} files is a picture (${extensionList()}).`);
  }
  const root = commonFolder(pictures);
  return pictures.map((path) => ({ path, name: relative(root, path) }));
}

async function inFolder(folder: string): Promise<PicturePath[]> {
  const names = await glob('**/*', { cwd: folder, expandDirectories: false });
  const pictures = names.filter(isPictureName).sort();
  if (pictures.length === 0) {
    throw new BoxwrightError('data', `${folder}: the folder holds no picture (${extensionList()}).`);
  }
  return pictures.map((name) => ({ path: join(folder, name), name }));
}

const extensionList = () => pictureExtensions.join(', ');

function commonFolder(paths: readonly string[]): string {
  let common = dirname(resolve(paths[0])); // whole, as the folder above a relative one is not in its name
  for (const path of paths) while (leadsOut(relative(common, path))) common = dirname(common);
  return common;
}

/** Of a relative path; a file may be called `..a.png`. */
function leadsOut(path: string): boolean {
  return /^\.\.($|[\\/])/.test(path);
}

async function missing(path: string): Promise<BoxwrightError> {
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => undefined);
  if (!names) return new BoxwrightError('data', `${path}: there is no folder ${folder}.`);
  const similar = similarName(basename(path), names);
  const hint = similar === undefined ? '' : ` Did you mean ${join(folder, similar)}?`;
  return new BoxwrightError('data', `${path}: there is no such file or folder.${hint}`);
}
