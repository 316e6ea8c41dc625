import assert from 'node:assert/strict';
import { test } from 'node:test';
import { widenBfloat16, widenFloat16 } from '../../src/weights/formats/half-precision.js';

test('every float16 is the float32 of its definition', () => {
  const found = widenFloat16(Uint16Array.from({ length: 65536 }, (_, bits) => bits));
  const expected = Float32Array.from(found, (_, bits) => {
    const sign = bits >> 15 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -24 * fraction;
  });
  // NaNs keep their fraction, so they are not compared byte for byte.
  const wrong = Array.from(found.keys()).filter((bits) => !Object.is(found[bits], expected[bits]));
  assert.deepEqual(wrong, []);
});

test('bfloat16 is the upper half of float32', () => {
  const found = widenBfloat16(Uint16Array.of(0x3f80, 0xc049, 0x7f80, 0x8000, 0x0001));
  assert.deepEqual(found, Float32Array.of(1, -3.140625, Number.POSITIVE_INFINITY, -0, 2 ** -133));
});
