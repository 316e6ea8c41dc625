import { BoxwrightError } from '../errors.js';
import { reasonOf } from '../hub/request.js';

const longest = 60; // seconds
const largest = 256 * 2 ** 20; // bytes; no picture file that can be decoded is near it

/**
 * The bytes of a picture file on the web.
 *
 * @throws BoxwrightError `data` if the server cannot be reached, refuses, takes longer than a minute or sends more than
 *   256 MiB.
 */
export async function downloadPicture(url: URL): Promise<Uint8Array> {
  const refused = (problem: string, cause?: unknown) =>
    new BoxwrightError('data', `${url.href}: cannot be downloaded: ${problem}`, { cause });
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000 * longest) });
    if (!response.ok) throw refused(`the server answered ${response.status} ${response.statusText}`.trim());
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of response.body ?? []) {
      size += part.length;
      if (size > largest) throw refused(`it is larger than ${largest / 2 ** 20} MiB`);
      parts.push(part);
    }
    return Buffer.concat(parts);
  } catch (cause) {
    if (cause instanceof BoxwrightError) throw cause;
    const slow = (cause as Error).name === 'TimeoutError';
    throw refused(slow ? `it took longer than ${longest} seconds` : reasonOf(cause), cause);
  }
}
