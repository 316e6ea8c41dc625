// A page with boxwright in Chromium, and exported detectors for it.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { exportOnnx } from '../../src/export/export-onnx.js';
import type { PictureDetections } from '../../src/predict/formats/index.js';
import { writeCheckpoint } from '../../src/weights/checkpoint.js';
import { root } from '../docs/documents.js';
import { png, tinyCheckpoint } from '../predict/tiny-detector.js';
import { inChromium, launch } from '../report/chromium.js';
import { importMap, servePages } from './page-server.js';

const built = existsSync(join(root, 'dist/browser/index.js'));
const installed = existsSync(join(root, 'node_modules/onnxruntime-web'));

/** node:test's options for tests of such a page. */
export const withPage = {
  skip: inChromium.skip || (built && installed ? false : 'needs dist/ and onnxruntime-web: npm ci, npm run build'),
};

/** Of the picture that the server has. */
export const [width, height] = [120, 90];

/** Score thresholds that the small detector suggests. */
export const suggested = { cross: 0.31, ring: 0.52 };

export interface DetectorPage {
  readonly page: Page;
  readonly origin: string;
  /** What the page wrote to its console. */
  readonly complaints: readonly string[];
  /** The code and message of the BoxwrightError that code in the page ends with. */
  errorOf(run: () => Promise<unknown>): Promise<{ code: string; message: string }>;
  close(): Promise<void>;
}

/** Writes tiny.onnx and cascade.onnx into the folder and opens a page that has them, a picture and wrong files. */
export async function openDetectorPage(folder: string, args: readonly string[] = []): Promise<DetectorPage> {
  const tiny = await exported(folder, 'tiny.onnx', { ...tinyCheckpoint(), scoreThresholds: suggested });
  const server = await servePages({
    '/': {
      type: 'text/html',
      body: `<!doctype html><title>test</title>${importMap}
        <script type="module">
          import * as boxwright from 'boxwright';
          import { readPicture } from '/dist/browser/picture-input.js';
          Object.assign(window, { boxwright, readPicture });
        </script>`,
    },
    '/tiny.onnx': { body: tiny },
    '/cascade.onnx': { body: await exported(folder, 'cascade.onnx', tinyCheckpoint('cascade-rcnn-tiny')) },
    '/picture.png': { type: 'image/png', body: await png(width, height) },
    '/worker.js': {
      body: `import { Detector } from '/bundled/dist/browser/index.js';
        onmessage = async ({ data }) => {
          const detector = await Detector.load('/tiny.onnx', { minScore: 0 });
          postMessage(await detector.detect([data.bitmap, data.canvas]));
        };`,
    },
    '/app.onnx': { type: 'text/html', body: '<!doctype html><title>app</title>' },
    '/cut.onnx': { body: tiny.subarray(0, tiny.length / 2) },
    '/foreign.onnx': { body: Uint8Array.of(8, 8, 58, 0) },
  });
  const browser = await launch(args);
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(server.origin);
  await page.waitForFunction('globalThis.boxwright');
  return {
    page,
    origin: server.origin,
    complaints,
    errorOf: (run) =>
      page.evaluate(
        `(${run})().then(() => ({ code: 'none', message: '' }), (error) => error instanceof boxwright.BoxwrightError
          ? { code: error.code, message: error.message } : { code: 'foreign', message: String(error) })`,
      ),
    close: async () => {
      await browser.close();
      await server.close();
    },
  };
}

async function exported(folder: string, name: string, checkpoint: ReturnType<typeof tinyCheckpoint>): Promise<Buffer> {
  const source = join(folder, `${name}.safetensors`);
  await writeCheckpoint(source, checkpoint);
  await exportOnnx(source, join(folder, name));
  return readFile(join(folder, name));
}

/**
 * The same objects: to each one of equal class and a score within 1e-4, sides within 1e-3 of the picture's size (or of
 * themselves, as random weights give boxes far larger). Ties may stand in another order.
 */
export function assertSame(found: PictureDetections, expected: PictureDetections, what: string): void {
  assert.deepEqual([found.width, found.height], [expected.width, expected.height], what);
  assert.equal(found.detections.length, expected.detections.length, `${what}: number of detections`);
  const left = new Set(found.detections);
  const near = (a: number, b: number) =>
    Math.abs(a - b) <= 1e-3 * Math.max(expected.width, expected.height, Math.abs(b));
  for (const { box, label, score } of expected.detections) {
    const match = [...left].find(
      (other) =>
        other.label === label &&
        Math.abs(other.score - score) < 1e-4 &&
        other.box.every((side, i) => near(side, box[i])),
    );
    assert.ok(match, `${what}: no counterpart of ${label}, score ${score}, [${box.join(', ')}]`);
    left.delete(match);
  }
}
