import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BoxwrightError, systemCode } from '../errors.js';

/** Bytes that are read piece by piece: a file on disk, or memory. Readers check lengths against `size` before they ask. */
export interface ByteSource {
  /** What errors call it. */
  readonly name: string;
  /** Bytes in all. */
  readonly size: number;
  /**
   * Bytes `position` to `position + length`; of memory they are a view, of a file memory of their own.
   * @throws BoxwrightError `weights` if they reach beyond the end; `io` if the file cannot be read.
   */
  read(position: number, length: number): Promise<Uint8Array>;
  /** Opens a file of the same folder for `use`; absent where there is no folder. See `withFileBeside`. */
  readonly beside?: <T>(name: string, use: (source: ByteSource) => Promise<T>) => Promise<T>;
}

/** A large read is made of pieces, several under way at once: copying into fresh memory is work for more than one processor. */
const pieceSize = 2 ** 20;
const readers = 4;

/**
 * Opens a file for `use` and closes it behind it.
 *
 * @throws BoxwrightError `io` where the system refuses to open or read it; errors of `use` as they are.
 */
export async function withFile<T>(path: string, use: (source: ByteSource) => Promise<T>): Promise<T> {
  const file = await open(path, 'r').catch((cause) => Promise.reject(readError(path, cause)));
  try {
    const { size } = await file.stat();
    const read = async (position: number, length: number) => {
      requireInside(path, size, position, length);
      const bytes = allocated(path, length);
      let next = 0;
      const readPieces = async () => {
        while (next < length) {
          let at = next;
          next = Math.min(at + pieceSize, length);
          for (const end = next; at < end; ) {
            const { bytesRead } = await file.read(bytes, at, end - at, position + at);
            if (bytesRead === 0) throw shrunk(path, position + at, position + length);
            at += bytesRead;
          }
        }
      };
      await Promise.all(Array.from({ length: Math.min(readers, Math.ceil(length / pieceSize)) }, readPieces));
      return bytes;
    };
    const beside: ByteSource['beside'] = (name, inner) => withFile(join(dirname(path), name), inner);
    return await use({ name: path, size, read, beside });
  } catch (cause) {
    throw systemCode(cause) === undefined ? cause : readError(path, cause);
  } finally {
    await file.close();
  }
}

/** Bytes in memory as a source; `folder` has the files beside it by name. */
export function memorySource(bytes: Uint8Array, name: string, folder?: ReadonlyMap<string, Uint8Array>): ByteSource {
  const read = async (position: number, length: number) => {
    requireInside(name, bytes.byteLength, position, length);
    return bytes.subarray(position, position + length);
  };
  if (!folder) return { name, size: bytes.byteLength, read };
  const beside: ByteSource['beside'] = async (other, use) => {
    const found = folder.get(other);
    if (!found) throw new BoxwrightError('io', `${name}: cannot read ${other} beside it: there is no such file`);
    return use(memorySource(found, other, folder));
  };
  return { name, size: bytes.byteLength, read, beside };
}

/**
 * Opens a file that `source` names and that lies in its own folder.
 * @param what it is there for, in errors
 * @throws BoxwrightError `weights` if the name leads anywhere else, or if `source` has no folder; `io` if it cannot be read.
 */
export async function withFileBeside<T>(
  source: ByteSource,
  name: string,
  what: string,
  use: (source: ByteSource) => Promise<T>,
): Promise<T> {
  const said = `${source.name}: ${what} in the file ${JSON.stringify(name.slice(0, 200))}`;
  if (name === '' || name === '.' || name === '..' || /[\\/:\0]/.test(name)) {
    throw new BoxwrightError('weights', `${said}: expected the name of a file in the same folder, without any path.`);
  }
  if (source.beside) return source.beside(name, use);
  throw new BoxwrightError(
    'weights',
    `${said} beside it, which cannot be opened from memory. Read it from its folder.`,
  );
}

/** `length` bytes of a source from `position` on, as a source of their own; errors call it as the whole. */
export function partOf(whole: ByteSource, position: number, length: number): ByteSource {
  const { name } = whole;
  requireInside(name, whole.size, position, length);
  const read = async (at: number, count: number) => {
    requireInside(name, length, at, count);
    return whole.read(position + at, count);
  };
  return { name, size: length, read };
}

function requireInside(name: string, size: number, position: number, length: number): void {
  if (position >= 0 && length >= 0 && position + length <= size) return;
  const problem = `bytes ${position} to ${position + length} are needed, the file has ${size}`;
  throw new BoxwrightError('weights', `${name}: truncated: ${problem}. Download or copy it again.`);
}

function allocated(path: string, length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new BoxwrightError('io', `cannot read ${path}: there is no memory for ${length} bytes`, { cause });
  }
}

function shrunk(path: string, found: number, expected: number): BoxwrightError {
  const problem = `the file ended at byte ${found}, expected ${expected}: it shrank while it was read`;
  return new BoxwrightError('weights', `${path}: ${problem}`);
}

function readError(path: string, cause: unknown): BoxwrightError {
  const code = (cause as NodeJS.ErrnoException).code;
  const known: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file',
    EISDIR: 'it is a folder; give a file in it',
  };
  const reason = known[code ?? ''] ?? (cause as Error).message;
  return new BoxwrightError('io', `cannot read ${path}: ${reason}`, { cause });
}
