import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { BoxwrightError } from '../../src/errors.js';
import { cachePlace } from '../../src/hub/cache.js';
import { type Card, cards, type PullOptions, type PullProgress, pull } from '../../src/hub/index.js';
import { temporaryFolder } from '../temporary-folder.js';
import { bytes, cardFor, type FileOptions, type FileServer, sendFile, serve, sha256 } from './file-server.js';

const content = bytes(300_000);
/** So that tests need not wait as people do. */
const patience = { stall: 20_000, attempts: 3, pause: 5, beat: 20, patience: 20_000 };

interface Scene {
  readonly card: Card;
  readonly server: FileServer;
  readonly cache: string;
  readonly progress: PullProgress[];
  readonly options: PullOptions;
}

/** A card whose file a server sends; each request has its own badness. */
async function scene(t: TestContext, badness: (index: number) => FileOptions = () => ({})): Promise<Scene> {
  const server = await serve(t, (request, response, index) => sendFile(request, response, content, badness(index)));
  const cache = await temporaryFolder(t);
  const progress: PullProgress[] = [];
  const options = { cache, patience, onProgress: (step: PullProgress) => progress.push(step) };
  return { card: cardFor(`${server.url}/folder/file.ckpt`, content), server, cache, progress, options };
}

const kinds = (progress: readonly PullProgress[]) => [...new Set(progress.map(({ kind }) => kind))];

/** Everything below the cache, so that nothing is left over unseen. */
const filesIn = async (cache: string) =>
  (await readdir(cache, { recursive: true }))
    .filter((name) => /\./.test(basename(name)))
    .map((name) => basename(name))
    .sort();

async function failure(promise: Promise<unknown>): Promise<BoxwrightError> {
  const error = await promise.then(
    () => assert.fail('it should have failed'),
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof BoxwrightError, String(error));
  return error;
}

test('pull downloads, checks, and tells how far it is; then the file is there', async (t) => {
  const { card, server, cache, progress, options } = await scene(t);
  const pulled = await pull(card, options);
  assert.deepEqual(await readFile(pulled.path), Buffer.from(content));
  assert.deepEqual({ bytes: pulled.bytes, cached: pulled.cached }, { bytes: content.length, cached: false });
  assert.equal(dirname(dirname(pulled.path)), cache);
  assert.deepEqual(await filesIn(cache), ['file.ckpt', 'file.ckpt.checked.json'], 'no part, no lock');
  assert.deepEqual(kinds(progress), ['downloading', 'done']);
  const last = progress.findLast((step) => step.kind === 'downloading');
  assert.deepEqual([last?.received, last?.total], [content.length, content.length]);
  assert.ok(last!.bytesPerSecond > 0 && last!.secondsLeft === 0);

  const again = await pull(card, options);
  assert.deepEqual({ path: again.path, cached: again.cached }, { path: pulled.path, cached: true });
  assert.equal(server.requests.length, 1);
});

test('a file that is there is hashed again only if it was touched or that is asked for', async (t) => {
  const { card, progress, options } = await scene(t);
  const { path } = await pull(card, options);
  const time = new Date('2026-11-21T10:00:00Z'); // of whole seconds, which every file system can have
  await utimes(path, time, time);
  await pull(card, options);
  assert.ok(kinds(progress).includes('checking'), 'touched');
  progress.length = 0;
  // The hash is not taken: bytes of equal number and time are believed.
  const changed = content.slice();
  changed[1000] ^= 1;
  await writeFile(path, changed);
  await utimes(path, time, time);
  assert.equal((await pull(card, options)).cached, true);
  assert.ok(!kinds(progress).includes('checking'));

  const error = await failure(pull(card, { ...options, verify: true }));
  assert.equal(error.code, 'weights');
  for (const part of [path, sha256(changed), card.asset.sha256, 'remove it'])
    assert.ok(error.message.includes(part), part);
  assert.ok(existsSync(path), 'what might be somebody else’s is not removed');

  await writeFile(path, changed);
  assert.equal((await failure(pull(card, options))).code, 'weights', 'touched');
});

test('a broken connection is tried again and gone on with', async (t) => {
  const { card, server, progress, options } = await scene(t, (index) => ({
    etag: '"one"',
    breakAfter: index < 2 ? 70_000 : undefined,
  }));
  assert.deepEqual(await readFile((await pull(card, options)).path), Buffer.from(content));
  assert.equal(server.requests.length, 3);
  assert.deepEqual(server.requests[0].range, undefined);
  for (const { range, ifRange } of server.requests.slice(1)) {
    assert.match(range ?? '', /^bytes=[1-9]\d*-$/);
    assert.equal(ifRange, '"one"');
  }
  assert.deepEqual(kinds(progress), ['downloading', 'retrying', 'done']);
  const seen = progress.flatMap((step) => (step.kind === 'downloading' ? [step.received] : []));
  assert.ok(
    seen.every((received, i) => i === 0 || received >= seen[i - 1]),
    'bytes only grow',
  );
});

