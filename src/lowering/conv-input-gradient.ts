// Fast forms of a convolution's input gradient on the CPU provider; docs/benchmarks.md has what they were measured against.
import { Conv, type ConvAttributes } from '../graph/ops/conv.js';
import { sumOf } from '../graph/ops/elementwise.js';
import { gather } from '../graph/ops/gather.js';
import { concat, pad, reshape, slice, split, transpose } from '../graph/ops/shape.js';
import { apply1, filled, int64s, type Value } from '../graph/value.js';
import { fusedMatMul } from './fused-matmul.js';
import type { Rule } from './lower.js';

export type ShapedConv = ConvAttributes & { shape: readonly number[] };

/** 1×1, stride 1: one matrix product a picture, Wᵀ · dY. */
export const pointwiseInputGradient: Rule = ({ node, inputs: [dy, w] }) => {
  const { shape, strides, pads, group } = node.attributes as ShapedConv;
  const [out, perGroup, kh, kw] = w.staticShape;
  if (kh * kw !== 1 || group !== 1 || strides.some((stride) => stride !== 1) || pads.some((side) => side !== 0))
    return undefined;
  const [n, , h, width] = dy.staticShape;
  const product = fusedMatMul(reshape(w, [1, out, perGroup]), reshape(dy, [n, out, h * width]), { transA: true });
  return [reshape(product, shape)];
};

/** Stride 1: a convolution of dY with the kernel turned by 180° and its channels exchanged. */
export const unitStrideInputGradient: Rule = ({ node, inputs: [dy, w] }) => {
  const { strides, pads, dilations, group } = node.attributes as ShapedConv;
  if (strides.some((stride) => stride !== 1)) return undefined;
  const [, , kh, kw] = w.staticShape;
  const reach = [kh, kw].map((kernel, i) => dilations[i] * (kernel - 1));
  const back = pads.map((side, i) => reach[i % 2] - side);
  if (back.some((side) => side < 0)) return undefined;
  const turned = turnedKernel(w, group, all(kh), all(kw));
  return [apply1(Conv, [dy, turned], { strides, pads: back, dilations, group })];
};

/** Places of a whole batch up to which turning the kernel costs more than adding up shifted maps. */
const fewPlaces = 1024;

/**
 * Stride 1, small maps: the product of the kernel as it stands with dY gives what each tap adds to the input's places; the
 * taps' maps are moved and added up. Needs no copy of the kernel, which is larger than the maps.
 */
export const addedTapsInputGradient: Rule = ({ node, inputs: [dy, w] }) => {
  const { shape, strides, pads, dilations, group } = node.attributes as ShapedConv;
  const [n, channels, h, width] = shape;
  const [, out, oh, ow] = dy.staticShape;
  const [, , kh, kw] = w.staticShape;
  if (group !== 1 || strides.some((stride) => stride !== 1) || n * oh * ow > fewPlaces) return undefined;
  // Pictures side by side, so that the kernel is read once.
  const columns = reshape(n === 1 ? dy : transpose(dy, [1, 0, 2, 3]), [out, n * oh * ow]);
  const product = fusedMatMul(reshape(w, [out, channels * kh * kw]), columns, { transA: true });
  const all = reshape(product, [channels, kh * kw, n * oh * ow]);
  const taps = kh * kw === 1 ? [all] : split(all, Array<number>(kh * kw).fill(1), 1);
  const maps = taps.map((tap, k) => {
    const [row, column] = [Math.floor(k / kw) * dilations[0] - pads[0], (k % kw) * dilations[1] - pads[1]];
    const map = reshape(tap, [channels, n, oh, ow]);
    return pad(map, [0, 0, row, column], [0, 0, h - oh - row, width - ow - column]);
  });
  const sum = sumOf(maps);
  return [n === 1 ? reshape(sum, shape) : transpose(sum, [1, 0, 2, 3])];
};

const all = (count: number) => Array.from({ length: count }, (_, i) => i);

