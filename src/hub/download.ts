import { setTimeout as sleep } from 'node:timers/promises';
import { BoxwrightError } from '../errors.js';
import type { CardAsset } from './card.js';
import type { PartFile, PartInfo } from './part-file.js';
import type { DownloadProgress } from './progress.js';
import { discard, Interrupted, reasonOf, request } from './request.js';
import { throttled } from './throttled.js';
import { TransferRate } from './transfer-rate.js';

/** Bytes of the largest file that is taken where the card does not say how long it is. */
const largestFile = 2 ** 32;

/** How a download is watched, and how long it is tried. */
export interface DownloadOptions {
  /** Ends the download; what has come stays in the part. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Milliseconds without a byte after which the connection counts as broken; a minute by default. */
  readonly stall?: number;
  /** Attempts in a row that may fail without a byte more; 4 by default. */
  readonly attempts?: number;
  /** Milliseconds before the second attempt, doubled each time; 1000 by default. */
  readonly pause?: number;
}

/**
 * Downloads into a part file, going on behind what is there. A broken connection is tried again at once and for some
 * time; a server that does not go on where the part ends, or whose file has changed meanwhile, is read from the start.
 *
 * @returns the sha256 of the whole file.
 * @throws BoxwrightError `aborted` by the signal; `network` if the server refuses or cannot be reached; `io` if the disk
 *   is full. What has come by then stays in the part. `weights` if the file is longer than it may be: a server could send
 *   without end.
 */
export async function download(
  { url, sha256, bytes: limit = largestFile }: Pick<CardAsset, 'url' | 'sha256' | 'bytes'>,
  part: PartFile,
  options: DownloadOptions = {},
): Promise<string> {
  const { signal = new AbortController().signal, onProgress, attempts = 4, pause = 1_000 } = options;
  try {
    const report = throttled((done: number, total: number) => onProgress?.({ kind: 'checking', done, total }));
    await part.catchUp(report, signal);
    if (part.sha256 === sha256) return sha256; // an earlier attempt had it all
    let furthest = part.size;
    for (let failures = 0; ; ) {
      try {
        await transfer(url, part, limit, { ...options, signal });
        return part.sha256;
      } catch (error) {
        if (signal.aborted || !(error instanceof Interrupted)) throw error;
        // Bytes that came before do not count as getting on, or a server that always breaks off would be asked for ever.
        failures = part.size > furthest ? 1 : failures + 1;
        furthest = Math.max(furthest, part.size);
        if (failures >= attempts) throw unreachable(url, error, failures);
        onProgress?.({ kind: 'retrying', reason: error.message, received: part.size });
        await sleep(pause * 2 ** (failures - 1), undefined, { signal });
      }
    }
  } catch (cause) {
    if (signal.aborted) throw new BoxwrightError('aborted', 'The download was stopped by its signal.', { cause });
    throw cause;
  }
}

/** One request and its bytes. */
async function transfer(
  url: string,
  part: PartFile,
  limit: number,
  options: DownloadOptions & { signal: AbortSignal },
): Promise<void> {
  const { signal, onProgress, stall = 60_000 } = options;
  const watch = new StallWatch(stall);
  const ended = AbortSignal.any([signal, watch.signal]);
  try {
    const response = await request(url, rangeHeaders(url, part), ended);
    const total = await begin(url, response, part, onProgress);
    if (total !== undefined && total > limit) {
      await discard(response);
      throw tooLong(url, `${total} bytes`, limit);
    }
    if (total === part.size) return await discard(response);
    await receive(response, part, total, limit, watch, onProgress);
  } catch (error) {
    if (!signal.aborted && watch.signal.aborted) {
      const problem = `no byte came for ${stall / 1000} s`;
      throw new Interrupted(`${new URL(url).host}: ${problem}`, { cause: error });
    }
    throw error;
  } finally {
    watch.stop();
  }
}

