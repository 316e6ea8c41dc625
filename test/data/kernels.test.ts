import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { jitterColours } from '../../src/data/augment/jitter.js';
import type { Photometric } from '../../src/data/augment/photometric.js';
import { type Random, randomStream } from '../../src/data/augment/random.js';
import { renderPlaced } from '../../src/data/augment/render.js';
import { sourceDigest } from '../../src/data/kernels/pixels-wasm.js';
import { linearTaps } from '../../src/data/resize.js';

test('The compiled loops are those of kernels/pixels.ts', async () => {
  const source = await readFile(new URL('../../../kernels/pixels.ts', import.meta.url));
  const digest = createHash('sha256').update(source).digest('hex');
  assert.equal(digest, sourceDigest, 'run npm run generate:kernels');
});

/** SSD's distortion of one pixel as it is defined, by way of HSV, in float64. */
function distorted([r, g, b]: readonly number[], drawn: Photometric): number[] {
  const { brightness, contrast, contrastFirst, saturation, hue, channels } = drawn;
  const rgb = [r, g, b].map((value) => (value + brightness) * (contrastFirst ? contrast : 1));
  let result = rgb;
  const value = Math.max(...rgb);
  const range = value - Math.min(...rgb);
  if (saturation !== 1 || hue !== 0 || value < 0) {
    const part = (range / (Math.abs(value) + 2 ** -23)) * saturation;
    const [red, green, blue] = rgb;
    const perSector = 60 / (range + 2 ** -23);
    let degrees = (blue - red) * perSector + 120;
    if (value === red) degrees = (green - blue) * perSector;
    else if (value !== green) degrees = (red - green) * perSector + 240;
    if (degrees < 0) degrees += 360;
    degrees += hue;
    if (degrees > 360) degrees -= 360;
    else if (degrees < 0) degrees += 360;
    const [sector, rest] = [Math.floor(degrees / 60) % 6, (degrees / 60) % 1];
    const [p, q, t] = [value * (1 - part), value * (1 - part * rest), value * (1 - part * (1 - rest))];
    result = [
      [value, t, p],
      [q, value, p],
      [p, value, t],
      [p, q, value],
      [t, p, value],
      [value, p, q],
    ][sector];
  }
  return channels.map((channel) => result[channel] * (contrastFirst ? 1 : contrast));
}

function drawPlacement(random: Random, width: number, height: number) {
  const [left, top] = [random.int(9), random.int(9)];
  const [x, y] = [random.int(width), random.int(height)];
  return {
    photometric: {
      brightness: random.uniform(-32, 32) * random.int(2),
      contrast: random.uniform(0.5, 1.5),
      contrastFirst: random.int(2) === 1,
      saturation: random.int(2) === 1 ? random.uniform(0.5, 1.5) : 1,
      hue: random.int(2) === 1 ? random.uniform(-18, 18) : 0,
      channels: (
        [
          [0, 1, 2],
          [2, 0, 1],
          [1, 0, 2],
        ] as const
      )[random.int(3)],
    },
    left,
    top,
    fill: [123, 117, 104] as const,
    crop: { left: x, top: y, right: x + 1 + random.int(width + 9), bottom: y + 1 + random.int(height + 9) },
    flip: random.int(2) === 1,
  };
}

test('Rendering equals distortion, canvas, crop, flip and resize one after the other, on hundreds of small pictures', () => {
  let largest = 0;
  let unequal = 0;
  let values = 0;
  for (let run = 0; run < 400; run++) {
    const random = randomStream(11, 0, run);
    const [width, height] = [1 + random.int(23), 1 + random.int(17)];
    // Grey and pure colours too, where hue and amplitude have their edges.
    const data = Uint8Array.from({ length: width * height * 3 }, (_, i) =>
      run % 3 === 0 ? 255 * random.int(2) : i % 7 === 0 ? 0 : random.int(256),
    );
    const placement = drawPlacement(random, width, height);
    const { crop, left, top, fill, flip, photometric } = placement;
    const size = { width: 1 + random.int(30), height: 1 + random.int(30) };
    const [rows, columns] = [
      linearTaps(crop.bottom - crop.top, size.height),
      linearTaps(crop.right - crop.left, size.width),
    ];
    const pixel = (x: number, y: number): readonly number[] => {
      const across = (flip ? crop.right - 1 - x : crop.left + x) - left;
      const down = crop.top + y - top;
      if (across < 0 || down < 0 || across >= width || down >= height) return fill;
      const at = (down * width + across) * 3;
      return distorted([...data.subarray(at, at + 3)], photometric);
    };
    const floats = new Float32Array(size.width * size.height * 3);
    const bytes = new Uint8ClampedArray(floats.length);
    renderPlaced({ data, width, height }, placement, size, floats);
    renderPlaced({ data, width, height }, placement, size, bytes);
    for (let y = 0; y < size.height; y++) {
      for (let x = 0; x < size.width; x++) {
        const [f, g] = [columns.share[x], rows.share[y]];
        const corners = [rows.first[y], rows.second[y]].map((row) => [
          pixel(columns.first[x], row),
          pixel(columns.second[x], row),
        ]);
        for (let c = 0; c < 3; c++) {
          const [above, below] = corners.map(([a, b]) => a[c] * (1 - f) + b[c] * f);
          const at = (y * size.width + x) * 3 + c;
          largest = Math.max(largest, Math.abs(floats[at] - (above * (1 - g) + below * g)));
          // Halves are rounded to even in float32, so what is nearly a half may go either way.
          if (Uint8ClampedArray.of(floats[at])[0] !== bytes[at]) unequal++;
          values++;
        }
      }
    }
  }
  assert.ok(largest < 1e-3, `differs by ${largest}`);
  assert.equal(unequal, 0, `${unequal} of ${values} bytes are not the floats rounded and clipped`);
});

test('Colour jitter equals its definition, byte by byte, in every order of its steps', () => {
  const grey = (rgb: ArrayLike<number>, i: number) =>
    (rgb[i] * 4899 + rgb[i + 1] * 9617 + rgb[i + 2] * 1868 + 8192) >> 14;
  const orders = new Set<string>();
  for (let run = 0; run < 60; run++) {
    const random = randomStream(13, 0, run);
    const count = 1 + random.int(50);
    const pixels = Uint8ClampedArray.from({ length: count * 3 }, () => random.int(256));
    const steps = ['brightness', 'contrast', 'saturation'];
    const [first, second] = [random.int(3), random.int(2)];
    const ints = [first, second];
    const factors = [0, 1, 2].map(() => random.uniform(0.6, 1.4));
    const expected = pixels.slice();
    [steps[2], steps[first]] = [steps[first], steps[2]];
    [steps[1], steps[second]] = [steps[second], steps[1]];
    orders.add(steps.join());
    for (const [at, step] of steps.entries()) {
      const factor = factors[at];
      const greys = Array.from({ length: count }, (_, i) => grey(expected, i * 3));
      const mean = Math.round(greys.reduce((sum, value) => sum + value, 0) / count);
      const base = { brightness: () => 0, contrast: () => mean, saturation: (i: number) => greys[i] }[step]!;
      expected.forEach((byte, i) => {
        expected[i] = byte * factor + base(Math.floor(i / 3)) * (1 - factor);
      });
    }
    const played: Random = {
      int: () => ints.shift() as number,
      choice: () => 0,
      uniform: () => factors.shift() as number,
    };
    jitterColours({ brightness: 0.4, contrast: 0.4, saturation: 0.4 }, pixels, played);
    assert.deepEqual(pixels, expected, `run ${run}: ${steps}`);
  }
  assert.equal(orders.size, 6);
});
