import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MergeRule, mergeDetections } from '../../src/predict/merge-detections.js';
import { mirroredBoxes, mirroredPictures } from '../../src/predict/mirror.js';
import { type Row, rowsOf, tensorsOf } from './detection-rows.js';

const left = [0, 0, 8, 8] as const;
const nearLeft = [0, 0, 8, 7] as const; // overlaps by 7/8
const halfLeft = [0, 0, 8, 4] as const; // by 1/2
const right = [20, 0, 28, 8] as const;
const half: MergeRule = { suppression: { threshold: 0.5 } };

const cases: readonly {
  name: string;
  runs: readonly (readonly Row[])[];
  rule: MergeRule;
  expected: readonly Row[];
}[] = [
  { name: 'nothing found', runs: [[], []], rule: half, expected: [] },
  {
    name: 'an object found twice keeps the better score and its box',
    runs: [[[0, 0, 0.5, left]], [[0, 0, 0.75, nearLeft]]],
    rule: half,
    expected: [[0, 0, 0.75, nearLeft]],
  },
  {
    name: 'an overlap of just the threshold is two objects',
    runs: [[[0, 0, 0.5, left]], [[0, 0, 0.75, halfLeft]]],
    rule: half,
    expected: [
      [0, 0, 0.75, halfLeft],
      [0, 0, 0.5, left],
    ],
  },
  {
    name: 'overlaps that count the last pixel',
    runs: [[[0, 0, 0.5, left]], [[0, 0, 0.75, halfLeft]]],
    rule: { suppression: { threshold: 0.5, plusOne: true } }, // 45/81
    expected: [[0, 0, 0.75, halfLeft]],
  },
  {
    name: 'classes are apart',
    runs: [[[0, 1, 0.5, left]], [[0, 0, 0.25, left]]],
    rule: half,
    expected: [
      [0, 1, 0.5, left],
      [0, 0, 0.25, left],
    ],
  },
  {
    name: 'pictures are apart and in their order',
    runs: [[[1, 0, 0.75, left]], [[0, 0, 0.5, left]]],
    rule: half,
    expected: [
      [0, 0, 0.5, left],
      [1, 0, 0.75, left],
    ],
  },
  {
    name: 'a limit for each class',
    runs: [[[0, 0, 0.75, left]], [[0, 0, 0.5, right]], [[0, 1, 0.25, right]]],
    rule: { suppression: { threshold: 0.5, limit: 1 } },
    expected: [
      [0, 0, 0.75, left],
      [0, 1, 0.25, right],
    ],
  },
  {
    name: 'a limit for each picture',
    runs: [
      [
        [0, 0, 0.25, left],
        [1, 0, 0.125, left],
      ],
      [
        [0, 0, 0.75, right],
        [0, 1, 0.5, right],
      ],
    ],
    rule: { ...half, keep: 2 },
    expected: [
      [0, 0, 0.75, right],
      [0, 1, 0.5, right],
      [1, 0, 0.125, left],
    ],
  },
];

for (const { name, runs, rule, expected } of cases) {
  test(`merging: ${name}`, () => {
    const merged = mergeDetections(runs.map(tensorsOf), rule);
    assert.deepEqual(rowsOf(merged), expected);
    assert.deepEqual(merged.boxes.shape, [expected.length, 4]);
  });
}

test('pictures are mirrored row by row, their channels kept in order', () => {
  const data = Uint8Array.from({ length: 2 * 2 * 3 * 3 }, (_, i) => i);
  const mirrored = mirroredPictures({ dtype: 'uint8', shape: [2, 2, 3, 3], data });
  assert.deepEqual([...mirrored.data.subarray(0, 12)], [6, 7, 8, 3, 4, 5, 0, 1, 2, 15, 16, 17]);
  assert.deepEqual(mirroredPictures(mirrored).data, data);
});

test('boxes are mirrored with their corners in order', () => {
  assert.deepEqual([...mirroredBoxes(Float32Array.of(1, 2, 4, 8), 10)], [6, 2, 9, 8]);
});