/** Asks for what comes behind the part, if the file is still the one that the part is of. */
function rangeHeaders(url: string, { size, info }: PartFile): Record<string, string> {
  if (size === 0) return {};
  const known = info?.url === url ? (info.etag ?? info.lastModified) : undefined;
  return { range: `bytes=${size}-`, ...(known !== undefined && { 'if-range': known }) };
}

/**
 * Makes the part ready for the answer's bytes.
 *
 * @returns bytes of the whole file, if the server says so.
 */
async function begin(
  url: string,
  response: Response,
  part: PartFile,
  onProgress: DownloadOptions['onProgress'],
): Promise<number | undefined> {
  const { status, headers } = response;
  const info = infoOf(url, headers);
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
  const total = range?.[2] === undefined || range[2] === '*' ? undefined : Number(range[2]);
  if (status === 416 && total === part.size) return total; // nothing was missing
  const compressed = headers.has('content-encoding'); // against our wish: its places are not those of the file
  const isNext = status === 206 && Number(range?.[1]) === part.size;
  const goesOn = isNext && !compressed && isSameFile(part.info, info);
  if (goesOn) return total;
  if (part.size > 0) onProgress?.({ kind: 'restarting', dropped: part.size });
  await part.empty();
  if (status !== 200) {
    await discard(response);
    throw new Interrupted(`${new URL(url).host}: the server answered ${status} and cannot go on at that byte`);
  }
  await part.describe(info);
  const length = headers.get('content-length');
  return length === null || compressed ? undefined : Number(length);
}

/** Only a strong ETag says that every byte is the same (RFC 9110, section 8.8.1). */
function infoOf(url: string, headers: Headers): PartInfo {
  const etag = headers.get('etag') ?? undefined;
  return {
    url,
    etag: etag?.startsWith('"') ? etag : undefined,
    lastModified: headers.get('last-modified') ?? undefined,
  };
}

function isSameFile(before: PartInfo | undefined, now: PartInfo): boolean {
  if (before?.url !== now.url || before.etag === undefined || now.etag === undefined) return true;
  return before.etag === now.etag;
}

async function receive(
  response: Response,
  part: PartFile,
  total: number | undefined,
  limit: number,
  watch: StallWatch,
  onProgress: DownloadOptions['onProgress'],
): Promise<void> {
  const rate = new TransferRate();
  const report = () => {
    rate.add(part.size, performance.now() / 1000);
    const { bytesPerSecond } = rate;
    const secondsLeft = total !== undefined && bytesPerSecond > 0 ? (total - part.size) / bytesPerSecond : undefined;
    onProgress?.({ kind: 'downloading', received: part.size, total, bytesPerSecond, secondsLeft });
  };
  const reportNowAndThen = throttled(report);
  report();
  for await (const bytes of bytesOf(response)) {
    watch.touch();
    if (part.size + bytes.byteLength > limit) throw tooLong(response.url, 'more', limit);
    await part.append(bytes);
    reportNowAndThen();
  }
  report();
  if (total !== undefined && part.size !== total) {
    const found = `${part.size} of ${total} bytes came`;
    throw new Interrupted(`${new URL(response.url).host}: the connection was broken (${found})`);
  }
}

async function* bytesOf(response: Response): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (cause) {
    throw new Interrupted(`${new URL(response.url).host}: ${reasonOf(cause)}`, { cause });
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** Aborts its signal when nothing has happened for some time. */
class StallWatch {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(milliseconds: number) {
    this.#timer = setTimeout(() => this.#abort.abort(), milliseconds);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  touch(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

function tooLong(url: string, found: string, limit: number): BoxwrightError {
  const advice = 'It is not the file that the card means, or the card lacks its "bytes"';
  return new BoxwrightError('weights', `${url}: the file has ${found}, expected at most ${limit} bytes. ${advice}.`);
}

function unreachable(url: string, cause: Interrupted, attempts: number): BoxwrightError {
  return new BoxwrightError('network', `cannot download ${url}: ${cause.message} (${attempts} attempts).`, { cause });
}
