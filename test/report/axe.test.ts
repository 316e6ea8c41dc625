// What axe, the checker of accessibility, says of every kind of page that boxwright writes.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { inspectDataset, writeDataset } from '../../src/data/index.js';
import { compareRuns } from '../../src/report/index.js';
import { augmentationPreview } from '../../src/report/sheets/augmentation-preview.js';
import { contactSheet } from '../../src/report/sheets/contact-sheet.js';
import { writeFileAtomically } from '../../src/weights/atomic-file.js';
import { root } from '../docs/documents.js';
import { full } from '../shared.js';
import { temporaryFolder } from '../temporary-folder.js';
import { inChromium, launch, open } from './chromium.js';
import { CraftedRun, craftedData, craftRun } from './crafted-run.js';

const source = join(root, 'node_modules/axe-core/axe.min.js');
const skip = inChromium.skip || (existsSync(source) ? false : 'needs axe-core: npm ci');
const folder = await temporaryFolder({ after });

/** What axe finds wrong: rule, what it says, and where. */
async function violations(page: Page): Promise<string[]> {
  // Evaluated, not added: the page's policy lets in no script.
  await page.evaluate(`${readFileSync(source, 'utf8')}; undefined`);
  const found = await page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.flatMap(({ id, help, nodes }) => nodes.map(({ html, failureSummary }) =>
      id + ': ' + help + ': ' + html.slice(0, 160) + ' (' + failureSummary.split('\\n').slice(1).join(';').trim() + ')')))`);
  return found as string[];
}

describe('axe finds nothing', { skip }, () => {
  let browser: Browser;
  const pages: Record<string, string> = {};

  before(async () => {
    browser = await launch();
    const at = (name: string) => join(folder, name);
    await craftRun(at('first'));
    await craftRun(at('second'), { classes: Array.from({ length: 15 }, (_, i) => `class ${i}`), error: 0.6 });
    await compareRuns(at('first'), at('second'), { page: at('compare.html') });
    const running = new CraftedRun(at('running'), await craftedData(at('running-data'), ['cat']), {
      epochs: 2,
      learningRate: 1e-3,
    });
    await mkdir(at('running'));
    await writeFileAtomically(at('running/config.json'), JSON.stringify(running.config));
    await running.begin();
    await writeDataset(await craftedData(at('pictures'), ['cat', '<b>dog</b>']), at('data'), { format: 'coco' });
    const annotations = at('data/annotations/instances_default.json');
    const coco = JSON.parse(await readFile(annotations, 'utf8'));
    coco.annotations[0].bbox[2] = 5000;
    coco.annotations[1].iscrowd = 1;
    await writeFile(annotations, JSON.stringify(coco));
    const inspection = await inspectDataset(at('data'));
    await writeFileAtomically(at('sheet.html'), contactSheet(inspection, { limit: 20 }));
    await writeFileAtomically(at('preview.html'), augmentationPreview(inspection, { seed: 1 }));
    const files = {
      'a report': 'first/report.html',
      'a report of many classes': 'second/report.html',
      'a report of a run that has just begun': 'running/report.html',
      'a comparison': 'compare.html',
      'a sheet of pictures': 'sheet.html',
      'a preview of augmentations': 'preview.html',
    };
    for (const [name, file] of Object.entries(files)) pages[name] = pathToFileURL(at(file)).href;
  });
  after(() => browser?.close());

  for (const [colorScheme, viewport, which] of [
    ['light', { width: 1280, height: 900 }, /./],
    ['dark', { width: 390, height: 844 }, /^a report$|comparison/],
    ...(full ? ([['dark', { width: 1280, height: 900 }, /./]] as const) : []),
  ] as const) {
    test(`${colorScheme}, ${viewport.width} pixels wide`, async () => {
      const wrong: string[] = [];
      const chosen = Object.entries(pages).filter(([name]) => which.test(name));
      assert.ok(chosen.length > 1);
      for (const [name, url] of chosen) {
        const { page } = await open(browser, url, { colorScheme, viewport });
        await page.evaluate(() => {
          for (const details of document.querySelectorAll('details')) details.open = true;
        });
        wrong.push(...(await violations(page)).map((text) => `${name}: ${text}`));
        await page.context().close();
      }
      assert.deepEqual(wrong, []);
    });
  }

  test('axe does find what is wrong', async () => {
    const path = join(folder, 'wrong.html');
    await writeFile(path, '<!doctype html><title>x</title><img src="data:,">');
    const { page } = await open(browser, pathToFileURL(path).href);
    const found = await violations(page);
    assert.ok(found.some((text) => text.startsWith('image-alt')));
    assert.ok(found.some((text) => text.startsWith('html-has-lang')));
  });
});
