// Reports in a real browser, with class names that would break out of the page if they could.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { compareRuns } from '../../src/report/index.js';
import { temporaryFolder } from '../temporary-folder.js';
import { inChromium, launch, open } from './chromium.js';
import { CraftedRun, craftedData, craftRun, nastyClasses } from './crafted-run.js';

const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true };

const folder = await temporaryFolder({ after });

describe('reports in Chromium', inChromium, () => {
  let browser: Browser;
  /** A run's page and one that compares it with another. */
  let pages: readonly [report: string, compare: string];

  before(async () => {
    browser = await launch();
    const [first, second, compare] = ['first', 'second', 'compare.html'].map((name) => join(folder, name));
    await craftRun(first);
    await craftRun(second, { learningRate: 5e-4, error: 0.6, epochs: 3 });
    await compareRuns(first, second, { page: compare });
    pages = [pathToFileURL(join(first, 'report.html')).href, pathToFileURL(compare).href];
  });
  after(() => browser?.close());

  test('they load nothing, complain of nothing and fit on a phone, light and dark', async () => {
    for (const url of pages) {
      for (const colorScheme of ['light', 'dark'] as const) {
        for (const size of [phone, { viewport: { width: 1400, height: 900 } }]) {
          const { page, errors, requests } = await open(browser, url, { ...size, colorScheme });
          // Everything is unfolded, so that what is behind counts, too.
          await page.evaluate(() => {
            for (const details of document.querySelectorAll('details')) details.open = true;
          });
          const [page0, view] = await page.evaluate(() => [
            document.documentElement.scrollWidth,
            document.documentElement.clientWidth,
          ]);
          assert.ok(page0 <= view, `${url} is ${page0} wide on a screen of ${view}`);
          const broken = await page.evaluate(() =>
            [...document.querySelectorAll('.text thead th, .text td:nth-child(2):not(:last-child)')]
              .filter((cell) => !/[\s-]/.test(cell.textContent.trim()))
              .filter((cell) => {
                const text = document.createRange();
                text.selectNodeContents(cell);
                return text.getClientRects().length > 1;
              })
              .map((cell) => cell.textContent),
          );
          assert.deepEqual(broken, [], 'words of the settings are broken');
          const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
          const [red] = /\d+/.exec(background)!;
          assert.equal(Number(red) > 128, colorScheme === 'light', background);
          assert.deepEqual([errors, requests], [[], []]);
          await page.context().close();
        }
      }
    }
  });

  test('class names are text and nothing else', async () => {
    for (const url of pages) {
      const { page } = await open(browser, url);
      assert.equal(await page.evaluate(() => (window as { broken?: number }).broken), undefined);
      assert.equal(await page.evaluate(() => document.querySelectorAll('script').length), 2, 'the data and the script');
      const headers = await page.locator('#classes ~ .card th[scope=row]').allInnerTexts();
      for (const name of nastyClasses) assert.ok(headers.includes(name), `${name} in ${headers.join('; ')}`);
      await page.context().close();
    }
  });

  test('every chart has a name, a sentence and a table; images have words; ids are unique', async () => {
    for (const url of pages) {
      const { page } = await open(browser, url);
      const wrong = await page.evaluate(() => {
        const wrong: string[] = [];
        const textOf = (id: string) => document.getElementById(id)?.textContent?.trim();
        for (const svg of document.querySelectorAll('svg[role=img]')) {
          const label = svg.getAttribute('aria-label');
          const by = (svg.getAttribute('aria-labelledby') ?? '').split(' ');
          if (!label && !by.every(textOf)) wrong.push(`no name: ${svg.outerHTML.slice(0, 80)}`);
        }
        for (const figure of document.querySelectorAll('.charts figure'))
          if (!figure.querySelector('details table caption')) wrong.push(`no table: ${figure.id}`);
        for (const image of document.querySelectorAll('img'))
          if (!image.hasAttribute('alt')) wrong.push('an image without alt');
        for (const control of document.querySelectorAll('button, input, [tabindex="0"]')) {
          const name =
            control.getAttribute('aria-label') ?? control.closest('label')?.textContent ?? control.textContent;
          if (!name?.trim()) wrong.push(`no name: ${control.outerHTML.slice(0, 80)}`);
        }
        const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
        wrong.push(...ids.filter((id, i) => ids.indexOf(id) !== i).map((id) => `id twice: ${id}`));
        const levels = [...document.querySelectorAll('h1, h2, h3')].map(({ tagName }) => Number(tagName[1]));
        if (levels.some((level, i) => i > 0 && level > levels[i - 1] + 1)) wrong.push('a heading level is left out');
        return wrong;
      });
      assert.deepEqual(wrong, []);
      assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
      await page.context().close();
    }
  });

  test('text stands out from its background: at least 4.5 to 1', async () => {
    for (const url of pages) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const { page } = await open(browser, url, { colorScheme });
        const faint = await page.evaluate(() => {
          const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
          const over = (colour: string, below: number[]) => {
            canvas.fillStyle = `rgb(${below.join(' ')})`;
            canvas.fillRect(0, 0, 1, 1);
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
          };
          const luminance = (rgb: number[]) => {
            const [r, g, b] = rgb.map((value) =>
              value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
            );
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const behind = (element: Element | null): number[] =>
            element ? over(getComputedStyle(element).backgroundColor, behind(element.parentElement)) : [255, 255, 255];
          const faint = new Set<string>();
          for (const element of document.querySelectorAll('body *:not(svg *):not(script)')) {
            const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim());
            if (!hasText || !(element as HTMLElement).offsetParent) continue;
            const background = behind(element);
            const [a, b] = [luminance(over(getComputedStyle(element).color, background)), luminance(background)];
            const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            if (contrast < 4.5)
              faint.add(
                `${element.tagName}.${element.className} ${element.textContent?.slice(0, 20)}: ${contrast.toFixed(2)}`,
              );
          }
          return [...faint];
        });
        assert.deepEqual(faint, [], colorScheme);
        await page.context().close();
      }
    }
  });

  test('the keyboard reads values, switches lines, pictures, boxes and the theme', async () => {
    const [url] = pages;
    const { page, errors } = await open(browser, url);
    const readout = page.locator('#loss .readout');
    await page.locator('#loss .plot').focus();
    await page.keyboard.press('Home');
    assert.match((await readout.textContent())!, /^step 1: total [\d.]+, arm_cls [\d.]+, odm_loc [\d.]+$/);
    await page.keyboard.press('ArrowRight');
    assert.match((await readout.textContent())!, /^step 2: total/);

    await page.locator('#loss .legend button').nth(1).focus();
    await page.keyboard.press('Space');
    const line = page.locator('#loss .plot .series').nth(1);
    assert.equal(await line.isVisible(), false);
    await page.keyboard.press('Enter');
    assert.equal(await line.isVisible(), true);

    const pictures = page.locator('.gallery figure');
    const count = await pictures.count();
    assert.ok(count >= 3);
    await page.locator('input[name=fault][value=all]').focus();
    await page.keyboard.press('ArrowDown');
    const missed = await pictures.evaluateAll(
      (all) => all.filter((one) => one.dataset.faults?.includes('missed')).length,
    );
    assert.equal(await page.locator('.gallery figure:not([hidden])').count(), missed);
    await page.keyboard.press('ArrowUp');
    assert.equal(await page.locator('.gallery figure:not([hidden])').count(), count);

    for (const [name, boxes] of [
      ['objects', '.object'],
      ['detections', '.detection'],
    ]) {
      const shown = page.locator(`.gallery ${boxes}:not([hidden]) .line`);
      assert.equal(await shown.first().isVisible(), true, name);
      await page.locator(`input[name=${name}]`).focus();
      await page.keyboard.press('Space');
      assert.equal(await shown.first().isVisible(), false, name);
      await page.keyboard.press('Space');
    }

    await page.locator('input[name=score]').focus();
    await page.keyboard.press('Home');
    assert.equal(await page.locator('.detection[hidden]').count(), 0, 'at a score of 0 all are shown');
    await page.keyboard.press('End');
    assert.equal(await page.locator('.detection:not([hidden])').count(), 0, 'at a score of 1 none');
    const [detections, objects] = [await page.locator('.detection').count(), await page.locator('.object').count()];
    assert.equal(
      await page.locator('.controls output').textContent(),
      `From a score of 1.00 on, 0 of ${detections} detections are shown, ${objects} of ${objects} objects missed.`,
    );
    assert.equal(
      await page.locator('.object:not(.missed):not([data-crowd=true])').count(),
      0,
      'and every object is missed',
    );

    await page.locator('.enlarge').first().focus();
    await page.keyboard.press('Enter');
    assert.equal(await page.locator('.gallery figure.large').count(), 1);

    const theme = page.locator('.theme');
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(await theme.textContent(), 'Theme: auto');
    await theme.focus();
    await page.keyboard.press('Enter');
    assert.equal(await theme.textContent(), 'Theme: light');
    const light = await background();
    await page.keyboard.press('Enter');
    assert.equal(await theme.textContent(), 'Theme: dark');
    assert.notEqual(await background(), light);
    // The browser stores what a page keeps a moment later.
    for (let i = 0; i < 10 && (i === 0 || (await theme.textContent()) !== 'Theme: dark'); i++) await page.reload();
    assert.equal(await theme.textContent(), 'Theme: dark', 'kept');
    assert.deepEqual(errors, []);
  });

  test('the page of a run that goes on says how old it is and loads itself again, but not while it is read', async () => {
    const going = new CraftedRun(join(folder, 'going'), await craftedData(join(folder, 'going-data'), ['cat']), {
      epochs: 2,
      learningRate: 1e-3,
    });
    await mkdir(going.folder);
    await going.begin();
    for (let step = 1; step <= 5; step++) await going.step(step);
    await going.evaluate(1, 0.3);
    const url = pathToFileURL(join(going.folder, 'report.html')).href;
    const { page, errors } = await open(browser, url);
    await page.clock.install();
    await page.reload();
    const state = page.locator('.state');
    const minutes = async (count: number) => {
      for (let i = 0; i < count; i++) await page.clock.runFor(60_000);
    };
    assert.match((await state.textContent())!, /^Running at step 5 .* UTC$/);
    await page.evaluate(() => scrollTo(0, 700));
    const place = await page.evaluate(() => scrollY);
    assert.ok(place > 0);
    await going.step(6);
    await going.evaluate(1, 0.2);

    const follow = page.getByLabel('Load again every minute');
    await follow.uncheck();
    await minutes(3);
    assert.match((await state.textContent())!, /^Running at step 5 .* UTC, 3 min ago$/, 'not while it is switched off');
    await follow.check();
    await page.evaluate(() => document.querySelector('details')!.toggleAttribute('open', true));
    await minutes(1);
    assert.match((await state.textContent())!, /^Running at step 5 .*4 min ago$/, 'not while something is unfolded');
    await page.evaluate(() => document.querySelector('details')!.toggleAttribute('open', false));
    await page.evaluate((y) => scrollTo(0, y), place);
    await minutes(1);
    await page.locator('.state', { hasText: 'Running at step 6' }).waitFor();
    await page.waitForFunction((y) => scrollY === y, place);
    assert.equal(await follow.isChecked(), true);
    await going.tell({ kind: 'end', reason: 'completed', step: 6, seconds: 9, waiting: 0, broken: 0 });
    await minutes(1);
    await page.locator('.state', { hasText: 'Completed at step 6' }).waitFor();
    assert.equal(await follow.count(), 0, 'nothing more will come');
    assert.deepEqual(errors, []);
    await page.context().close();
  });

  test('without scripts everything is there to be read', async () => {
    const [url] = pages;
    const { page } = await open(browser, url, { javaScriptEnabled: false });
    assert.equal(await page.locator('#loss .plot path').first().isVisible(), true);
    assert.equal(await page.locator('.gallery img').first().isVisible(), true);
    assert.equal(await page.locator('.theme').isVisible(), false, 'a button that does nothing');
  });
});