test('what an earlier pull left is gone on with, and its checksum is of all bytes', async (t) => {
  const { card, server, cache, progress, options } = await scene(t, (index) => ({
    lastModified: 'Sat, 21 Nov 2026 10:00:00 GMT',
    breakAfter: index === 0 ? 100_000 : undefined,
  }));
  const error = await failure(pull(card, { ...options, patience: { ...patience, attempts: 1 } }));
  const { part, file } = cachePlace(cache, card);
  const { size } = await stat(part);
  assert.ok(size > 0 && size < content.length);
  assert.equal(error.code, 'network');
  for (const text of [`${size} bytes`, part, card.asset.url, card.asset.sha256, file])
    assert.ok(error.message.includes(text));
  assert.deepEqual(await filesIn(cache), ['file.ckpt.part', 'file.ckpt.part.json'], 'no lock stays');

  progress.length = 0;
  const { path } = await pull(card, options);
  assert.deepEqual(await readFile(path), Buffer.from(content));
  assert.deepEqual(server.requests[1], {
    path: '/folder/file.ckpt',
    range: `bytes=${size}-`,
    ifRange: 'Sat, 21 Nov 2026 10:00:00 GMT',
  });
  assert.equal(progress.find((step) => step.kind === 'downloading')?.received, size);
});

test('a part that has all bytes needs no server', async (t) => {
  const { card, server, cache, options } = await scene(t);
  const { folder, part, file } = cachePlace(cache, card);
  await mkdir(folder, { recursive: true });
  await writeFile(part, content);
  assert.equal((await pull(card, options)).path, file);
  assert.equal(server.requests.length, 0);
});

for (const [what, badness] of [
  ['that knows no ranges', { ranges: false }],
  ['whose file has changed', { etag: '"new"' }],
] satisfies [string, FileOptions][]) {
  test(`from a server ${what} the file is read from the start`, async (t) => {
    const { card, server, cache, progress, options } = await scene(t, (index) =>
      index === 0 ? { etag: '"old"', breakAfter: 100_000 } : badness,
    );
    await failure(pull(card, { ...options, patience: { ...patience, attempts: 1 } }));
    const { size } = await stat(cachePlace(cache, card).part);
    const { path } = await pull(card, options);
    assert.deepEqual(await readFile(path), Buffer.from(content));
    assert.equal(server.requests[1].ifRange, '"old"');
    assert.deepEqual(progress.find((step) => step.kind === 'restarting')?.dropped, size);
  });
}

test('a server that sends another place than asked for is not believed', async (t) => {
  const cache = await temporaryFolder(t);
  const server = await serve(t, (request, response, index) => {
    if (index !== 1) return sendFile(request, response, content, index === 0 ? { breakAfter: 100_000 } : {});
    response.writeHead(206, { 'content-range': `bytes 5-${content.length - 1}/${content.length}` });
    response.end(content.subarray(5));
  });
  const card = cardFor(`${server.url}/x.ckpt`, content);
  assert.deepEqual(await readFile((await pull(card, { cache, patience })).path), Buffer.from(content));
  assert.equal(server.requests.length, 3);
  assert.equal(server.requests[2].range, undefined);
});

test('a server that compresses all the same is read from the start', async (t) => {
  const cache = await temporaryFolder(t);
  const plain = content.map((byte) => byte & 3);
  const packed = gzipSync(plain);
  const server = await serve(t, (request, response) => {
    response.setHeader('content-encoding', 'gzip');
    return sendFile(request, response, packed);
  });
  const card = cardFor(`${server.url}/x.ckpt`, plain);
  const { folder, part } = cachePlace(cache, card);
  await mkdir(folder, { recursive: true });
  await writeFile(part, plain.subarray(0, 1000));
  const { path } = await pull(card, { cache, patience });
  assert.deepEqual(await readFile(path), Buffer.from(plain));
  assert.deepEqual(
    server.requests.map(({ range }) => range !== undefined),
    [true, false],
  );
});

test('a part longer than the file is dropped', async (t) => {
  const { card, cache, progress, options } = await scene(t);
  const { folder, part } = cachePlace(cache, card);
  await mkdir(folder, { recursive: true });
  await writeFile(part, bytes(content.length + 10, 9));
  assert.deepEqual(await readFile((await pull(card, options)).path), Buffer.from(content));
  assert.ok(kinds(progress).includes('restarting'));
});

