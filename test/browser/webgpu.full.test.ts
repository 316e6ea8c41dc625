// WebGPU in Chromium, on SwiftShader where there is no graphics card, which takes tens of seconds for its shaders.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type * as Boxwright from '../../src/browser/index.js';
import { Detector } from '../../src/predict/detector.js';
import { pixels } from '../predict/tiny-detector.js';
import { temporaryFolder } from '../temporary-folder.js';
import { assertSame, type DetectorPage, height, openDetectorPage, width, withPage } from './detector-page.js';

const folder = await temporaryFolder({ after });

/** What the functions below find in the page. */
declare const boxwright: typeof Boxwright;

describe('WebGPU in Chromium', withPage, () => {
  let opened: DetectorPage;
  let absent: string | undefined;

  before(async () => {
    opened = await openDetectorPage(folder, ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']);
    const { code, message } = await opened.errorOf(() =>
      boxwright.Detector.load('/tiny.onnx', { provider: 'webgpu' }).then((detector) => detector.dispose()),
    );
    if (code === 'none') return;
    assert.equal(code, 'provider', message);
    assert.match(message, /There is no WebGPU here: .*wasm runs everywhere/);
    absent = message;
  });
  after(() => opened?.close());

  test('it detects what Node does', async (t) => {
    if (absent) return t.skip(absent);
    const found = await opened.page.evaluate(async () => {
      const detector = await boxwright.Detector.load('/tiny.onnx', { provider: 'webgpu', minScore: 0 });
      const found = await detector.detect(['/picture.png', '/picture.png']);
      await detector.dispose();
      return found;
    });
    await using node = await Detector.load(join(folder, 'tiny.onnx'), { minScore: 0 });
    const expected = await node.detect(pixels(width, height));
    assert.ok(expected.detections.length > 5);
    for (const result of found) assertSame(result, expected, 'WebGPU');
  });

  test('Cascade R-CNN says what it lacks there', async (t) => {
    if (absent) return t.skip(absent);
    const refused = await opened.errorOf(() => boxwright.Detector.load('/cascade.onnx', { provider: 'webgpu' }));
    assert.equal(refused.code, 'engine');
    assert.match(refused.message, /no float64, which Cascade R-CNN resizes with: take the provider wasm/);
  });
});
