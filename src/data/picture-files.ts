import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { BoxwrightError } from '../errors.js';
import type { Findings } from './ground-truth.js';

/** Extensions of pictures that can be decoded, in the order in which they are preferred. */
export const pictureExtensions: readonly string[] = [
  '.jpg',
  '.jpeg',
  '.png',
  '.webp',
  '.tif',
  '.tiff',
  '.gif',
  '.avif',
];

/** How many missing pictures an error names. */
const NAMED_MISSING = 5;

/** True if the name's extension is a picture's. */
export function isPictureName(name: string): boolean {
  return pictureExtensions.includes(extname(name).toLowerCase());
}

/** The error for a file that is there, but of a format that is not decoded, such as BMP. */
export function undecodable(path: string): BoxwrightError {
  const known = pictureExtensions.join(', ');
  return new BoxwrightError(
    'data',
    `${path}: pictures of this format cannot be decoded (${known} can); convert it to PNG`,
  );
}

/** Names of the entries of a folder, sorted; empty if there is no such folder. */
export async function listFolder(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return [];
    throw new BoxwrightError('io', `${folder}: the folder cannot be read (${cause.message})`, { cause });
  });
  return names.sort();
}

/** A folder's pictures by name without extension; of several with one name the preferred extension wins. */
export async function picturesByStem(folder: string): Promise<Map<string, string>> {
  const rank = (name: string) => pictureExtensions.indexOf(extname(name).toLowerCase());
  const names = (await listFolder(folder)).filter(isPictureName).sort((a, b) => rank(b) - rank(a));
  return new Map(names.map((name) => [name.slice(0, -extname(name).length), name]));
}

/** Finds where pictures lie: the folder that holds most of the names. */
export async function locatePictures(
  names: readonly string[],
  folders: readonly string[],
): Promise<{ folder: string; missing: string[] }> {
  let best: { folder: string; missing: string[] } | undefined;
  for (const folder of new Set(folders.map((path) => resolve(path)))) {
    const here = new Set(await listFolder(folder));
    const missing = names.filter((name) => !here.has(name) && !(/[\\/]/.test(name) && existsSync(join(folder, name))));
    if (!best || missing.length < best.missing.length) best = { folder, missing };
    if (missing.length === 0) break;
  }
  return best ?? { folder: '.', missing: [...names] };
}

/** Refuses missing pictures: an error with the first names and the count, or in tolerant findings a problem for each. */
export function refusePictures(
  findings: Findings,
  file: string,
  missing: readonly string[],
  count: number,
  searched: readonly string[],
): void {
  if (missing.length === 0) return;
  const where = `Looked in ${searched.join(', ')}`;
  if (findings.tolerant) {
    for (const name of missing) {
      const what = `the picture ${name} is missing. ${where}`;
      findings.problems.push({ kind: 'missing picture', file, what, action: 'dropped' });
    }
    return;
  }
  const named = missing.slice(0, NAMED_MISSING).join(', ');
  const more = missing.length > NAMED_MISSING ? ', …' : '';
  throw new BoxwrightError(
    'data',
    `${file}: ${missing.length} of ${count} annotated pictures are missing: ${named}${more}. ${where}; ` +
      'put them there, or remove their annotations',
  );
}

/**
 * Finds pictures by the names that annotations give them: as a path that is there, or by ever shorter ends of it below
 * the folders, in their order; a name without extension finds any picture of that name. Folders are listed once.
 */
export function pictureFinder(folders: readonly string[]): (name: string) => Promise<string | undefined> {
  const listed = new Map<string, Promise<Map<string, string>>>();
  const list = (folder: string) => {
    let names = listed.get(folder);
    if (!names) {
      names = listFolder(folder).then((all) => new Map(all.flatMap((name) => keysOf(name).map((key) => [key, name]))));
      listed.set(folder, names);
    }
    return names;
  };
  const inFolder = async (folder: string, name: string) => {
    const place = join(folder, dirname(name));
    const found = (await list(place)).get(basename(name));
    return found === undefined ? undefined : join(place, found);
  };
  return async (name) => {
    const path = name.replaceAll('\\', '/');
    if (isAbsolute(path)) {
      const there = await inFolder(dirname(path), basename(path));
      if (there !== undefined) return there;
    }
    const steps = path.split('/').filter((step) => step !== '' && step !== '.');
    for (let from = 0; from < steps.length; from++) {
      const end = steps.slice(from).join('/');
      for (const folder of folders) {
        const found = await inFolder(folder, end);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  };
}

/** A file is found by its name, a picture also by its name without extension. */
function keysOf(name: string): string[] {
  return isPictureName(name) ? [name.slice(0, -extname(name).length), name] : [name];
}

/** Where pictures usually lie that an annotation file of a part names. */
export function usualFolders(folder: string, part?: string): string[] {
  const names = ['images', 'JPEGImages', 'Images', 'imgs'];
  const own = part === undefined ? [] : [part, join('images', part), join(part, 'images')];
  const beside = ['', ...own, ...names].map((name) => join(folder, name));
  return [...beside, ...[...own, ...names].map((name) => join(dirname(folder), name))];
}
