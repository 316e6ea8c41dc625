import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestDecimal } from '../../src/evaluate/coco/decimal.js';
import { fnv1a32, hashOf } from '../hashfill.js';

/** The decimal with these digits and so many of them behind the point. */
function read(digits: string, scale: number): number {
  const lowDigits = Math.max(0, digits.length - 9);
  const cut = digits.length - lowDigits;
  return nearestDecimal(Number(digits.slice(0, cut)), Number(digits.slice(cut)), lowDigits, scale);
}

test('decimals of up to 18 digits are read to the last bit', () => {
  const start = fnv1a32('decimals');
  let at = 0;
  const below = (n: number) => Math.floor((hashOf(start, at++) * n) / 2 ** 32);
  let undecided = 0;
  const count = 200_000;
  for (let i = 0; i < count; i++) {
    const scale = below(23);
    // Half of them as programs print them: the 17 digits that tell a float64 from its neighbours.
    const printed = ((below(2 ** 26) * 2 ** 27 + below(2 ** 27)) / 2 ** 53).toPrecision(17).replace(/^0\.0*/, '');
    const random = Array.from({ length: 1 + below(18) }, () => below(10)).join('');
    const digits = i % 2 && !printed.includes('e') ? printed : random;
    const found = read(digits, scale);
    if (Number.isNaN(found))
      undecided += scale > 5 ? 1 : 0; // whole numbers are often ties
    else assert.equal(found, Number(`${digits}e-${scale}`), `${digits}e-${scale}`);
  }
  assert.ok(undecided < count / 10_000, `${undecided} were left to Number`);
});

test('ties and their neighbours', () => {
  // 2⁵³ + 1 lies between two float64s.
  for (const digits of ['9007199254740993', '9007199254740995']) assert.equal(read(digits, 0), Number.NaN);
  for (const digits of ['9007199254740992', '9007199254740994']) assert.equal(read(digits, 0), Number(digits));
  assert.equal(read('90071992547409930', 1), Number.NaN);
  assert.equal(read('90071992547409931', 1), Number('9007199254740993.1'));
  assert.equal(read('0', 5), 0);
});