/** The taps `rows` × `columns` of w [out, in/groups, kh, kw] in falling order, with channels exchanged within groups. */
function turnedKernel(w: Value, group: number, rows: readonly number[], columns: readonly number[]): Value {
  const [out, perGroup, kh, kw] = w.staticShape;
  const grouped = reshape(w, [group, out / group, perGroup, kh * kw]);
  const exchanged = group === out && perGroup === 1 ? grouped : transpose(grouped, [0, 2, 1, 3]);
  const taps = [...rows].reverse().flatMap((i) => [...columns].reverse().map((j) => i * kw + j));
  const turned = taps.length === 1 && kh * kw === 1 ? exchanged : gather(exchanged, int64s(taps), 3);
  return reshape(turned, [group * perGroup, out / group, rows.length, columns.length]);
}

/** What one residue of the input's coordinate along an axis gets: kernel taps, and the first output place they read. */
interface Phase {
  /** Kernel taps in rising order. */
  readonly taps: readonly number[];
  /** Output coordinate of the last tap for the first input coordinate of this residue. */
  readonly first: number;
}

/** Input coordinate s·a + residue gets dY[a + (residue + pad − tap)/s] · w[tap] for the taps that divide. */
function phases(kernel: number, stride: number, before: number): Phase[] {
  return all(stride).map((residue) => {
    const taps = all(kernel).filter((tap) => (residue + before - tap) % stride === 0);
    return { taps, first: taps.length ? (residue + before - taps[taps.length - 1]) / stride : 0 };
  });
}

/**
 * Stride 2, no dilation: every residue of rows and columns is a convolution of its own with those taps that reach it
 * (for 3×3 these are 1×1, 1×2, 2×1 and 2×2: no product with zero), interleaved afterwards.
 */
export const stridedInputGradient: Rule = ({ node, inputs: [dy, w] }) => {
  const { shape, strides, pads, dilations, group } = node.attributes as ShapedConv;
  const stride = strides[0];
  if (stride < 2 || strides[1] !== stride || dilations.some((dilation) => dilation !== 1)) return undefined;
  const [n, channels, h, width] = shape;
  // With few places the kernel's turned parts cost more than the runtime's transposed convolution.
  if (n * h * width <= 4 * fewPlaces && group === 1 && w.staticShape[0] >= 64) return undefined;
  const [, , kh, kw] = w.staticShape;
  const [oh, ow] = [Math.ceil(h / stride), Math.ceil(width / stride)];
  const zeros = filled(0, dy.dtype, [n, channels, oh, ow]);
  const rows = phases(kh, stride, pads[0]).map((row) => {
    const columns = phases(kw, stride, pads[1]).map((column) => {
      if (!row.taps.length || !column.taps.length) return zeros;
      const kernel = turnedKernel(w, group, row.taps, column.taps);
      return convolveFrom(dy, kernel, [row.first, column.first], [oh, ow], group);
    });
    return interleave(columns, 3);
  });
  const whole = interleave(rows, 2);
  const fits = oh * stride === h && ow * stride === width;
  return [fits ? whole : slice(whole, [0, 0], [h, width], [2, 3])];
};

/** Takes places along an axis in turns. A Concat, which is several times as fast as the runtime's DepthToSpace. */
function interleave(parts: readonly Value[], axis: number): Value {
  const { staticShape: shape } = parts[0];
  const split = [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)];
  const joined = concat(
    parts.map((part) => reshape(part, split)),
    axis + 1,
  );
  return reshape(
    joined,
    shape.map((dim, i) => (i === axis ? dim * parts.length : dim)),
  );
}

/** Output [N, C, size] whose place 0 reads dY from `first` on; dY is zero beyond its borders. */
function convolveFrom(
  dy: Value,
  kernel: Value,
  first: readonly number[],
  size: readonly number[],
  group: number,
): Value {
  const before = first.map((start) => -start);
  const after = size.map(
    (count, i) => first[i] + count - 1 + kernel.staticShape[2 + i] - 1 - (dy.staticShape[2 + i] - 1),
  );
  const cut = (amounts: readonly number[]) => amounts.map((amount) => Math.min(amount, 0));
  const grow = (amounts: readonly number[]) => amounts.map((amount) => Math.max(amount, 0));
  const inside = pad(dy, [0, 0, ...cut(before)], [0, 0, ...cut(after)]);
  return apply1(Conv, [inside, kernel], {
    strides: [1, 1],
    dilations: [1, 1],
    pads: [...grow(before), ...grow(after)],
    group,
  });
}
