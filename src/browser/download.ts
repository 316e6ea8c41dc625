import { BoxwrightError, type ErrorCode } from '../errors.js';
import type { PullProgress } from '../hub/progress.js';

/** How far a download is; `total` is absent where the server does not say, or sends the file compressed. */
export type LoadProgress = Pick<
  Extract<PullProgress, { readonly kind: 'downloading' }>,
  'kind' | 'name' | 'received' | 'total'
>;

/** How a download is watched and ended. */
export interface DownloadOptions {
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * A file from an address that the page may read.
 *
 * @param name what messages call it
 * @param code that of errors of the download
 * @throws BoxwrightError of that code if the server refuses or cannot be reached; `aborted` by the signal.
 */
export async function download(
  url: string | URL,
  name: string,
  code: ErrorCode,
  { onProgress, signal }: DownloadOptions = {},
): Promise<Blob> {
  try {
    const response = await fetch(url, { signal });
    if (!response.ok) throw refused(code, name, `the server answered ${response.status} ${response.statusText}`.trim());
    if (!onProgress || !response.body) return await response.blob();
    const length = response.headers.has('content-encoding') ? null : response.headers.get('content-length');
    const total = length === null ? undefined : Number(length);
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let received = 0;
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return new Blob(parts);
      parts.push(value);
      received += value.byteLength;
      onProgress({ kind: 'downloading', name, received, total });
    }
  } catch (cause) {
    if (cause instanceof BoxwrightError) throw cause;
    if (signal?.aborted)
      throw new BoxwrightError('aborted', `${name}: the download was stopped by its signal.`, { cause });
    // A browser does not tell a page which of these it was.
    const reasons = 'is the address right, the server there, and may this page read from it (CORS)?';
    throw refused(code, name, `${(cause as Error).message}; ${reasons}`, cause);
  }
}

function refused(code: ErrorCode, name: string, problem: string, cause?: unknown): BoxwrightError {
  return new BoxwrightError(code, `${name}: cannot be downloaded: ${problem}`, { cause });
}
