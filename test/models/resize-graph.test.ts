import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resizeBytes, wholeRegion } from '../../src/data/resize.js';
import { input } from '../../src/graph/index.js';
import { resizePictures } from '../../src/models/resize-graph.js';
import { uniforms } from '../boxes/random-boxes.js';
import { runner } from '../graph/harness.js';

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
