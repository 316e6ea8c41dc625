import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BoxwrightError, systemCode } from '../errors.js';
import { type ByteSource, requireInside } from './byte-source.js';

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
