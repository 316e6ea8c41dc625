import { existsSync } from 'node:fs';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const found =
  process.env.BOXWRIGHT_CHROMIUM ??
  ['/usr/bin', '/usr/local/bin', '/opt/google/chrome', '/Applications/Google Chrome.app/Contents/MacOS']
    .flatMap((folder) => [...names, 'chrome', 'Google Chrome'].map((name) => `${folder}/${name}`))
    .find((path) => existsSync(path));

/** node:test's options for tests in a real browser: skipped with a clear line where there is none. */
export const inChromium = { skip: found ? false : 'needs Chromium (BOXWRIGHT_CHROMIUM names it), which is not here' };

export async function launch(args: readonly string[] = []): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  return chromium.launch({ executablePath: found, args: ['--no-sandbox', ...args] });
}

/** A page of the browser, and what it complained of or asked for beside the file itself. */
export interface OpenPage {
  readonly page: Page;
  readonly errors: string[];
  readonly requests: string[];
}

export async function open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const errors: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('request', (request) => {
    if (request.url() !== url && !request.url().startsWith('data:')) requests.push(request.url());
  });
  await page.goto(url);
  return { page, errors, requests };
}
