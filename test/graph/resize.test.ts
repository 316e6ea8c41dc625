import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  input,
  int64s,
  type ResizeCoordinates,
  type ResizeMode,
  resize,
  resizeTo,
  upsample,
} from '../../src/graph/index.js';
import { interpolation } from '../../src/graph/ops/resize.js';
import { checkGradient, runner } from './harness.js';

const modes: ResizeMode[] = ['nearest', 'linear'];
const places: ResizeCoordinates[] = ['half_pixel', 'asymmetric', 'align_corners'];

for (const mode of modes) {
  for (const coordinates of places) {
    for (const [from, to] of [
      [
        [3, 4],
        [6, 8],
      ],
      [
        [5, 4],
        [3, 9],
      ],
      [
        [6, 7],
        [1, 1],
      ],
      [
        [1, 2],
        [4, 3],
      ],
    ] as [[number, number], [number, number]][]) {
      const name = `${mode}, ${coordinates}, ${from} to ${to}`;
      test(`resize gradient: ${name}`, () =>
        checkGradient({
          name,
          inputs: { x: [2, 2, ...from] },
          build: ({ x }) => resize(x, to, { mode, coordinates }),
        }));
    }
    for (const factor of [2, 3, 1.5, 0.5, 0.7]) {
      const name = `${mode}, ${coordinates}, times ${factor}`;
      test(`upsample gradient: ${name}`, () =>
        checkGradient({
          name,
          inputs: { x: [1, 2, 5, 4] },
          build: ({ x }) => upsample(x, factor, { mode, coordinates }),
        }));
    }
  }
}

test('resize to a computed size has a gradient', () =>
  checkGradient({
    name: 'resizeTo',
    inputs: { x: [1, 2, 3, 4] },
    build: ({ x }) => resizeTo(x, int64s([1, 2, 5, 6]), [1, 2, 5, 6], { mode: 'linear' }),
  }));

for (const mode of modes) {
  for (const coordinates of places) {
    test(`the matrix of ${mode}, ${coordinates} is what the runtime does`, async () => {
      for (let from = 1; from <= 13; from++) {
        for (let to = 1; to <= 13; to++) {
          await requireMatrix(from, to, mode, coordinates);
        }
      }
    });
  }
}

/** Resizes the unit vectors of an axis: the runtime's own matrix. */
async function requireMatrix(from: number, to: number, mode: ResizeMode, coordinates: ResizeCoordinates) {
  const x = input('x', 'float32', [1, 1, from, from]);
  const y = resize(x, [from, to], { mode, coordinates });
  const units = new Float32Array(from * from);
  for (let i = 0; i < from; i++) units[i * from + i] = 1;
  const results = await (await runner({ y })).run({ x: { dtype: 'float32', shape: [1, 1, from, from], data: units } });
  const attributes = y.node.attributes as Parameters<typeof interpolation>[3];
  const own = interpolation(from, to, to / from, attributes);
  (results.y.data as Float32Array).forEach((value, i) => {
    const [unit, at] = [Math.floor(i / to), i % to];
    const ours = own[at * from + unit];
    assert.ok(Math.abs(ours - value) < 1e-5, `${from} to ${to}: row ${at} takes ${value} of ${unit}, ours ${ours}`);
  });
}
