import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { writeFileAtomically } from '../weights/atomic-file.js';
import type { Card } from './card.js';
import { safeName } from './safe-name.js';

/** Where a card's file is kept, and what stands beside it. */
export interface CachePlace {
  readonly folder: string;
  readonly file: string;
  /** What has been downloaded so far. */
  readonly part: string;
  /** What the server said of the file that the part is of. */
  readonly partInfo: string;
  readonly lock: string;
  readonly stamp: string;
}

/**
 * The folder of downloads: `BOXWRIGHT_CACHE`, else `boxwright` in `XDG_CACHE_HOME`, else what is usual for the system:
 * `~/Library/Caches/boxwright` on macOS, `%LOCALAPPDATA%\boxwright\Cache` on Windows, `~/.cache/boxwright` elsewhere.
 */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env, platform = process.platform): string {
  if (env.BOXWRIGHT_CACHE) return resolve(env.BOXWRIGHT_CACHE);
  // The XDG base directory specification has relative paths ignored.
  if (env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME)) return join(env.XDG_CACHE_HOME, 'boxwright');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'boxwright');
  if (platform === 'win32' && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, 'boxwright', 'Cache');
  return join(homedir(), '.cache', 'boxwright');
}

/** A card's place. It has a part of the checksum in its name: other contents are never at the same place. */
export function cachePlace(cache: string, { name, asset }: Pick<Card, 'name' | 'asset'>): CachePlace {
  const folder = join(cache, `${safeName(name, 'card')}-${asset.sha256.slice(0, 12)}`);
  const file = join(folder, fileName(asset.url));
  const part = `${file}.part`;
  return { folder, file, part, partInfo: `${part}.json`, lock: `${file}.lock`, stamp: `${file}.checked.json` };
}

/** The last part of a link's path, as a name that no system minds. */
function fileName(url: string): string {
  return safeName(basename(new URL(url).pathname), 'file');
}

/** What a file was when its sha256 was taken, so that it need not be taken each time. */
interface Stamp {
  readonly sha256: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/** Whether the file is still the one whose sha256 was found to be this one. */
export async function isStamped({ file, stamp }: CachePlace, sha256: string): Promise<boolean> {
  const found = (await readFile(stamp, 'utf8')
    .then(JSON.parse)
    .catch(() => undefined)) as Partial<Stamp> | undefined;
  const { size, mtimeMs } = await stat(file);
  return found?.sha256 === sha256 && found.size === size && found.mtimeMs === mtimeMs;
}

/** Remembers that the file has this sha256; where that cannot be written, it is taken again the next time. */
export async function writeStamp({ file, stamp }: CachePlace, sha256: string): Promise<void> {
  const { size, mtimeMs } = await stat(file);
  const stamped: Stamp = { sha256, size, mtimeMs };
  await writeFileAtomically(stamp, `${JSON.stringify(stamped)}\n`).catch(() => {});
}
