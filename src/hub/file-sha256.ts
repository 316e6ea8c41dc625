import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { BoxwrightError } from '../errors.js';

/** How the hashing of a large file is watched and ended. */
export interface HashOptions {
  readonly signal?: AbortSignal;
  /** Bytes that are done, now and then. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * The sha256 of a file, as 64 hexadecimal digits.
 *
 * @throws BoxwrightError `io` if the file cannot be read; `aborted` by the signal.
 */
export async function fileSha256(path: string, { signal, onProgress }: HashOptions = {}): Promise<string> {
  const hash = createHash('sha256');
  try {
    const { size } = await stat(path);
    let done = 0;
    for await (const piece of createReadStream(path, { highWaterMark: 1 << 20, signal })) {
      hash.update(piece as Buffer);
      done += (piece as Buffer).byteLength;
      onProgress?.(done, size);
    }
  } catch (cause) {
    if (signal?.aborted) throw new BoxwrightError('aborted', `Checking ${path} was stopped by its signal.`, { cause });
    throw new BoxwrightError('io', `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
  return hash.digest('hex');
}
