// Weights that any language can regenerate: a value is a hash of (tensor name, flat index). The definition is
// ../shared/golden/hashfill.py.
import { elementCount } from '../src/graph/tensor.js';

/** The number of a name. */
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** fmix32(fnv1a32(name) + i · 0x9E3779B9) for i below `count`, fmix32 being MurmurHash3's finaliser. */
export function u32(name: string, count: number): Uint32Array {
  const start = fnv1a32(name);
  const values = new Uint32Array(count);
  for (let i = 0; i < count; i++) values[i] = hashOf(start, i);
  return values;
}

/** Number i of the name that has this hash. */
export function hashOf(start: number, i: number): number {
  let x = (start + Math.imul(i, 0x9e3779b9)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Numbers in [-1, 1), in float64. */
export function unit(name: string, shape: readonly number[]): Float64Array {
  return new Float64Array(u32(name, elementCount(shape))).map((value) => value / 2 ** 31 - 1);
}

/** Weights [out, in/groups, kh, kw] or [out, in]: uniform, variance gain² · 2 / fan in (He). */
export function convWeight(name: string, shape: readonly number[], gain = 1): Float32Array {
  return scaled(name, shape, gain * Math.sqrt(6 / elementCount(shape.slice(1))));
}

export function bias(name: string, shape: readonly number[], scale = 0.1): Float32Array {
  return scaled(name, shape, scale);
}

/** Batch norm scales and variances: 1 + spread · unit; L2Norm weights are `scale` times as large. */
export function aroundOne(name: string, shape: readonly number[], scale = 1, spread = 0.1): Float32Array {
  return new Float32Array(unit(name, shape).map((value) => scale * (1 + spread * value)));
}

/** Millions of weights: a plain loop, since this is what tests wait for. */
function scaled(name: string, shape: readonly number[], scale: number): Float32Array {
  const hashes = u32(name, elementCount(shape));
  const values = new Float32Array(hashes.length);
  for (let i = 0; i < values.length; i++) values[i] = (hashes[i] / 2 ** 31 - 1) * scale;
  return values;
}
