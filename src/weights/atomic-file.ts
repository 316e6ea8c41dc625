import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BoxwrightError, systemCode } from '../errors.js';

/** What a file is written from: one piece, or pieces in order, which are never joined in memory. */
export type FileContent = string | Uint8Array | Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** Characters of small pieces that go to the system together: a call for each line would take longer than the lines. */
const gatheredLength = 2 ** 16;

const advice: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free some space or choose another folder',
  EDQUOT: 'the disk quota is used up: free some space or choose another folder',
  EFBIG: 'the file would be larger than this system allows: raise the limit (ulimit -f) or choose another folder',
  EACCES: 'permission denied: make the folder writable or choose another one',
  EPERM: 'not permitted: make the folder writable or choose another one',
  EROFS: 'the file system is read-only: choose another folder',
  ENOENT: 'its folder does not exist: create it first',
  ENOTDIR: 'a part of its path is a file, not a folder: choose another path',
  EISDIR: 'there is a folder of that name: choose another name',
};

/**
 * Writes a file so that whoever looks, at any moment and after a power cut, finds the previous file or the whole new one:
 * the content goes to a temporary name in the same folder, is flushed to the disk and renamed over `path`, and the
 * folder is flushed too. A symbolic link at `path` is replaced, not followed.
 *
 * @throws BoxwrightError `io` where that fails (disk full, no permission, no such folder); errors of the content
 *   as they are. Either way the temporary file is removed and the previous file is as it was.
 */
export async function writeFileAtomically(path: string, content: FileContent): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
  try {
    await writeThrough(temporary, content);
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {});
    throw writeError(path, cause);
  }
  await flushFolder(folder);
}

/**
 * The error for a file or folder that could not be written: names the path, the system's reason and the way out. What the
 * system has no part in, such as a mistake in what makes the content, comes back as it is.
 */
export function writeError(path: string, cause: unknown): unknown {
  const code = systemCode(cause);
  if (code === undefined) return cause;
  const reason = advice[code] ?? (cause as Error).message;
  return new BoxwrightError('io', `cannot write ${path}: ${reason} (${code})`, { cause });
}

async function writeThrough(path: string, content: FileContent): Promise<void> {
  const file = await open(path, 'wx');
  try {
    for await (const piece of gathered(piecesOf(content))) await writeAll(file, piece);
    await file.sync();
  } finally {
    await file.close();
  }
}

function piecesOf(content: FileContent): Pieces {
  return typeof content === 'string' || content instanceof Uint8Array ? [content] : content;
}

type Pieces = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** The same text and bytes in fewer pieces. */
async function* gathered(pieces: Pieces): AsyncGenerator<string | Uint8Array> {
  let texts: string[] = [];
  let length = 0;
  for await (const piece of pieces) {
    const isText = typeof piece === 'string';
    if (isText) {
      texts.push(piece);
      length += piece.length;
      if (length < gatheredLength) continue;
    }
    if (texts.length > 0) yield texts.join('');
    texts = [];
    length = 0;
    if (!isText) yield piece;
  }
  if (texts.length > 0) yield texts.join('');
}

// A write may take less than it was given (it never takes more than 2 GiB), without an error.
async function writeAll(file: FileHandle, piece: string | Uint8Array): Promise<void> {
  const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
  for (let at = 0; at < bytes.byteLength; ) {
    at += (await file.write(bytes, at, Math.min(bytes.byteLength - at, 2 ** 30))).bytesWritten;
  }
}

// Only a folder's flush makes the rename itself last; systems that cannot open a folder (Windows) do it on their own.
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  try {
    await handle?.sync();
  } catch {
    // The new file is in place and whole; some network file systems refuse to flush a folder.
  } finally {
    await handle?.close();
  }
}
