import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assignCanvases, planBatches } from '../../src/data/batches/batch-plan.js';
import type { KeepRatioRule } from '../../src/models/canvas.js';

test('A batch is handed out when its canvas has enough pictures, the rest at the end or not at all', () => {
  const order = Uint32Array.of(4, 0, 3, 1, 2, 6, 5);
  const canvases = Uint16Array.of(0, 1, 0, 1, 0, 0, 0);
  const full = [
    { canvas: 0, positions: [0, 1] },
    { canvas: 1, positions: [2, 3] },
    { canvas: 0, positions: [4, 5] },
  ];
  assert.deepEqual(planBatches(order, canvases, 2, false), full);
  assert.deepEqual(planBatches(order, canvases, 2, true), [...full, { canvas: 0, positions: [6] }]);
  const rests = [
    { canvas: 0, positions: [0, 1, 4] },
    { canvas: 0, positions: [5, 6] },
    { canvas: 1, positions: [2, 3] },
  ];
  assert.deepEqual(planBatches(order, canvases, 3, true), rests);
});

test('Pictures of a canvas that fills no batch go to their next best one', () => {
  const rule: KeepRatioRule = { kind: 'keep-ratio', long: 64, short: 64, multiple: 32 };
  const canvases = [
    { height: 32, width: 64 },
    { height: 64, width: 32 },
    { height: 64, width: 64 },
  ];
  const pictures = [
    { height: 10, width: 20 },
    { height: 10, width: 20 },
    { height: 20, width: 10 },
    { height: 20, width: 20 },
  ];
  assert.deepEqual([...assignCanvases(rule, canvases, pictures, 1)], [0, 0, 1, 2]);
  // The upright one and the square are one picture each; together they fill the square canvas.
  assert.deepEqual([...assignCanvases(rule, canvases, pictures, 2)], [0, 0, 2, 2]);
  // Without a square canvas the upright one is shrunk.
  assert.deepEqual([...assignCanvases(rule, canvases.slice(0, 2), pictures.slice(0, 3), 2)], [0, 0, 0]);
  assert.deepEqual([...assignCanvases(rule, canvases, pictures, 5)], [2, 2, 2, 2]);
});
