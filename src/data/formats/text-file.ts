import { open, readFile } from 'node:fs/promises';
import { BoxwrightError } from '../../errors.js';

/** Bytes of a file's beginning that tell what it is. */
const headBytes = 16384;

/** How a text file is read. */
interface ReadTextOptions {
  /** What it is, for messages. */
  readonly what?: string;
  readonly signal?: AbortSignal;
}

/** Reads a text file. @throws BoxwrightError `io` if it cannot be read; `aborted` when the signal says so. */
export async function readText(
  path: string,
  { what = 'the annotations', signal }: ReadTextOptions = {},
): Promise<string> {
  const text = await readFile(path, { encoding: 'utf8', signal }).catch((cause: Error) => {
    if (signal?.aborted) throw new BoxwrightError('aborted', `Reading ${path} was stopped by its signal.`, { cause });
    throw new BoxwrightError('io', `${path}: ${what} cannot be read (${cause.message})`, { cause });
  });
  return withoutMark(text);
}

/** The beginning of a file, to see what it is; empty if it cannot be read, or is a folder. */
export async function readHead(path: string, bytes = headBytes): Promise<string> {
  const file = await open(path).catch(() => undefined);
  if (!file) return '';
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
    return withoutMark(buffer.toString('utf8', 0, bytesRead));
  } catch {
    return '';
  } finally {
    await file.close();
  }
}

/** A file's list of classes, one a line; empty lines at its end are none. @throws BoxwrightError `io` */
export async function readClassNames(path: string): Promise<string[]> {
  const names = (await readText(path, { what: 'the list of classes' })).split(/\r?\n/).map((name) => name.trim());
  while (names.at(-1) === '') names.pop();
  return names;
}

/** Editors on Windows write a byte order mark, which no parser wants. */
function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}
