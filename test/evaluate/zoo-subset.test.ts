import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inZooSubset } from '../../src/evaluate/index.js';

test("the zoo's part of a data set has no crowds and no picture without an object", () => {
  assert.equal(inZooSubset({ labels: [0] }), true);
  assert.equal(inZooSubset({ labels: [0, 1], crowd: [0, 0] }), true);
  assert.equal(inZooSubset({ labels: [0, 1], crowd: [0, 1] }), false);
  assert.equal(inZooSubset({ labels: [] }), false);
});
