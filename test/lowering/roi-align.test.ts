import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as ort from 'onnxruntime-node';
import {
  add,
  concat,
  constant,
  elementCount,
  exp,
  gradient,
  input,
  int64s,
  mul,
  type RoiCoordinates,
  reduceSum,
  roiAlignLevels,
  slice,
  type Value,
  writeOnnx,
} from '../../src/graph/index.js';
import { lowerFor } from '../../src/lowering/index.js';
import { fastTarget, pseudo } from '../graph/harness.js';
import { assertClose, assertSameAsReference } from './same-as-reference.js';

interface Case {
  /** Maps [pictures, channels, height, width]; the first has 4 pixels of the canvas a pixel, each next one twice that. */
  readonly maps: readonly (readonly [number, number, number, number])[];
  /** Boxes, or how many arbitrary ones, some of which reach outside. */
  readonly rois: readonly (readonly [number, number, number, number])[] | number;
  /** The level of each RoI; default: in turns. */
  readonly level?: (roi: number) => number;
  readonly size?: readonly [number, number];
  readonly aligned?: RoiCoordinates;
  /** The runtime wants corners in order where sampling is adaptive. */
  readonly samplings?: readonly number[];
}

const cases: Record<string, Case> = {
  'two levels and pictures': {
    maps: [
      [2, 3, 20, 30],
      [2, 3, 10, 15],
    ],
    rois: 24,
  },
  'strips that end behind the map': { maps: [[1, 2, 12, 131]], rois: 30, size: [3, 4] },
  'one level without RoIs': {
    maps: [
      [1, 2, 9, 11],
      [1, 2, 5, 6],
      [1, 2, 3, 3],
    ],
    rois: 7,
    level: (roi) => (roi % 2) * 2,
  },
  'lines with very many RoIs beside such with few': {
    maps: [[1, 2, 30, 40]],
    rois: Array.from({ length: 150 }, (_, i) => (i < 100 ? [40, 60, 70 + i / 10, 75] : [i - 90, 0, 2 * i - 130, 110])),
  },
  'corners exchanged': {
    maps: [[1, 3, 50, 170]],
    rois: [
      [80, 70, 20, 10],
      [80, 10, 20, 70],
    ],
    samplings: [1, 3],
  },
  'the whole map, thin, tiny, outside': {
    maps: [[1, 3, 50, 170]],
    rois: [
      [-100, -100, 900, 400],
      [0, 90, 680, 91],
      [333, 0, 334, 200],
      [50, 50, 50.3, 50.2],
      [60, 60, 60, 60],
      [-90, -90, -50, -60],
      [2000, 2000, 2100, 2100],
    ],
  },
  'not aligned': { maps: [[2, 3, 20, 30]], rois: 12, aligned: false },
  unshifted: { maps: [[2, 3, 20, 30]], rois: 12, aligned: 'unshifted' },
  'one RoI, one bin': { maps: [[1, 1, 7, 5]], rois: [[3, 4, 20, 18]], size: [1, 1] },
};

/** Arbitrary boxes [n, 4] from numbers in [-1, 1): sides of 1 to 150 pixels. */
function boxesFrom(numbers: Value): Value {
  const corners = add(mul(slice(numbers, [0], [2], [1]), 60), constant('float32', [1, 2], Float32Array.of(50, 30)));
  const sides = exp(mul(add(slice(numbers, [2], [4], [1]), 1), 2.5));
  return concat([corners, add(corners, sides)], 1);
}

function pooled({ maps, rois, level, size = [7, 5], aligned }: Case, sampling: number, values: Record<string, Value>) {
  const count = typeof rois === 'number' ? rois : rois.length;
  const boxes =
    typeof rois === 'number'
      ? boxesFrom(values.boxes)
      : constant('float32', [count, 4], Float32Array.from(rois.flat()));
  const ofEach = (value: (roi: number) => number) => int64s(Array.from({ length: count }, (_, roi) => value(roi)));
  return roiAlignLevels(
    maps.map((_, i) => values[`map${i}`]),
    boxes,
    ofEach((roi) => roi % maps[0][0]),
    ofEach(level ?? ((roi) => (roi >> 1) % maps.length)),
    { size, sampling, scales: [1 / 4, 1 / 8, 1 / 16].slice(0, maps.length), aligned },
  );
}

for (const [name, own] of Object.entries(cases))
  for (const sampling of own.samplings ?? [0, 2])
    test(`RoIAlign's gradient line by line: ${name}, sampling ${sampling}`, () =>
      assertSameAsReference({
        shapes: {
          ...Object.fromEntries(own.maps.map((shape, i) => [`map${i}`, shape])),
          ...(typeof own.rois === 'number' ? { boxes: [own.rois, 4] } : {}),
        },
        build: (values) => pooled(own, sampling, values),
      }));

test("RoIAlign's gradient is the same with more threads", async () => {
  const own: Case = {
    maps: [[1, 32, 40, 50]],
    rois: Array.from({ length: 200 }, (_, i) => [20, 30, 100 + i / 9, 120]),
  };
  const map = input('map0', 'float32', own.maps[0]);
  const y = pooled(own, 2, { map0: map });
  const direction = constant('float32', y.staticShape, pseudo(elementCount(y.staticShape), 3));
  const dMap = lowerFor(gradient(reduceSum(mul(y, direction)), [map]), fastTarget)[0];
  const { bytes } = writeOnnx({ name: 'threads', outputs: { dMap } });
  const results = await Promise.all(
    [1, 4].map(async (intraOpNumThreads) => {
      const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads, logSeverityLevel: 3 });
      return (await session.run({})).dMap.data as Float32Array;
    }),
  );
  assert.ok(results[0].some((value) => value !== 0));
  assertClose(results[1], results[0], 1e-6, 'four threads against one');
});