test('a wrong checksum is an error with both sums, and nothing stays', async (t) => {
  const { card, cache, options } = await scene(t);
  const wrong = { ...card, asset: { ...card.asset, sha256: sha256(bytes(10)) } };
  const error = await failure(pull(wrong, options));
  assert.equal(error.code, 'weights');
  for (const part of [wrong.asset.url, sha256(content), wrong.asset.sha256])
    assert.ok(error.message.includes(part), part);
  assert.deepEqual(await filesIn(cache), []);
});

test('a part of another file is found out by the checksum, and the next pull starts afresh', async (t) => {
  const { card, cache, options } = await scene(t);
  const { folder, part } = cachePlace(cache, card);
  await mkdir(folder, { recursive: true });
  await writeFile(part, bytes(1000, 9));
  assert.equal((await failure(pull(card, options))).code, 'weights');
  assert.deepEqual(await filesIn(cache), []);
  assert.equal((await pull(card, options)).cached, false);
});

for (const status of [404, 403, 410]) {
  test(`HTTP ${status} ends it at once, with what to do by hand`, async (t) => {
    const server = await serve(t, (_, response) => void response.writeHead(status).end('no'));
    const cache = await temporaryFolder(t);
    const card = cardFor(`${server.url}/x.ckpt`, content);
    const error = await failure(pull(card, { cache, patience }));
    assert.equal(error.code, 'network');
    assert.match(error.message, new RegExp(`${status}`));
    for (const part of [card.asset.url, card.asset.sha256, cachePlace(cache, card).file])
      assert.ok(error.message.includes(part), part);
    assert.equal(server.requests.length, 1);
  });
}

test('a busy server is asked again, but not for ever', async (t) => {
  const cache = await temporaryFolder(t);
  const busy = await serve(t, (request, response, index) =>
    index < 2 ? void response.writeHead(503).end() : sendFile(request, response, content),
  );
  assert.equal((await pull(cardFor(`${busy.url}/x.ckpt`, content), { cache, patience })).bytes, content.length);
  assert.equal(busy.requests.length, 3);
  const never = await serve(t, (_, response) => void response.writeHead(503).end());
  const error = await failure(pull(cardFor(`${never.url}/x.ckpt`, bytes(5)), { cache, patience }));
  assert.match(error.message, /503.*3 attempts/);
  assert.equal(never.requests.length, 3);
});

test('a server that always breaks off and knows no ranges is given up', async (t) => {
  const { card, server, options } = await scene(t, () => ({ ranges: false, breakAfter: 70_000 }));
  assert.equal((await failure(pull(card, options))).code, 'network');
  assert.ok(server.requests.length <= 2 * patience.attempts, `${server.requests.length} requests`);
});

test('redirects are followed, to a limit', async (t) => {
  const cache = await temporaryFolder(t);
  const server = await serve(t, (request, response) => {
    const left = Number(/^\/(\d+)$/.exec(request.url ?? '')?.[1]);
    if (left > 0) return void response.writeHead(302, { location: `/${left - 1}` }).end();
    return sendFile(request, response, content);
  });
  assert.equal((await pull(cardFor(`${server.url}/5`, content), { cache, patience })).bytes, content.length);
  const error = await failure(pull(cardFor(`${server.url}/6`, bytes(5)), { cache, patience }));
  assert.match(error.message, /5 redirects/);
});

test('a server that stalls is left and asked again', async (t) => {
  const { card, server, progress, options } = await scene(t, (index) => (index === 0 ? { stallAfter: 100_000 } : {}));
  const impatient = { ...options, patience: { ...patience, stall: 500, attempts: 20 } }; // a busy machine may stall, too
  assert.deepEqual(await readFile((await pull(card, impatient)).path), Buffer.from(content));
  assert.ok(server.requests.length >= 2);
  assert.match(progress.find((step) => step.kind === 'retrying')?.reason ?? '', /no byte came for 0.5 s/);
});

test('a server that does not say how long the file is', async (t) => {
  const { card, progress, options } = await scene(t, () => ({ length: false }));
  assert.equal((await pull(card, options)).bytes, content.length);
  assert.ok(progress.every((step) => step.kind !== 'downloading' || step.total === undefined));
});

