import { BoxwrightError } from '../errors.js';

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

/** @throws BoxwrightError `weights` for bytes that a source does not have. */
export function requireInside(name: string, size: number, position: number, length: number): void {
  if (position >= 0 && length >= 0 && position + length <= size) return;
  const problem = `bytes ${position} to ${position + length} are needed, the file has ${size}`;
  throw new BoxwrightError('weights', `${name}: truncated: ${problem}. Download or copy it again.`);
}
