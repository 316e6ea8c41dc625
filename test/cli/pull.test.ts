import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { renderShapes } from '../../src/cli/demo/demo-data.js';
import { cachePlace } from '../../src/hub/cache.js';
import { cards } from '../../src/hub/cards.js';
import { parseCard } from '../../src/hub/read-card.js';
import { bytes, cardFor, cardMarkdown, type Handler, sendFile, serve } from '../hub/file-server.js';
import { png } from '../predict/tiny-detector.js';
import { temporaryFolder } from '../temporary-folder.js';
import { startCli, startCliWithFullDisk } from './run-cli.js';

const content = bytes(3_000_000);

/** A card's file whose asset a server sends, and a cache. */
async function scene(t: TestContext, handler: Handler = (request, response) => sendFile(request, response, content)) {
  const server = await serve(t, handler);
  const folder = await temporaryFolder(t);
  const path = join(folder, 'small_card.md');
  await writeFile(path, cardMarkdown(cardFor(`${server.url}/small.ckpt`, content)));
  const card = parseCard(await readFile(path, 'utf8'), path);
  const cache = join(folder, 'cache');
  return { server, path, card, place: cachePlace(cache, card), env: { BOXWRIGHT_CACHE: cache } };
}

test('pull prints where the file is, and what it is beside', async (t) => {
  const { path, place, env, server } = await scene(t);
  const first = await startCli(['pull', path], env).result;
  assert.deepEqual([first.code, first.stdout], [0, `${place.file}\n`], first.stderr);
  assert.match(first.stderr, /small_card: 3\.0 MB downloaded, checksum right\n/);
  assert.match(first.stderr, /licence +Apache2\.0/);
  assert.match(first.stderr, /warning: boxwright has no model/);
  assert.deepEqual(await readFile(place.file), Buffer.from(content));

  const { code, stdout } = await startCli(['pull', path, '--verify', '--json'], env).result;
  assert.equal(code, 0);
  const { sha256 } = cardFor('http://x.org', content).asset;
  const { name, path: file, bytes: size, cached, sha256: sum } = JSON.parse(stdout);
  assert.deepEqual([name, file, size, cached, sum], ['small_card', place.file, content.length, true, sha256]);
  assert.equal(server.requests.length, 1);
});

test('pull without a card lists them', async (t) => {
  const env = { BOXWRIGHT_CACHE: await temporaryFolder(t) };
  const { code, stdout } = await startCli(['pull', '--json'], env).result;
  assert.equal(code, 0);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    lines.map(({ name, sha256, cached }) => ({ name, sha256, cached })),
    cards().map(({ name, asset: { sha256 } }) => ({ name, sha256, cached: false })),
  );
  const people = await startCli(['pull'], env).result;
  for (const { name, model } of cards()) assert.ok(people.stdout.includes(name) && people.stdout.includes(model!));
});

test('Ctrl-C ends with 130 and leaves a part that the next pull goes on with', async (t) => {
  const slow: Handler = (request, response, index) =>
    sendFile(request, response, content, { slow: index === 0 ? 40 : 0 });
  const { path, place, env, server } = await scene(t, slow);
  const { process: child, result } = startCli(['pull', path], env);
  while (!(await stat(place.part).catch(() => undefined))?.size)
    await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGINT');
  const { code, stderr } = await result;
  assert.equal(code, 130, stderr);
  const { size } = await stat(place.part);
  assert.ok(size > 0 && size < content.length);
  assert.ok(!existsSync(place.lock) && !existsSync(place.file));
  assert.equal((await startCli(['pull', path], env).result).code, 0);
  assert.equal(server.requests[1].range, `bytes=${size}-`);
  assert.deepEqual(await readFile(place.file), Buffer.from(content));
});

test('two processes at once download once; one that is killed does not hold up the next', async (t) => {
  const slow: Handler = (request, response, index) =>
    sendFile(request, response, content, { slow: index === 0 ? 40 : 5 });
  const { path, place, env, server } = await scene(t, slow);
  const killed = startCli(['pull', path], env);
  while (!(await stat(place.part).catch(() => undefined))?.size)
    await new Promise((resolve) => setTimeout(resolve, 20));
  killed.process.kill('SIGKILL');
  await killed.result;
  assert.ok(existsSync(place.lock), 'nobody took it away');
  const results = await Promise.all([startCli(['pull', path], env).result, startCli(['pull', path], env).result]);
  for (const { code, stdout, stderr } of results) assert.deepEqual([code, stdout], [0, `${place.file}\n`], stderr);
  assert.equal(server.requests.length, 2, 'one of them asked');
  assert.match(server.requests[1].range ?? '', /^bytes=[1-9]/);
  assert.deepEqual(await readFile(place.file), Buffer.from(content));
});

test('disk full: a clear error, and what came is gone on with', { skip: process.platform === 'win32' }, async (t) => {
  const { path, place, env, server } = await scene(t);
  const { code, stderr, stdout } = await startCliWithFullDisk(1024, ['pull', path], env).result;
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /cannot write .*small\.ckpt\.part: .*choose another folder/);
  assert.ok(!stderr.includes('unexpected'), stderr);
  const { size } = await stat(place.part);
  assert.ok(size > 0 && size <= 1024 * 1024);
  assert.match(stderr, /bytes that came are kept/);
  assert.equal((await startCli(['pull', path], env).result).code, 0);
  assert.equal(server.requests[1].range, `bytes=${size}-`);
});

test('a disk so full that no lock can be written leaves none to wait for', {
  skip: process.platform === 'win32',
}, async (t) => {
  const { path, place, env } = await scene(t);
  const { code, stderr } = await startCliWithFullDisk(0, ['pull', path], env).result;
  assert.equal(code, 1);
  assert.match(stderr, /cannot write .*small\.ckpt\.lock/);
  assert.ok(!existsSync(place.lock));
});

test('a wrong checksum and an unknown card end with 1 and say why', async (t) => {
  const { path, place, env } = await scene(t, (request, response) => sendFile(request, response, content.subarray(1)));
  const wrong = await startCli(['pull', path], env).result;
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /its sha256 is [0-9a-f]{64}, the card's is [0-9a-f]{64}/);
  assert.ok(!existsSync(place.part) && !existsSync(place.file));
  const unknown = await startCli(['pull', 'refinedet_coco'], env).result;
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /Did you mean "refinedet_coco2017"/);
  assert.ok(!unknown.stderr.includes('at '), 'no stack');
});

test('detect, eval, export, info and train take the name of a card', async (t) => {
  const cache = await temporaryFolder(t);
  const [card] = cards();
  const { folder, file } = cachePlace(cache, card);
  await mkdir(folder, { recursive: true });
  await writeFile(file, 'another file'); // that it is found wrong shows that it was looked for
  const [picture, data] = [join(cache, 'x.png'), join(cache, 'shapes')];
  await writeFile(picture, await png(40, 30));
  await renderShapes(data, { pictures: { train: 1, val: 1 }, size: 64 });
  for (const line of [
    ['detect', card.name, picture],
    ['eval', card.name, '--data', data],
    ['info', card.name],
    ['export', card.name, join(cache, 'x.onnx')],
    ['train', '--weights', card.name, '--data', data, '--out', join(cache, 'run')],
  ]) {
    const { code, stdout, stderr } = await startCli(line, { BOXWRIGHT_CACHE: cache }).result;
    assert.deepEqual([code, stdout], [1, ''], line[0]);
    assert.ok(stderr.includes(`error: ${file}: its sha256 is `) && stderr.includes(card.asset.sha256), stderr);
  }
});
