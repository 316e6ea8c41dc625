import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aroundOne, bias, convWeight, u32, unit } from './hashfill.js';

test('the hash gives the values written down with the goldens', () => {
  assert.deepEqual([...u32('conv1.weight', 4)], [4099197707, 1715341153, 1635996411, 213188384]);
  const expected = [0.908837681170553, -0.20123203052207828, -0.23817980522289872, -0.9007264226675034];
  assert.deepEqual([...unit('conv1.weight', [4])], expected);
});

test('fills are the hash scaled in float64 and rounded once', () => {
  const [first] = unit('conv1.weight', [1]);
  assert.equal(convWeight('conv1.weight', [1, 2, 3, 1], 0.5)[0], Math.fround(first * 0.5));
  assert.equal(bias('conv1.weight', [1])[0], Math.fround(first * 0.1));
  assert.equal(aroundOne('conv1.weight', [1], 10)[0], Math.fround(10 * (1 + 0.1 * first)));
});
