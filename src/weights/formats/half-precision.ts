import { newArray } from '../../graph/tensor.js';

/** float16 values, given as their bits, as float32; exact for every value, infinities and NaN included. */
export function widenFloat16(bits: Uint16Array): Float32Array {
  const out = newArray('float32', bits.length);
  const outBits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  widened ??= Uint32Array.from({ length: 65536 }, (_, half) => widenedBits(half));
  const table = widened;
  for (let i = 0; i < bits.length; i++) outBits[i] = table[bits[i]];
  return out;
}

/** bfloat16 values, given as their bits, as float32; exact, since they are the upper halves of float32 values. */
export function widenBfloat16(bits: Uint16Array): Float32Array {
  const out = newArray('float32', bits.length);
  const outBits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < bits.length; i++) outBits[i] = bits[i] << 16;
  return out;
}

/** The bits of every float16 as float32: looking them up takes a fraction of the time of working them out. */
let widened: Uint32Array | undefined;

function widenedBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = half & 0x7c00;
  const fraction = half & 0x3ff;
  if (exponent === 0x7c00) return sign | 0x7f800000 | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent << 13) + (112 << 23)) | (fraction << 13);
  // Below the smallest normal float16, where float32 is normal still.
  return sign | new Uint32Array(Float32Array.of(fraction * 2 ** -24).buffer)[0];
}
