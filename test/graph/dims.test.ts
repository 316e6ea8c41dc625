import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dimDivide, dimPlus, dimTimes } from '../../src/graph/dims.js';
import { evaluateDim } from './harness.js';

test('expressions of free dimensions are simplified where they come back', () => {
  assert.equal(dimPlus(dimPlus('h', -1), 1), 'h');
  assert.equal(dimPlus(dimPlus('h', 3), -1), 'h + 2');
  assert.equal(dimPlus(dimPlus('h', 1), -3), 'h - 2');
  assert.equal(dimPlus(dimDivide(dimPlus('h', -1), 2), 1), 'floor((h - 1)/2) + 1');
  assert.equal(dimTimes(4, 'n'), 'n*4');
  assert.equal(dimTimes(dimTimes('n', 4), 2), 'n*8');
  assert.equal(dimTimes(dimTimes('n', 4), 0.25), 'n');
  assert.equal(dimDivide(dimTimes('n', 4), 2), 'n*2');
  assert.equal(dimDivide(dimTimes('n', 4), 4), 'n');
  assert.equal(dimTimes(dimPlus('n', 1), 2), '(n + 1)*2');
  assert.equal(dimDivide(dimTimes(dimPlus('n', 1), 2), 2), 'n + 1');
  assert.equal(dimTimes('n', 0), 0);
  assert.equal(dimTimes('h', 'w'), 'h*w');
});

test('whatever the order of steps, the expression says what was done', () => {
  for (let seed = 0; seed < 300; seed++) {
    let [state, dim, value] = [seed * 7919 + 1, 'n' as string | number, 23];
    for (let step = 0; step < 6; step++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const amount = ((state >>> 16) % 4) + 1;
      const kind = (state >>> 24) % 4;
      if (kind === 0) [dim, value] = [dimPlus(dim, amount), value + amount];
      else if (kind === 1) [dim, value] = [dimPlus(dim, -amount), value - amount];
      else if (kind === 2) [dim, value] = [dimTimes(dim, amount), value * amount];
      else [dim, value] = [dimDivide(dim, amount), Math.floor(value / amount)];
    }
    const found = typeof dim === 'number' ? dim : evaluateDim(dim, new Map([['n', 23]]));
    assert.equal(found, value, `${dim}`);
  }
});
