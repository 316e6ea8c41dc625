// Fast forms of a convolution's weight gradient on the CPU provider; docs/benchmarks.md has what it was measured against.

import type { ConvAttributes } from '../graph/ops/conv.js';
import { gather } from '../graph/ops/gather.js';
import { reduceSum } from '../graph/ops/reduce.js';
import { concat, openEnd, pad, reshape, slice, transpose } from '../graph/ops/shape.js';
import { int64s, type Value } from '../graph/value.js';
import type { ShapedConv } from './conv-input-gradient.js';
import { fusedMatMul } from './fused-matmul.js';
import type { Rule } from './lower.js';

/** A kernel row reads input rows stride · (y + shift) + residue for output row y. */
interface RowTap {
  readonly residue: number;
  readonly shift: number;
}

function rowTaps(kernel: number, stride: number, dilation: number, before: number): RowTap[] {
  return Array.from({ length: kernel }, (_, tap) => {
    const offset = tap * dilation - before;
    const shift = Math.floor(offset / stride);
    return { residue: offset - shift * stride, shift };
  });
}

/**
 * dW[:, :, i, j] = Σ dY · X over places, where X is moved along x only and dY along y only: kh + kw copies serve all
 * kh · kw taps. With a stride, taps whose rows have one residue share a copy of those rows of X.
 */
export const shiftedWeightGradient: Rule = ({ node, inputs: [x, dy] }) => {
  const { shape, strides, pads, dilations, group } = node.attributes as ShapedConv;
  const [out, perGroup, kh, kw] = shape;
  const taps = rowTaps(kh, strides[0], dilations[0], pads[0]);
  const residues = [...new Set(taps.map(({ residue }) => residue))];
  const tables = residues.map((residue) => {
    const rows = strides[0] === 1 ? x : slice(x, [residue], [openEnd], [2], [strides[0]]);
    const [, , height] = rows.staticShape;
    const moved = taps.filter((tap) => tap.residue === residue).map(({ shift }) => movedRows(dy, shift, height));
    const columns = Array.from({ length: kw }, (_, tap) =>
      movedColumns(rows, tap * dilations[1] - pads[1], strides[1], dy.staticShape[3]),
    );
    return productTable(moved, columns, group);
  });
  const byResidue = residues.flatMap((residue) => taps.flatMap((tap, i) => (tap.residue === residue ? [i] : [])));
  const joined = concat(tables, 1);
  const sorted = residues.length === 1 ? joined : gather(joined, int64s(taps.map((_, i) => byResidue.indexOf(i))), 1);
  return [reshape(transpose(sorted, [0, 2, 4, 1, 3]), [out, perGroup, kh, kw])];
};

/** Row y of the result is row y − shift of dY, zero where there is none. */
function movedRows(dy: Value, shift: number, height: number): Value {
  const [, , rows] = dy.staticShape;
  return pad(dy, [0, 0, shift, 0], [0, 0, height - rows - shift, 0]);
}

/** Column c of the result is column stride · c + offset of x, zero where there is none. */
function movedColumns(x: Value, offset: number, stride: number, width: number): Value {
  const columns = x.staticShape[3];
  const needed = stride * (width - 1) + 1;
  const framed = pad(x, [0, 0, 0, -offset], [0, 0, 0, offset + needed - columns]);
  return stride === 1 ? framed : slice(framed, [0], [openEnd], [3], [stride]);
}

/** Products of every moved dY with every moved X, summed over the batch: [group, rows, out/group, columns, in/group]. */
function productTable(rows: readonly Value[], columns: readonly Value[], group: number): Value {
  const flat = (value: Value, count: number): Value => {
    const [n, channels, h, w] = value.staticShape;
    return reshape(value, [n, group, (count * channels) / group, h * w]);
  };
  const [n, out] = rows[0].staticShape;
  const channels = columns[0].staticShape[1];
  const products = rows.map((row) =>
    concat(
      columns.map((column) => {
        const product = fusedMatMul(flat(row, 1), flat(column, 1), { transB: true });
        return reshape(product, [n, group, 1, out / group, 1, channels / group]);
      }),
      4,
    ),
  );
  return reduceSum(concat(products, 2), [0]);
}

