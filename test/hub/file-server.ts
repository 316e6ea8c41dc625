// A server of files on this machine, which can be as bad as real ones are.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { Card } from '../../src/hub/index.js';
import { temporaryFolder } from '../temporary-folder.js';

export type Handler = (request: IncomingMessage, response: ServerResponse, index: number) => void | Promise<void>;

export interface FileServer {
  /** Without a slash at its end. */
  readonly url: string;
  /** What was asked for, in order: the path and the headers that matter. */
  readonly requests: { readonly path: string; readonly range?: string; readonly ifRange?: string }[];
}

/** Serves until the test ends; the handler is told how many requests came before. */
export async function serve(t: TestContext, handler: Handler): Promise<FileServer> {
  const requests: FileServer['requests'] = [];
  const server = createServer((request, response) => {
    const { range, 'if-range': ifRange } = request.headers;
    requests.push({ path: request.url ?? '', range, ifRange: ifRange as string | undefined });
    Promise.resolve(handler(request, response, requests.length - 1)).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

export interface FileOptions {
  /** The connection is broken behind so many bytes of an answer. */
  readonly breakAfter?: number;
  /** Nothing more comes behind so many bytes of an answer, but the connection stays. */
  readonly stallAfter?: number;
  readonly etag?: string;
  readonly lastModified?: string;
  /** Whether it knows ranges; true by default. */
  readonly ranges?: boolean;
  /** Whether it says how long the file is; true by default. */
  readonly length?: boolean;
  /** Milliseconds between pieces of 64 KiB. */
  readonly slow?: number;
}

/** Answers with a file, or with what is asked for of it. */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: Uint8Array,
  { breakAfter, stallAfter, etag, lastModified, ranges = true, length = true, slow = 0 }: FileOptions = {},
): Promise<void> {
  const { range, 'if-range': ifRange } = request.headers;
  const fits = ifRange === undefined || ifRange === etag || ifRange === lastModified;
  const start = ranges && fits ? Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0) : 0;
  if (etag) response.setHeader('etag', etag);
  if (lastModified) response.setHeader('last-modified', lastModified);
  if (start > 0 && start >= file.length) {
    response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
    return;
  }
  if (start > 0) response.setHeader('content-range', `bytes ${start}-${file.length - 1}/${file.length}`);
  if (length) response.setHeader('content-length', file.length - start);
  response.writeHead(start > 0 ? 206 : 200);
  const stop = Math.min(file.length, start + (breakAfter ?? stallAfter ?? Number.POSITIVE_INFINITY));
  for (let at = start; at < stop && !response.destroyed; at += 65_536) {
    const piece = file.subarray(at, Math.min(stop, at + 65_536));
    await new Promise<void>((resolve) => response.write(piece, () => resolve()));
    if (slow) await new Promise((resolve) => setTimeout(resolve, slow));
  }
  if (breakAfter !== undefined && stop < file.length) response.destroy();
  else if (stallAfter === undefined) response.end();
}

/** Bytes that tell where they belong. */
export function bytes(count: number, seed = 1): Uint8Array {
  const all = new Uint8Array(count);
  for (let i = 0, x = seed; i < count; i++) {
    x = Math.imul(x, 1103515245) + 12345;
    all[i] = x >>> 16;
  }
  return all;
}

export const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');

/** A card for a file on a server of the test. */
export function cardFor(url: string, content: Uint8Array, more: Partial<Card> = {}): Card {
  return { name: 'test_card', asset: { url, sha256: sha256(content), format: 'ckpt' }, trainedOn: 'nothing', ...more };
}

/** The same as MindSpore Hub would write it. */
export function cardMarkdown({ asset, trainedOn }: Card, modelName = 'Test'): string {
  return [
    `# ${modelName}\n\n---\n\nmodel-name: ${modelName}\n\ntrain-dataset: ${trainedOn}\n\nasset:\n\n-`,
    `    file-format: ${asset.format}\n    asset-link: <${asset.url}>\n    asset-sha256: ${asset.sha256}\n`,
    'license: Apache2.0\n\n---\n\n## Introduction\n',
  ].join('\n');
}

/** A cache for all that this process pulls until the test ends. */
export async function ownCache(t: TestContext): Promise<string> {
  const before = process.env.BOXWRIGHT_CACHE;
  const cache = await temporaryFolder(t);
  process.env.BOXWRIGHT_CACHE = cache;
  t.after(() => {
    if (before === undefined) delete process.env.BOXWRIGHT_CACHE;
    else process.env.BOXWRIGHT_CACHE = before;
  });
  return cache;
}
