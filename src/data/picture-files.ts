import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { BoxwrightError } from '../errors.js';

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

/** Throws `BoxwrightError('data')` with the first names and the count if pictures are missing. */
export function requirePictures(
  place: string,
  missing: readonly string[],
  count: number,
  searched: readonly string[],
): void {
  if (missing.length === 0) return;
  const named = missing.slice(0, NAMED_MISSING).join(', ');
  const more = missing.length > NAMED_MISSING ? ', …' : '';
  throw new BoxwrightError(
    'data',
    `${place}: ${missing.length} of ${count} annotated pictures are missing: ${named}${more}. Looked in ${searched.join(', ')}; ` +
      'put them there, or remove their annotations',
  );
}
