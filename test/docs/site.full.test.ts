// The site that `npm run docs:site` builds, in a real browser. What needs none (pages, links, words that search finds) is
// checked by the build itself, in site/check.mjs.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { inChromium, launch, open } from '../report/chromium.js';
import { documents, root } from './documents.js';

const site = join(root, 'build/site');
const built = existsSync(join(site, 'index.html'));
const options = { skip: built ? inChromium.skip : 'needs build/site: npm run docs:site' };
const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** The site under a path that its build knows nothing of. */
function serve(prefix: string): Promise<Server> {
  const server = createServer(({ url = '/' }, answer) => {
    const { pathname } = new URL(url, 'http://localhost');
    let path = join(site, decodeURIComponent(pathname.slice(prefix.length)));
    if (existsSync(path) && statSync(path).isDirectory()) path = join(path, 'index.html');
    if (!pathname.startsWith(prefix) || !existsSync(path)) answer.writeHead(404).end();
    else answer.writeHead(200, { 'content-type': types[extname(path)] ?? 'text/plain' }).end(readFileSync(path));
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

const urlOf = (server: Server, prefix: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`;

let browser: Browser;
before(async () => {
  if (!options.skip) browser = await launch();
});
after(() => browser?.close());

for (const prefix of ['/', '/some/where/'])
  test(
    `the site under ${prefix}: pages follow each other, search finds, and nobody else is asked`,
    options,
    async (t) => {
      const server = await serve(prefix);
      t.after(() => server.close());
      const base = urlOf(server, prefix);
      const { page, errors, requests } = await open(browser, `${base}index.html`);

      // A page two folders deep, by a click, without loading the page anew; then straight.
      await page.locator('.VPSidebar a', { hasText: 'boxwright/nn' }).click();
      await page.waitForURL(`${base}reference/nn.html`);
      await page.getByRole('heading', { name: 'trainingStep()' }).waitFor();
      await page.locator('.VPSidebar a', { hasText: 'boxwright/graph' }).click();
      await page.waitForURL(`${base}reference/graph.html`);
      await page.goto(`${base}examples/new-operator.html`);
      assert.match((await page.locator('main').textContent()) ?? '', /softplus/);

      await page.keyboard.press('/');
      await page.locator('.VPLocalSearchBox input').fill('labelme');
      await page.locator('.VPLocalSearchBox a.result[href$="/data.html#formats"]').click();
      await page.waitForURL(`${base}data.html#formats`);

      assert.deepEqual(errors, []);
      const elsewhere = requests.filter((url) => !url.startsWith(base));
      assert.deepEqual(elsewhere, []);
      await page.context().close();
    },
  );

test('every page fits a phone, and its pictures are there, in light and dark', options, async (t) => {
  const server = await serve('/');
  t.after(() => server.close());
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, errors } = await open(browser, urlOf(server, '/'), {
      colorScheme,
      viewport: { width: 390, height: 800 },
    });
    const dark = await page.locator('html').evaluate((html) => html.classList.contains('dark'));
    assert.equal(dark, colorScheme === 'dark');
    for (const file of documents) {
      const name = file === 'README.md' ? 'index' : file.replace(/^docs\/|\.md$/g, '');
      await page.goto(`${urlOf(server, '/')}${name}.html`);
      const { beyond, broken } = await page.evaluate(() => ({
        beyond: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        broken: [...document.images].filter(({ complete, naturalWidth }) => complete && naturalWidth === 0).length,
      }));
      assert.deepEqual({ name, beyond, broken }, { name, beyond: 0, broken: 0 });
    }
    assert.deepEqual(errors, []);
    await page.context().close();
  }
});
