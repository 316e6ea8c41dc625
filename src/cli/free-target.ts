import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BoxwrightError } from '../errors.js';

/** @throws BoxwrightError `io` if something is there already that is not to be replaced, or no folder at all. */
export async function requireEmptyFolder(path: string, force: boolean): Promise<void> {
  if (!existsSync(path)) return;
  const names = await readdir(path).catch((cause) => {
    throw new BoxwrightError('io', `${path}: is no folder to write to (${cause.message}).`, { cause });
  });
  if (names.length === 0 || force) return;
  throw new BoxwrightError('io', `${path}: the folder is not empty; choose another, or use --force.`);
}

/**
 * For a file that is written at the end of long work.
 *
 * @throws BoxwrightError `io` if the file exists and is not to be replaced, or there is no folder to write it to.
 */
export function requireTarget(path: string, force: boolean): void {
  if (!force) requireNoFile(path);
  const folder = dirname(path);
  if (!existsSync(folder)) throw new BoxwrightError('io', `${path}: there is no folder ${folder}; create it first.`);
}

/** @throws BoxwrightError `io` if the file exists. */
export function requireNoFile(path: string): void {
  if (!existsSync(path)) return;
  throw new BoxwrightError('io', `${path}: exists already; choose another name, or use --force.`);
}
