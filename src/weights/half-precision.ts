import { newArray } from '../graph/tensor.js';

/** float16 values, given as their bits, as float32; exact for every value, infinities and NaN included. */
export function widenFloat16(bits: Uint16Array): Float32Array {
  const out = newArray('float32', bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = float16Value(bits[i]);
  return out;
}

/** bfloat16 values, given as their bits, as float32; exact, since they are the upper halves of float32 values. */
export function widenBfloat16(bits: Uint16Array): Float32Array {
  const out = newArray('float32', bits.length);
  const outBits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < bits.length; i++) outBits[i] = bits[i] << 16;
  return out;
}

function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
