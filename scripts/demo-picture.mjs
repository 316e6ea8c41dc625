// Puts what `boxwright demo` has drawn beside the head of its report: docs/pictures/demo.webp. Needs Chromium.
//   npm run demo && node scripts/demo-picture.mjs [boxwright-demo]
import { readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import sharp from 'sharp';

const [demo = 'boxwright-demo'] = process.argv.slice(2);
const [side, gap] = [256, 8];
const [columns, rows] = [3, 2];
const height = rows * side + (rows - 1) * gap;
const executablePath = process.env.BOXWRIGHT_CHROMIUM ?? '/usr/bin/chromium';

async function reportHead() {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const page = await browser.newPage({ viewport: { width: 900, height: 820 }, colorScheme: 'light' });
  await page.goto(pathToFileURL(resolve(demo, 'run/report.html')).href);
  const picture = await page.screenshot();
  await browser.close();
  return sharp(picture).resize({ height }).toBuffer({ resolveWithObject: true });
}

const drawn = readdirSync(join(demo, 'detected'))
  .filter((name) => /^\d+\.\w+$/.test(name))
  .sort()
  .slice(0, columns * rows);
const cells = await Promise.all(
  drawn.map(async (name, i) => ({
    input: await sharp(join(demo, 'detected', name))
      .resize(side, side)
      .toBuffer(),
    left: (i % columns) * (side + gap),
    top: Math.floor(i / columns) * (side + gap),
  })),
);
const report = await reportHead();
const left = columns * (side + gap);
const picture = await sharp({
  create: { width: left + report.info.width, height, channels: 3, background: '#ffffff' },
})
  .composite([...cells, { input: report.data, left, top: 0 }])
  .webp({ quality: 80, smartSubsample: true })
  .toBuffer();
writeFileSync(new URL('../docs/pictures/demo.webp', import.meta.url), picture);
console.log(`docs/pictures/demo.webp: ${Math.round(picture.length / 1024)} KiB`);