/** For every tap, row by row, the map [N, C, size] of the places of x that it reads, zero beyond the border. */
function tapMaps(x: Value, [kh, kw]: readonly number[], size: readonly number[], conv: ConvAttributes): Value[] {
  const { strides, dilations, pads } = conv;
  const [, , h, w] = x.staticShape;
  const reach = [kh, kw].map((kernel, i) => strides[i] * (size[i] - 1) + dilations[i] * (kernel - 1) + 1);
  const framed = pad(x, [0, 0, pads[0], pads[1]], [0, 0, reach[0] - pads[0] - h, reach[1] - pads[1] - w]);
  const along = (map: Value, axis: number, tap: number) => {
    const [start, step] = [tap * dilations[axis - 2], strides[axis - 2]];
    return slice(map, [start], [start + step * (size[axis - 2] - 1) + 1], [axis], [step]);
  };
  // Columns first: these are the copies with small steps, and all rows of a column share them.
  const columns = Array.from({ length: kw }, (_, tap) => along(framed, 3, tap));
  return Array.from({ length: kh }, (_, tap) => columns.map((map) => along(map, 2, tap))).flat();
}

/** Places a picture up to which the batch is folded into the product and unfolding the input costs little. */
const smallMap = 400;
/** Channels up to which a map is so thin that one copy of it a tap is cheaper than moving the other map. */
const thin = 32;

/**
 * One product of dY with X unfolded (im2col), whose result is dW as it stands: for thin inputs, as a stem has them, and for
 * small maps, whose pictures are folded into one product too.
 */
export const unfoldedWeightGradient: Rule = ({ node, inputs: [x, dy] }) => {
  const { shape, ...conv } = node.attributes as ShapedConv;
  const [out, channels, kh, kw] = shape;
  const [n, , oh, ow] = dy.staticShape;
  const isSmall = oh * ow <= smallMap;
  if (conv.group !== 1 || (!isSmall && channels > thin / 2)) return undefined;
  const folded = isSmall && n > 1;
  const swap = (map: Value) => (folded ? transpose(map, [1, 0, 2, 3]) : map);
  const [batch, columns] = folded ? [1, n * oh * ow] : [n, oh * ow];
  const source = swap(x);
  const moved = tapMaps(source, [kh, kw], [oh, ow], conv).map((map) => reshape(map, [batch, channels, 1, columns]));
  const unfolded = reshape(concat(moved, 2), [batch, channels * kh * kw, columns]);
  const products = fusedMatMul(reshape(swap(dy), [batch, out, columns]), unfolded, { transB: true });
  return [reshape(batch === 1 ? products : reduceSum(products, [0]), shape)];
};

/** One product of dY, copied once a tap, with X: for convolutions with few outputs, as a detector's heads are. */
export const thinOutputWeightGradient: Rule = ({ node, inputs: [x, dy] }) => {
  const { shape, ...conv } = node.attributes as ShapedConv;
  const [out, channels, kh, kw] = shape;
  const [n, , h, w] = x.staticShape;
  if (conv.group !== 1 || conv.strides.some((stride) => stride !== 1) || out > thin || out > channels) return undefined;
  const { pads, dilations } = conv;
  // Reading dY at moved places is a convolution's tap again, with the taps in falling order.
  const back = pads.map((side, i) => dilations[i % 2] * ([kh, kw][i % 2] - 1) - side);
  const moved = tapMaps(dy, [kh, kw], [h, w], { ...conv, pads: back }).reverse();
  const stacked = reshape(concat(moved, 1), [n, kh * kw * out, h * w]);
  const products = fusedMatMul(stacked, reshape(x, [n, channels, h * w]), { transB: true });
  const summed = reshape(reduceSum(products, [0]), [kh * kw, out, channels]);
  return [reshape(transpose(summed, [1, 2, 0]), shape)];
};
