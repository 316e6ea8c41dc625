import { existsSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BoxwrightError } from '../errors.js';
import { writeError } from '../weights/atomic-file.js';
import { type CachePlace, cacheFolder, cachePlace, isStamped, writeStamp } from './cache.js';
import type { Card } from './card.js';
import { type DownloadOptions, download } from './download.js';
import { fileSha256 } from './file-sha256.js';
import { findCard } from './find-card.js';
import { acquireLock, type LockOptions } from './lock.js';
import { PartFile } from './part-file.js';
import type { PullProgress } from './progress.js';
import { requireAsset } from './require-asset.js';
import { throttled } from './throttled.js';

/** How `pull` downloads, and where to. */
export interface PullOptions {
  /** Ends the download; what has come is kept, and the next `pull` goes on behind it. */
  readonly signal?: AbortSignal;
  /** Told of every step; bytes some ten times a second. */
  readonly onProgress?: (progress: PullProgress) => void;
  /** Folder of downloads; by default `BOXWRIGHT_CACHE`, else the user's cache folder (see `docs/hub.md`). */
  readonly cache?: string;
  /** Take the checksum of a file that is there already, even if that was done before. */
  readonly verify?: boolean;
  /** How long to wait for servers and for other processes. */
  readonly patience?: Pick<DownloadOptions, 'stall' | 'attempts' | 'pause'> & Pick<LockOptions, 'beat' | 'patience'>;
}

/** A card's file on this machine, checked. */
export interface Pulled {
  readonly card: Card;
  readonly path: string;
  readonly bytes: number;
  /** Whether it was there already. */
  readonly cached: boolean;
}

/**
 * Downloads a card's weights into the cache, unless they are there. The checksum is taken as the bytes come, a broken
 * download is gone on with, and of several processes at once one downloads while the others wait. A file that a person
 * has put in its place is taken once its checksum fits.
 *
 * @param source a name of `cards()`, the path or file URL of a card's markdown file, or a card.
 * @throws BoxwrightError `model` for an unknown name; `data` for a card that is none; `network` if the file cannot be
 *   downloaded, with what to put where instead; `weights` if its checksum is not the card's or it is too long; `io` if the disk is full or
 *   the cache cannot be written; `aborted` by the signal.
 */
export async function pull(source: string | URL | Card, options: PullOptions = {}): Promise<Pulled> {
  const card = typeof source === 'string' || source instanceof URL ? await findCard(source) : source;
  requireAsset(card.asset, `card "${card.name}"`);
  const place = cachePlace(resolve(options.cache ?? cacheFolder()), card);
  const before = await checkedFile(card, place, options);
  if (before) return before;
  await mkdir(place.folder, { recursive: true }).catch((cause) => Promise.reject(writeError(place.folder, cause)));
  const { name } = card;
  const onWait = () => options.onProgress?.({ kind: 'waiting', name });
  await using lock = await acquireLock(place.lock, { ...options.patience, signal: options.signal, onWait });
  const meanwhile = await checkedFile(card, place, options); // the process before this one may have brought it
  return meanwhile ?? (await fetchFile(card, place, lock.lost, options));
}

/** Whether a card's file is in the cache, as far as its name tells. */
export function isCached(card: Card, cache: string = cacheFolder()): boolean {
  return existsSync(cachePlace(resolve(cache), card).file);
}

/** The file if it is there and is the card's. */
async function checkedFile(card: Card, place: CachePlace, options: PullOptions): Promise<Pulled | undefined> {
  const { file } = place;
  const found = await stat(file).catch((cause: NodeJS.ErrnoException) => cause);
  if (found instanceof Error) {
    if (found.code === 'ENOENT' || found.code === 'ENOTDIR') return undefined;
    throw new BoxwrightError('io', `cannot read ${file}: ${found.message}`, { cause: found });
  }
  const { sha256 } = card.asset;
  if (options.verify || !(await isStamped(place, sha256))) {
    const { name } = card;
    const onProgress = throttled((done: number, total: number) =>
      options.onProgress?.({ kind: 'checking', name, done, total }),
    );
    const actual = await fileSha256(file, { signal: options.signal, onProgress });
    if (actual !== sha256) {
      const advice = 'It is another file or a damaged one: remove it and pull again';
      throw new BoxwrightError('weights', `${file}: ${sums(actual, sha256)}. ${advice}.`);
    }
    await writeStamp(place, sha256);
  }
  return { card, path: file, bytes: found.size, cached: true };
}

async function fetchFile(card: Card, place: CachePlace, lost: AbortSignal, options: PullOptions): Promise<Pulled> {
  const { name, asset } = card;
  const { part: path, partInfo, file } = place;
  const signal = AbortSignal.any([lost, ...(options.signal ? [options.signal] : [])]);
  const onProgress: DownloadOptions['onProgress'] = (progress) => options.onProgress?.({ ...progress, name });
  const part = await PartFile.open(path, partInfo);
  let bytes = 0;
  try {
    const actual = await download(asset, part, { ...options.patience, signal, onProgress });
    bytes = part.size;
    if (actual !== asset.sha256) throw damaged(card, actual);
    await part.flush();
  } catch (error) {
    // No attempt that goes on with another file could succeed.
    if (error instanceof BoxwrightError && error.code === 'weights') await drop(place);
    throw explained(error, card, place, part.size, lost.aborted);
  } finally {
    await part.close();
  }
  await rename(path, file).catch((cause) => Promise.reject(writeError(file, cause)));
  await rm(partInfo, { force: true });
  await writeStamp(place, asset.sha256);
  options.onProgress?.({ kind: 'done', name, path: file, bytes });
  return { card, path: file, bytes, cached: false };
}

async function drop({ part, partInfo }: CachePlace): Promise<void> {
  await rm(part, { force: true });
  await rm(partInfo, { force: true });
}

function damaged({ asset }: Card, actual: string): BoxwrightError {
  const meaning = 'The download is damaged, or the file there is another one than the card means';
  const advice = 'It was removed; pull again, and if that does not help, do not use that source';
  return new BoxwrightError('weights', `${asset.url}: ${sums(actual, asset.sha256)}. ${meaning}. ${advice}.`);
}

const sums = (actual: string, expected: string) => `its sha256 is ${actual}, the card's is ${expected}`;

/** The error with what a person can do about it. */
function explained(
  error: unknown,
  { name, asset }: Card,
  { file, part }: CachePlace,
  size: number,
  lost: boolean,
): unknown {
  if (!(error instanceof BoxwrightError)) return error;
  const { code, message } = error;
  const kept = size > 0 ? ` The ${size} bytes that came are kept in ${part}: the next pull goes on behind them.` : '';
  if (code === 'aborted' && lost) {
    const problem = 'another process took over, since this one had stood still for too long';
    return new BoxwrightError('io', `The download of ${name} was given up: ${problem}.`, { cause: error });
  }
  if (code === 'network') {
    const byHand = `Without a connection, get ${asset.url} (sha256 ${asset.sha256}) elsewhere and put it at ${file}: it is taken once its checksum fits`;
    return new BoxwrightError(code, `${message}${kept}\n${byHand}.`, { cause: error });
  }
  return code === 'io' || code === 'aborted'
    ? new BoxwrightError(code, `${message.replace(/\.$/, '')}.${kept}`, { cause: error })
    : error;
}
