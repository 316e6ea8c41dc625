import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { cacheFolder, cachePlace } from '../../src/hub/cache.js';
import { redirected, request } from '../../src/hub/request.js';
import { TransferRate } from '../../src/hub/transfer-rate.js';
import { bytes, cardFor } from './file-server.js';

test('the cache is where the environment or the system says', () => {
  const home = homedir();
  const cases = [
    [{ BOXWRIGHT_CACHE: '/a/b', XDG_CACHE_HOME: '/x' }, 'linux', resolve('/a/b')],
    [{ BOXWRIGHT_CACHE: 'here' }, 'linux', resolve('here')],
    [{ BOXWRIGHT_CACHE: '', XDG_CACHE_HOME: '/x' }, 'darwin', join('/x', 'boxwright')],
    [{ XDG_CACHE_HOME: 'relative' }, 'linux', join(home, '.cache', 'boxwright')],
    [{}, 'darwin', join(home, 'Library', 'Caches', 'boxwright')],
    [{ LOCALAPPDATA: '/local' }, 'win32', join('/local', 'boxwright', 'Cache')],
    [{}, 'win32', join(home, '.cache', 'boxwright')],
  ] as const;
  for (const [env, platform, expected] of cases) assert.equal(cacheFolder(env, platform), expected);
});

test("a card's file never leaves the cache, whatever its name and link", () => {
  for (const url of [
    'https://x.org/..%2f..%2fetc',
    'https://x.org/',
    'https://x.org/a/b/..',
    'https://x.org/.hidden?x=/y',
  ]) {
    for (const name of ['../../x', '/abs', '...', 'a b']) {
      const { folder, file } = cachePlace('/cache', cardFor(url, bytes(3), { name }));
      assert.equal(dirname(folder), '/cache', folder);
      assert.equal(dirname(file), folder, file);
      assert.match(file.slice(folder.length + 1), /^[A-Za-z0-9_-][\w.-]*$/);
    }
  }
});

test('other contents of the same name are at another place', () => {
  const url = 'https://x.org/x.ckpt';
  assert.notEqual(cachePlace('/c', cardFor(url, bytes(3))).file, cachePlace('/c', cardFor(url, bytes(4))).file);
});

test('redirects do not leave https, nor the web', () => {
  const [secure, plain] = [new URL('https://a.org/x'), new URL('http://a.org/x')];
  assert.equal(redirected(secure, 'https://b.org/y').href, 'https://b.org/y');
  assert.equal(redirected(secure, '/y').href, 'https://a.org/y');
  assert.equal(redirected(plain, 'https://b.org/').href, 'https://b.org/');
  assert.equal(redirected(plain, 'http://b.org/').href, 'http://b.org/');
  assert.throws(() => redirected(secure, 'http://a.org/x'), /redirects to http:\/\/a\.org\/x, which is no https/);
  for (const location of ['file:///etc/passwd', 'ftp://a.org/', 'data:,x', 'http://['])
    assert.throws(() => redirected(plain, location), { name: 'BoxwrightError', code: 'network' }, location);
});

test('a name that no server has', async () => {
  await assert.rejects(request('http://nothing.invalid/x', {}, new AbortController().signal), /nothing\.invalid: /);
});

test('the rate is that of the last seconds', () => {
  const rate = new TransferRate();
  assert.equal(rate.bytesPerSecond, 0);
  rate.add(1000, 0);
  assert.equal(rate.bytesPerSecond, 0);
  for (let second = 1; second <= 10; second++) rate.add(1000 + 100 * second, second);
  assert.ok(Math.abs(rate.bytesPerSecond - 100) < 1e-9, 'bytes that were there before do not count');
  for (let second = 11; second <= 20; second++) rate.add(2000 + 500 * (second - 10), second);
  assert.ok(Math.abs(rate.bytesPerSecond - 500) < 1e-9, 'nor does what was long ago');
});
