import assert from 'node:assert/strict';
import { test } from 'node:test';
import { augmentPicture } from '../../src/data/augment/augment.js';
import { randomStream } from '../../src/data/augment/random.js';
import { noAugmentation } from '../../src/data/augment/recipe.js';
import { frameRow } from '../../src/data/batches/batch.js';
import { resizeBytes, wholeRegion } from '../../src/data/resize.js';
import { input } from '../../src/graph/index.js';
import { type CanvasSize, canvasOf, frameOf, type KeepRatioRule } from '../../src/models/canvas.js';
import { zooCascadeRcnn } from '../../src/models/cascade-rcnn/recipes.js';
import { fitPictures, resizePictures } from '../../src/models/resize-graph.js';
import { uniforms } from '../boxes/random-boxes.js';
import { readGolden } from '../golden.js';
import { runner } from '../graph/harness.js';
import { needs } from '../shared.js';

/** [height, width] of pictures: smaller, larger, equal, single pixels, and ratios whose float32 places are close calls. */
const sizes = [
  [1, 1],
  [1, 7],
  [3, 2],
  [64, 64],
  [63, 65],
  [37, 500],
  [333, 91],
  [128, 32],
  [640, 23],
  [427, 213],
];

test('resizing in the graph is the data pipeline byte for byte', async () => {
  const graph = await runner({
    resized: resizePictures(input('images', 'uint8', ['batch', 'height', 'width', 3]), 64),
  });
  const uniform = uniforms(11);
  for (const [height, width] of sizes) {
    const data = Uint8Array.from({ length: 2 * height * width * 3 }, () => 256 * uniform());
    const { resized } = await graph.run({ images: { dtype: 'uint8', shape: [2, height, width, 3], data } });
    const part = height * width * 3;
    for (const i of [0, 1]) {
      const expected = new Uint8Array(64 * 64 * 3);
      const region = wholeRegion({ width, height });
      resizeBytes(data.subarray(i * part, (i + 1) * part), width, region, { width: 64, height: 64 }, expected);
      assert.deepEqual(resized.data.slice(i * 64 * 64 * 3, (i + 1) * 64 * 64 * 3), expected, `${height}×${width}`);
    }
  }
  await graph.session.release();
});

test('positions in whole numbers are those in float64, rounded once', () => {
  let compared = 0;
  for (const to of [64, 192, 320, 512, 1024]) {
    const largest = 2 ** 23 / to;
    for (let length = 1; length <= largest; length = Math.ceil(length * 1.01)) {
      for (let x = 0; x < to; x += 1 + (length % 3)) {
        const inFloat64 = Math.fround((x + 0.5) * (length / to) - 0.5);
        // A quotient of two float32 that is rounded to float64 first rounds to the same float32.
        const inWhole = Math.fround(((2 * x + 1) * length - to) / (2 * to));
        if (inWhole !== inFloat64) assert.fail(`${x} of ${to} from ${length}: ${inWhole}, expected ${inFloat64}`);
        compared++;
      }
    }
  }
  assert.ok(compared > 100_000, `${compared}`);
});

const published: KeepRatioRule = { kind: 'keep-ratio', long: 133, short: 80, multiple: 32 };
const zoo: KeepRatioRule = { ...published, long: 128, short: 77, fixed: { height: 77, width: 128 } };

/** A picture on its tightest canvas, by the data pipeline. */
function onCanvas(data: Uint8Array, picture: CanvasSize, rule: KeepRatioRule): { out: Uint8Array; canvas: CanvasSize } {
  const canvas = canvasOf(rule, picture.width, picture.height);
  const out = new Uint8ClampedArray(canvas.height * canvas.width * 3).fill(7);
  const objects = { boxes: new Float64Array(0), labels: new Int32Array(0) };
  augmentPicture(noAugmentation, { data, ...picture }, objects, { resize: rule, canvas }, randomStream(0, 0, 0), out);
  return { out: Uint8Array.from(out), canvas };
}

for (const [name, rule] of Object.entries({ published, zoo })) {
  test(`fitting pictures in the graph is the data pipeline byte for byte: ${name}`, async () => {
    const { pixels, frames } = fitPictures(input('images', 'uint8', ['batch', 'height', 'width', 3]), rule);
    const graph = await runner({ pixels, frames });
    const uniform = uniforms(12);
    const [tall, flat, huge] = [
      [1000, 1],
      [1, 1000],
      [427, 640],
    ];
    for (const [height, width] of [...sizes, tall, flat, huge, [640, 427], [80, 133], [77, 128], [128, 77]]) {
      const part = height * width * 3;
      const data = Uint8Array.from({ length: 2 * part }, () => 256 * uniform());
      const results = await graph.run({ images: { dtype: 'uint8', shape: [2, height, width, 3], data } });
      for (const i of [0, 1]) {
        const { out, canvas } = onCanvas(data.subarray(i * part, (i + 1) * part), { height, width }, rule);
        assert.deepEqual(results.pixels.shape, [2, canvas.height, canvas.width, 3]);
        const own = results.pixels.data.slice(i * out.length, (i + 1) * out.length) as Uint8Array;
        assert.equal(Buffer.compare(own, out), 0, `${height}×${width}, picture ${i}`);
        const frame = frameRow(frameOf(rule, canvas, { height, width }));
        assert.deepEqual(results.frames, { dtype: 'float32', shape: [1, 4], data: Float32Array.from(frame) });
      }
    }
    await graph.session.release();
  });
}

test('The zoo’s recorded canvases come from the graph too', needs('golden/cascade-rcnn-zoo'), async () => {
  const { tensors } = await readGolden('cascade-rcnn-zoo/preprocess.safetensors');
  const rule = zooCascadeRcnn(80).resize;
  const { pixels, frames } = fitPictures(input('images', 'uint8', ['batch', 'height', 'width', 3]), rule);
  assert.deepEqual(pixels.shape, ['batch', 768, 1280, 3]);
  const graph = await runner({ pixels, frames });
  for (const [i, name, every] of [
    [0, 'image0.canvas_bgr.rows', 16],
    [1, 'image1.canvas_bgr', 1],
  ] as const) {
    const decoded = tensors.get(`image${i}.decoded_rgb`);
    const recorded = tensors.get(name)?.data as Uint8Array;
    assert.ok(decoded);
    const images = { ...decoded, shape: [1, ...decoded.shape] };
    const results = await graph.run({ images });
    const rgb = results.pixels.data as Uint8Array;
    let different = 0;
    recorded.forEach((value, at) => {
      const row = Math.floor(at / 3840) * every;
      if (rgb[row * 3840 + (at % 3840) + 2 - 2 * (at % 3)] !== value) different++;
    });
    assert.equal(different, 0, name);
    const meta = tensors.get(`image${i}.meta`);
    assert.ok(meta);
    const scale = meta.data[2];
    assert.deepEqual([...(results.frames.data as Float32Array)].slice(2), [scale, scale]);
  }
  await graph.session.release();
});
