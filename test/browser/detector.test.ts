// boxwright in a real browser: what an exported file detects there is what it detects under Node.
import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import type * as Boxwright from '../../src/browser/index.js';
import { decodePicture } from '../../src/data/decode.js';
import { Detector } from '../../src/predict/detector.js';
import type { PictureDetections } from '../../src/predict/formats/index.js';
import { pixels, png, tinyClasses } from '../predict/tiny-detector.js';
import { temporaryFolder } from '../temporary-folder.js';
import {
  assertSame,
  type DetectorPage,
  height,
  openDetectorPage,
  suggested,
  width,
  withPage,
} from './detector-page.js';

const folder = await temporaryFolder({ after });

/** What the functions below find in the page. */
declare const boxwright: typeof Boxwright;
declare let detector: Boxwright.Detector;
declare const readPicture: typeof import('../../src/browser/picture-input.js').readPicture;

describe('the detector in Chromium', withPage, () => {
  let opened: DetectorPage;
  let page: Page;
  let node: Detector;
  /** Node's detections in the picture. */
  let expected: PictureDetections;

  before(async () => {
    opened = await openDetectorPage(folder);
    page = opened.page;
    node = await Detector.load(join(folder, 'tiny.onnx'), { minScore: 0 });
    expected = await node.detect(pixels(width, height));
    await page.evaluate(async () => {
      Object.assign(globalThis, { detector: await boxwright.Detector.load('/tiny.onnx', { minScore: 0 }) });
    });
  });

  after(async () => {
    await node?.dispose();
    await opened?.close();
  });

  test('it says of itself what the file says', async () => {
    const about = await page.evaluate(() => {
      const { model, classes, minScore, suggestedThresholds } = detector;
      return { model, classes, minScore, suggestedThresholds };
    });
    assert.deepEqual(about, {
      model: 'refinedet-tiny-64',
      classes: tinyClasses,
      minScore: 0,
      suggestedThresholds: suggested,
    });
  });

  test('every kind of picture gives the detections that Node gives', async () => {
    assert.ok(expected.detections.length > 5, `${expected.detections.length} detections`);
    const { data } = pixels(width, height);
    const found = await page.evaluate(
      async ({ rgb, width, height }) => {
        const data = new Uint8ClampedArray(4 * width * height);
        for (let i = 0; i < width * height; i++) data.set([...rgb.slice(3 * i, 3 * i + 3), 255], 4 * i);
        const image = new ImageData(data, width, height);
        const bitmap = await createImageBitmap(image);
        const offscreen = new OffscreenCanvas(width, height);
        offscreen.getContext('2d')!.putImageData(image, 0, 0);
        const canvas = document.createElement('canvas');
        Object.assign(canvas, { width, height });
        canvas.getContext('2d')!.putImageData(image, 0, 0);
        const png = await (await fetch('/picture.png')).blob();
        const element = new Image();
        element.src = '/picture.png';
        const frame = new VideoFrame(canvas, { timestamp: 0 });
        const inputs: Record<string, Boxwright.PictureInput> = {
          raw: { data: Uint8Array.from(rgb), width, height, channels: 3 },
          image,
          bitmap,
          offscreen,
          canvas,
          frame,
          png,
          file: new File([png], 'a picture.png'),
          bytes: await png.arrayBuffer(),
          view: new Uint8Array(await png.arrayBuffer()),
          element,
          address: '/picture.png',
          url: new URL('/picture.png', location.href),
        };
        const results = await detector.detect(Object.values(inputs));
        frame.close();
        return Object.keys(inputs).map((kind, i) => [kind, results[i]] as const);
      },
      { rgb: [...data], width, height },
    );
    for (const [kind, result] of found) assertSame(result, expected, kind);
    const names = Object.fromEntries(found.map(([kind, { source }]) => [kind, source]));
    const { raw, png, file, address, element, url } = names;
    assert.deepEqual(
      { raw, png, file, address },
      { raw: 'picture 0', png: 'picture 6', file: 'a picture.png', address: '/picture.png' },
    );
    assert.deepEqual([element, url], Array(2).fill(`${opened.origin}/picture.png`));
  });

  test('a video gives its frame', async () => {
    const found = await page.evaluate(
      async ({ width, height }) => {
        const canvas = document.createElement('canvas');
        Object.assign(canvas, { width, height });
        const context = canvas.getContext('2d')!;
        context.fillRect(0, 0, width, height);
        const video = document.createElement('video');
        video.muted = true;
        const early = await detector.detect(video).then(
          () => 'detections',
          ({ message }: Error) => message,
        );
        video.srcObject = canvas.captureStream();
        await video.play();
        return { early, ...(await detector.detect(video)) };
      },
      { width, height },
    );
    assert.match(found.early, /picture 0: the video has no frame yet/);
    const black = await node.detect({ data: new Uint8Array(3 * width * height), width, height, channels: 3 });
    assertSame(found, black, 'a black video');
  });

  test('transparency lies over white, pictures stand upright', async () => {
    const raw = { width, height, channels: 4 } as const;
    const rgba = Uint8Array.from(
      { length: 4 * width * height },
      (_, i) => (Math.imul(i, 2654435761) >>> 24) ^ (i >> 7),
    );
    const transparent = await sharp(rgba, { raw }).png().toBuffer();
    const upright = { raw: { width, height, channels: 3 } } as const;
    const turned = await sharp(pixels(width, height).data, upright).withMetadata({ orientation: 6 }).png().toBuffer();
    for (const [name, file, most] of [
      ['transparent', transparent, 1], // the browser's rounding
      ['turned', turned, 0],
    ] as const) {
      const expected = await decodePicture(file, { name });
      const found = await page.evaluate(
        async ({ file, name }) => {
          const { data, ...size } = await readPicture(new Blob([Uint8Array.from(file)]), name);
          return { data: [...data], ...size };
        },
        { file: [...file], name },
      );
      assert.deepEqual([found.width, found.height], [expected.width, expected.height], name);
      const difference = found.data.reduce((most, value, i) => Math.max(most, Math.abs(value - expected.data[i])), 0);
      assert.ok(difference <= most, `${name}: ${difference}`);
    }
  });

  test('streams keep their order, in batches too, and report what is broken', async () => {
    const found = await page.evaluate(
      async ({ rgb, width, height }) => {
        const good = { data: Uint8Array.from(rgb), width, height, channels: 3 } as const;
        const wide = { data: new Uint8Array(3 * 50 * 30), width: 50, height: 30, channels: 3 } as const;
        const inputs = [good, good, wide, new Blob(['no picture']), good, '/none.png', good];
        const results = [];
        for await (const result of detector.stream(inputs, { batch: 2, broken: 'report' }))
          results.push('error' in result ? { ...result, error: result.error.message } : result);
        return results;
      },
      { rgb: [...pixels(width, height).data], width, height },
    );
    assert.deepEqual(
      found.map(({ source }) => source),
      [0, 1, 2, 3, 4].map((i) => `picture ${i}`).concat('/none.png', 'picture 6'),
    );
    const messages = found.map((result) => ('error' in result ? result.error : ''));
    assert.match(messages[3], /picture 3: the picture cannot be decoded/);
    assert.match(messages[5], /none\.png: cannot be downloaded: the server answered 404/);
    for (const i of [0, 1, 4, 6]) assertSame(found[i] as PictureDetections, expected, `${i}`);
  });

  test('scores: asked for, suggested, refused', async () => {
    const found = await page.evaluate(async () => {
      const { Detector } = boxwright;
      const bytes = new Uint8Array(await (await fetch('/tiny.onnx')).arrayBuffer());
      const own = await Detector.load(bytes, { minScore: 'suggested', threads: 2 });
      const some = await own.detect('/picture.png');
      const high = await own.detect('/picture.png', { minScore: 0.5 });
      await own.dispose();
      return { some: some.detections, high: high.detections };
    });
    const lowest = { cross: 0.31, disc: 0.3, ring: 0.52 };
    const kept = (limit: (label: string) => number) =>
      expected.detections.filter(({ label, score }) => score >= limit(label)).length;
    assert.equal(
      found.some.length,
      kept((label) => lowest[label as keyof typeof lowest]),
    );
    assert.equal(
      found.high.length,
      kept(() => 0.5),
    );
    const wrong = await opened.errorOf(() => detector.detect('/picture.png', { minScore: 3 }));
    assert.deepEqual([wrong.code, /0 to 1/.test(wrong.message)], ['config', true]);
  });

  test('a download is watched and can be ended', async () => {
    const steps = await page.evaluate(async () => {
      const { Detector } = boxwright;
      const steps: Boxwright.LoadProgress[] = [];
      const loaded = await Detector.load('/tiny.onnx', { onProgress: (step) => steps.push(step) });
      await loaded.dispose();
      return steps;
    });
    const { size: bytes } = await stat(join(folder, 'tiny.onnx'));
    assert.deepEqual(steps.at(-1), { kind: 'downloading', name: '/tiny.onnx', received: bytes, total: bytes });
    const stopped = await opened.errorOf(() => {
      const abort = new AbortController();
      return boxwright.Detector.load('/tiny.onnx', { signal: abort.signal, onProgress: () => abort.abort() });
    });
    assert.equal(stopped.code, 'aborted');
    const before = await opened.errorOf(() => detector.detect('/picture.png', { signal: AbortSignal.abort() }));
    assert.equal(before.code, 'aborted');
  });

  test('what cannot be used says why', async () => {
    const refusals = [
      [
        () => boxwright.Detector.load('/none.onnx'),
        'network',
        /none\.onnx: cannot be downloaded: the server answered 404/,
      ],
      [() => boxwright.Detector.load('http://localhost:1/a.onnx'), 'network', /cannot be downloaded: .*CORS/],
      [() => boxwright.Detector.load('/app.onnx'), 'weights', /app\.onnx: the server answered with a web page/],
      [() => boxwright.Detector.load('/cut.onnx'), 'weights', /cut\.onnx: damaged or truncated/],
      [() => boxwright.Detector.load('/foreign.onnx'), 'weights', /foreign\.onnx: its metadata lack the model/],
      [
        () => boxwright.Detector.load(new Blob([Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16)])), // a JPEG's beginning
        'weights',
        /another kind of file than expected, or damaged: the field at byte 0/,
      ],
      [() => boxwright.Detector.load(42 as never), 'config', /\[object Number\] is no model/],
      [() => boxwright.Detector.load('/tiny.onnx', { threads: 0.5 }), 'config', /threads is 0\.5/],
      [() => boxwright.Detector.load('/tiny.onnx', { provider: 'cuda' as never }), 'config', /wasm or webgpu/],
      [() => detector.detect(42 as never), 'data', /picture 0: Number is no picture/],
      [() => detector.detect(document.createElement('p') as never), 'data', /HTMLParagraphElement is no picture/],
      [() => detector.detect(new OffscreenCanvas(0, 5)), 'data', /is empty \(0 × 5 pixels\)/],
      [
        () => detector.detect(Object.assign(new Image(), { src: '/none.png' })),
        'data',
        /none\.png: the image cannot be/,
      ],
      [() => detector.detect({ data: new Uint8Array(5), width: 2, height: 1 }), 'data', /5 bytes, expected/],
    ] as const;
    for (const [run, code, message] of refusals) {
      const error = await opened.errorOf(run as () => Promise<unknown>);
      assert.equal(error.code, code, `${run}: ${error.message}`);
      assert.match(error.message, message);
    }
  });

  test("a server without onnxruntime-web's files says which are missing", async () => {
    for (const [missing, message] of [
      [
        '**/*.wasm',
        /ONNX Runtime cannot load it: no available backend.*Are the \.wasm files of onnxruntime-web handed out/,
      ],
      ['**/ort.wasm*.mjs', /onnxruntime-web\/wasm cannot be loaded .*Is the package onnxruntime-web installed/],
    ] as const) {
      const own = await page.context().browser()!.newPage();
      await own.route(missing, (route) => route.fulfill({ status: 404 }));
      await own.goto(opened.origin);
      await own.waitForFunction('globalThis.boxwright');
      const error = await own.evaluate(() =>
        boxwright.Detector.load('/tiny.onnx').then(
          () => 'loaded',
          (error) => `${error.code}: ${error.message}`,
        ),
      );
      assert.match(error, /^engine: /);
      assert.match(error, message);
      await own.close();
    }
  });

  test('without WebGPU it says so', async () => {
    for (const [gpu, message] of [
      [undefined, /There is no WebGPU here: the browser lacks it, or the page is not served by https/],
      ['null', /There is no WebGPU here: it finds no graphics card/],
    ] as const) {
      await page.evaluate((adapter) => {
        const value = adapter && { requestAdapter: async () => null };
        Object.defineProperty(navigator, 'gpu', { value, configurable: true });
      }, gpu);
      const error = await opened.errorOf(() => boxwright.Detector.load('/tiny.onnx', { provider: 'webgpu' }));
      assert.equal(error.code, 'provider');
      assert.match(error.message, message);
    }
  });

  test('a picture of a site that did not allow it says so', async () => {
    const other = opened.origin.replace('localhost', '127.0.0.1');
    const error = await page.evaluate(async (address) => {
      const element = new Image();
      element.src = address; // without crossorigin
      return detector.detect(element).then(
        () => 'none',
        ({ code, message }: Boxwright.BoxwrightError) => `${code}: ${message}`,
      );
    }, `${other}/picture.png`);
    assert.match(error, /^data: .*another site.*CORS/);
  });

  test('a worker detects the same', async () => {
    const found = await page.evaluate(async () => {
      const worker = new Worker('/worker.js', { type: 'module' });
      const answer = new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
      });
      const canvas = new OffscreenCanvas(1, 1);
      const bitmap = await createImageBitmap(await (await fetch('/picture.png')).blob());
      worker.postMessage({ bitmap, canvas }, [bitmap, canvas]);
      const result = await answer;
      worker.terminate();
      return result as [PictureDetections, PictureDetections];
    });
    assertSame(found[0], expected, 'a bitmap in a worker');
    assert.deepEqual([found[1].width, found[1].height], [1, 1], 'a canvas in a worker');
  });

  test('Cascade R-CNN detects what it does under Node', async () => {
    const found = await page.evaluate(async () => {
      const own = await boxwright.Detector.load('/cascade.onnx', { minScore: 0 });
      const found = await own.detect('/picture.png');
      await own.dispose();
      return found;
    });
    await using cascade = await Detector.load(join(folder, 'cascade.onnx'), { minScore: 0 });
    const here = await cascade.detect(pixels(width, height));
    assert.ok(here.detections.length > 0);
    assertSame(found, here, 'Cascade R-CNN');
  });

  test('a disposed detector says so', async () => {
    const error = await opened.errorOf(async () => {
      const own = await boxwright.Detector.load('/tiny.onnx');
      await own.warmup();
      await own.dispose();
      await own.dispose();
      await own.detect('/picture.png');
    });
    assert.deepEqual(error, { code: 'engine', message: 'This detector was disposed.' });
  });

  test('examples/browser.html shows what is found', async () => {
    const own = await page.context().browser()!.newPage();
    const errors: string[] = [];
    own.on('pageerror', (error) => errors.push(String(error)));
    await own.goto(`${opened.origin}/examples/browser.html`);
    await own.setInputFiles('#model', join(folder, 'tiny.onnx'));
    await own.locator('#status', { hasText: /refinedet-tiny-64: cross, disc, ring/ }).waitFor();
    await own.fill('#score', '0.4');
    await own.setInputFiles('#picture', { name: 'a.png', mimeType: 'image/png', buffer: await png(width, height) });
    await own.locator('#status', { hasText: /found in \d+ ms/ }).waitFor();
    const shown = await own.locator('#found li').allInnerTexts();
    const kept = expected.detections.filter(({ score }) => score >= 0.4);
    assert.ok(kept.length > 0);
    assert.deepEqual(shown.map((text) => text.split(' ')[0]).sort(), kept.map(({ label }) => label).sort());
    await own.setInputFiles('#model', { name: 'b.onnx', mimeType: '', buffer: Buffer.from('no model') });
    await own.locator('#status', { hasText: /b\.onnx: another kind of file/ }).waitFor();
    assert.deepEqual(errors, []);
    await own.close();
  });

  test('the console stays clean, but for the files that are missing on purpose', () => {
    const others = opened.complaints.filter((text) => !/Failed to load resource/.test(text));
    assert.deepEqual(others, []);
  });
});