test('a file longer than its card says is not taken, whether the server says how long it is or not', async (t) => {
  for (const length of [true, false]) {
    const { card, cache, options } = await scene(t, () => ({ length }));
    const asset = { ...card.asset, bytes: content.length - 1 };
    const error = await failure(pull({ ...card, asset }, options));
    assert.equal(error.code, 'weights');
    const found = length ? '300000 bytes' : 'more';
    assert.ok(error.message.includes(`the file has ${found}, expected at most 299999 bytes`), error.message);
    assert.deepEqual(await filesIn(cache), []);
    assert.equal((await pull({ ...card, asset: { ...asset, bytes: content.length } }, options)).bytes, content.length);
  }
});

test('a server that sends without end is left', async (t) => {
  const { card, progress, options } = await scene(t);
  const server = await serve(t, async (_, response) => {
    while (!response.destroyed) await new Promise<void>((resolve) => response.write(content, () => resolve()));
  });
  const asset = { ...card.asset, url: `${server.url}/endless.ckpt`, bytes: 10 * content.length };
  const error = await failure(pull({ ...card, asset }, options));
  assert.equal(error.code, 'weights');
  const received = progress.map((step) => (step.kind === 'downloading' ? step.received : 0));
  assert.ok(Math.max(...received) <= asset.bytes);
  assert.equal(server.requests.length, 1, 'it is not asked again');
});

test('the signal stops a slow download, which can be gone on with', async (t) => {
  const { card, server, cache, options } = await scene(t, (index) => (index === 0 ? { slow: 50 } : {}));
  const abort = new AbortController();
  const pulling = pull(card, {
    ...options,
    signal: abort.signal,
    onProgress: (step) => step.kind === 'downloading' && step.received > 0 && abort.abort(),
  });
  const error = await failure(pulling);
  assert.equal(error.code, 'aborted');
  const { part } = cachePlace(cache, card);
  const { size } = await stat(part);
  assert.ok(size > 0 && size < content.length);
  assert.ok(error.message.includes(part));
  assert.deepEqual(await filesIn(cache), ['file.ckpt.part', 'file.ckpt.part.json'], 'no lock stays');
  await pull(card, options);
  assert.equal(server.requests[1].range, `bytes=${size}-`);
});

test('without a connection: what to get, and where to put it; a file put there is taken', async (t) => {
  const { card, cache } = await scene(t);
  const unreachable: Card = { ...card, asset: { ...card.asset, url: 'http://127.0.0.1:9/file.ckpt' } };
  const options = { cache, patience };
  const error = await failure(pull(unreachable, options));
  const { folder, file } = cachePlace(cache, unreachable);
  assert.equal(error.code, 'network');
  for (const part of [unreachable.asset.url, unreachable.asset.sha256, file])
    assert.ok(error.message.includes(part), part);

  await mkdir(folder, { recursive: true });
  await writeFile(file, bytes(100));
  assert.equal((await failure(pull(unreachable, options))).code, 'weights', 'not any file');
  await writeFile(file, content);
  assert.deepEqual(await pull(unreachable, options), {
    card: unreachable,
    path: file,
    bytes: content.length,
    cached: true,
  });
});

test('several pulls at once download once', async (t) => {
  const { card, server, progress, options } = await scene(t, () => ({ slow: 20 }));
  const pulled = await Promise.all([pull(card, options), pull(card, options), pull(card, options)]);
  assert.equal(server.requests.length, 1);
  assert.deepEqual(pulled.map(({ cached }) => cached).sort(), [false, true, true]);
  assert.equal(progress.filter(({ kind }) => kind === 'waiting').length, 2);
});

test('a cache that cannot be written is an error that names it', async (t) => {
  const { card, options } = await scene(t);
  const file = join(await temporaryFolder(t), 'file');
  await writeFile(file, '');
  const error = await failure(pull(card, { ...options, cache: file }));
  assert.equal(error.code, 'io');
  assert.ok(error.message.includes(file));
});

test('names that are no card, with the nearest one', async () => {
  const error = await failure(pull('refinedet_coco2071'));
  assert.equal(error.code, 'model');
  assert.match(error.message, /Did you mean "refinedet_coco2017"\?/);
  for (const { name } of cards()) assert.ok(error.message.includes(name));
});

test('links that are no links of the web, and sums that are no sha256, are refused', async () => {
  const card = cardFor('https://example.org/x.ckpt', content);
  const withAsset = (asset: Partial<Card['asset']>) => pull({ ...card, asset: { ...card.asset, ...asset } });
  for (const url of ['file:///etc/passwd', 'nothing', 'https://user:secret@example.org/x']) {
    const error = await failure(withAsset({ url }));
    assert.equal(error.code, 'data', url);
  }
  assert.match((await failure(withAsset({ sha256: 'e616cdcb' }))).message, /8 characters/);
});
