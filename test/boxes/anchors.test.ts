import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AnchorLevel, countAnchors, gridAnchors, toCorners } from '../../src/boxes/anchors.js';
import { toCentres } from '../../src/boxes/coder.js';
import { needs } from '../shared.js';
import { assertClose, openGolden } from './golden-arrays.js';

test('anchors run by level, row, column, shape', () => {
  const levels: AnchorLevel[] = [
    {
      rows: 1,
      columns: 2,
      stride: 4,
      shapes: [
        [2, 2, 8, 8],
        [2, 2, 4, 16],
      ],
    },
    { rows: 2, columns: 1, stride: 8, shapes: [[0, 1, 2, 2]] },
  ];
  const rows = [
    [2, 2, 8, 8],
    [2, 2, 4, 16],
    [6, 2, 8, 8],
    [6, 2, 4, 16],
    [0, 1, 2, 2],
    [0, 9, 2, 2],
  ];
  assert.equal(countAnchors(levels), rows.length);
  assert.deepEqual([...gridAnchors(levels)], rows.flat());
});

test('corners of a centre form, under both pixel conventions', () => {
  assert.deepEqual([...toCorners(Float32Array.of(5, 6, 4, 8))], [3, 2, 7, 10]);
  assert.deepEqual([...toCorners(Float32Array.of(5, 6, 5, 9), true)], [3, 2, 7, 10]);
});

test("mmdetection's anchors: centres on the cells' corners", needs('golden/cascade-rcnn-paper'), async () => {
  const golden = await openGolden('cascade-rcnn-paper/units.safetensors');
  for (const [level, stride] of [4, 8, 16, 32, 64].entries()) {
    const shapes = [0.5, 1, 2].map((r) => [0, 0, (8 * stride) / Math.sqrt(r), 8 * stride * Math.sqrt(r)] as const);
    const grid = gridAnchors([{ rows: 256 / stride, columns: 320 / stride, stride, shapes }]);
    assertClose(toCorners(grid), golden.floats(`anchors.${level}`), 1e-6, 1e-4);
  }
});

test("Cascade R-CNN zoo's anchors, from its rounded base boxes", needs('golden/cascade-rcnn-zoo'), async () => {
  const golden = await openGolden('cascade-rcnn-zoo/anchors.safetensors');
  for (const [level, stride] of [4, 8, 16, 32, 64].entries()) {
    const base = toCentres(golden.floats(`level${level}.base`));
    const shapes = [0, 4, 8].map((at) => [base[at], base[at + 1], base[at + 2], base[at + 3]] as const);
    const grid = toCorners(gridAnchors([{ rows: 768 / stride, columns: 1280 / stride, stride, shapes }]));
    assert.deepEqual([grid.length / 4], golden.integers(`level${level}.count`));
    const sample = grid.filter((_, i) => Math.floor(i / 4) % 97 === 0);
    assert.deepEqual(sample, golden.floats(`level${level}.grid_every_97th`));
  }
});
