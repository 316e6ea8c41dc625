// Fast form of RoIAlign's gradient on the CPU provider; docs/benchmarks.md has what it was measured against.
//
// The bins of a RoI are first spread down to the rows of the map that it reads. Then the RoIs are taken line by line: a
// line is a row of a map within a strip of columns, and what its RoIs add to it is one product of matrices. So no two
// products write to one place, which matters: the runtime's threads lose additions where ScatterND's indices repeat.
// All levels of a pyramid are taken together: the time that a session takes to load grows with the square of the values
// whose shapes depend on the RoIs.
import { dimTimes } from '../graph/dims.js';
import {
  add,
  and,
  cast,
  div,
  equal,
  greater,
  greaterOrEqual,
  less,
  lessOrEqual,
  minimum,
  mul,
  or,
  sub,
  where,
} from '../graph/ops/elementwise.js';
import { dimOf } from '../graph/ops/expand.js';
import { gather, nonZero, scatterNd } from '../graph/ops/gather.js';
import { matMul, matrixTranspose } from '../graph/ops/linear.js';
import { cumSum, reduceMax, reduceSum } from '../graph/ops/reduce.js';
import type { RoiAlignGradientAttributes } from '../graph/ops/roi-align.js';
import { concat, range, reshape, reshapeTo, slice, split, squeeze, transpose, unsqueeze } from '../graph/ops/shape.js';
import { constant, int64s, type Value } from '../graph/value.js';
import { fusedMatMul } from './fused-matmul.js';
import type { Rule } from './lower.js';
import { binWeights, type PixelRange, pickBins, type RoiBins, readPixels, roiBins } from './roi-bins.js';

/** Rows that a RoI's bins are spread to at a time. */
const tileRows = 8;
/** About as many columns a strip: narrower ones are read by more RoIs twice, wider ones multiply more zeros. */
const stripColumns = 80;
/** RoIs of a line in the first product; those beyond come in further products, up to this many times as many in each. */
const firstReaders = 8;
const growth = 2;

/** The maps of all levels as lines: each is a row of a strip of a picture's map, [C, columns]. */
interface Grid {
  readonly channels: number;
  readonly columns: number;
  readonly levels: readonly LevelGrid[];
  /** The most rows and strips that a map has. */
  readonly mostRows: number;
  readonly mostStrips: number;
  /** Bins of a RoI from left to right. */
  readonly bins: number;
  readonly rois: number;
}

interface LevelGrid {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly strips: number;
}

/** Inputs: dY [n, C, h, w], rois [n, 4], pictures [n], levels [n] or none. */
export const roiAlignGradientByLine: Rule = ({ node, inputs: [g, rois, pictures, levels] }) => {
  const attributes = node.attributes as RoiAlignGradientAttributes;
  const [count, , h, w] = g.staticShape;
  if (count === 0) return undefined;
  const grid = gridOf(attributes, g);
  /** What each level has, for each RoI. */
  const ofLevel = (values: readonly number[]) =>
    levels ? gather(constant('float32', [values.length], Float32Array.from(values)), levels) : values[0];
  const geometry = { ...attributes, spatial_scale: ofLevel(attributes.spatial_scales) };
  const down = roiBins(rois, 1, h, ofLevel(grid.levels.map(({ height }) => height)), geometry);
  const across = roiBins(rois, 0, w, ofLevel(grid.levels.map(({ width }) => width)), geometry);
  const inColumns = readPixels(across);
  const reads: Reads = {
    map: levels ? add(mul(levels, attributes.batch), pictures) : pictures,
    rows: readPixels(down),
    strips: { first: div(inColumns.first, grid.columns), last: div(inColumns.last, grid.columns) },
  };
  const sources = { ...spreadRows(g, down, reads, grid), ...stripWeights(across, reads, grid) };
  return mapsOf(grid, addUp(grid, sources, linesOf(grid, reads), 0, firstReaders));
};

function gridOf({ batch, sizes, spatial_scales }: RoiAlignGradientAttributes, g: Value): Grid {
  const [rois, channels, , bins] = g.staticShape;
  const levels = spatial_scales.map((_, level) => {
    const [height, width] = sizes.slice(2 * level);
    return { batch, height, width, strips: Math.max(1, Math.round(width / stripColumns)) };
  });
  return {
    channels,
    columns: Math.max(...levels.map(({ width, strips }) => Math.ceil(width / strips))),
    levels,
    mostRows: Math.max(...levels.map(({ height }) => height)),
    mostStrips: Math.max(...levels.map(({ strips }) => strips)),
    bins,
    rois,
  };
}

const lineCount = ({ batch, height, strips }: LevelGrid) => batch * height * strips;

/** The sums [lines, C, columns] as maps [N, C, H, W]. */
function mapsOf({ levels, channels, columns }: Grid, sums: Value): Value[] {
  const parts = levels.length > 1 ? split(sums, levels.map(lineCount), 0) : [sums];
  return levels.map(({ batch, height, width, strips }, level) => {
    const lines = reshape(parts[level], [batch, height, strips, channels, columns]);
    const map = reshape(transpose(lines, [0, 3, 1, 2, 4]), [batch, channels, height, strips * columns]);
    return strips * columns === width ? map : slice(map, [0], [width], [3]);
  });
}

/** What each RoI reads: [n] each. */
interface Reads {
  /** The map: level · batch + picture. */
  readonly map: Value;
  readonly rows: PixelRange;
  readonly strips: PixelRange;
}

/** bool [size, n]: whether each place, int64 [size], lies in each range. */
function within(places: Value, { first, last }: PixelRange): Value {
  const at = unsqueeze(places, 1);
  return and(greaterOrEqual(at, unsqueeze(first, 0)), lessOrEqual(at, unsqueeze(last, 0)));
}

/** The two rows of `nonZero` of a matrix. */
function placesOf(matrix: Value): readonly [Value, Value] {
  const places = nonZero(matrix);
  return [0, 1].map((axis) => squeeze(slice(places, [axis], [axis + 1], [0]), 0)) as [Value, Value];
}

/** A pixel that no RoI reads: its weights are all 0. */
const nowhere = int64s([-1e6]);

/** The weights [parts, bins, size] of `size` pixels from `firsts` on for RoIs, and zeros behind them as the last part. */
function weightsFrom(bins: RoiBins, rois: Value, firsts: Value, size: number): { weights: Value; rois: Value } {
  const all = concat([rois, int64s([0])], 0);
  const starts = unsqueeze(cast(concat([firsts, nowhere], 0), 'float32'), 1);
  const pixels = add(starts, reshape(range(size, 'float32'), [1, size]));
  return { weights: binWeights(pickBins(bins, all), pixels), rois: all };
}

interface SpreadRows {
  /** dY times the weights of a row for each RoI and row that it reads: [rows, w · C]. */
  readonly rows: Value;
  /** Where row 0 of its map would lie in `rows` for each RoI: [n]. */
  readonly rowZero: Value;
  /** Where zeros lie in `rows`. */
  readonly noRow: Value;
}

/** Wyᵀ · dY, by tiles of some rows from the first that a RoI reads. */
function spreadRows(g: Value, bins: RoiBins, { rows: { first, last } }: Reads, { mostRows }: Grid): SpreadRows {
  const [count, channels, h, w] = g.staticShape;
  const tiles = add(div(sub(last, first), tileRows), 1);
  const most = Math.ceil(mostRows / tileRows);
  const [rois, tile] = placesOf(less(reshape(range(most), [1, most]), unsqueeze(tiles, 1)));
  const part = weightsFrom(bins, rois, add(gather(first, rois), mul(tile, tileRows)), tileRows);
  const ofRoi = reshape(transpose(g, [0, 2, 3, 1]), [count, h, w * channels]);
  return {
    rows: reshape(matMul(matrixTranspose(part.weights), gather(ofRoi, part.rois)), [-1, w * channels]),
    rowZero: sub(mul(cumSum(tiles, 0, { exclusive: true }), tileRows), first),
    noRow: mul(reduceSum(tiles), tileRows),
  };
}

interface StripWeights {
  /** Wx within a strip for each RoI and strip that it reads: [parts, w · columns]. */
  readonly weights: Value;
  /** Where each RoI's strips lie in `weights`: [n · mostStrips]. */
  readonly weightsOf: Value;
  /** Where zeros lie in `weights`. */
  readonly noWeights: Value;
}

function stripWeights(bins: RoiBins, { strips }: Reads, grid: Grid): StripWeights {
  const reads = transpose(within(range(grid.mostStrips), strips), [1, 0]);
  const [rois, strip] = placesOf(reads);
  const { weights } = weightsFrom(bins, rois, mul(strip, grid.columns), grid.columns);
  const flat = cast(reshape(reads, [-1]), 'int64');
  return {
    weights: reshape(weights, [-1, grid.bins * grid.columns]),
    weightsOf: cumSum(flat, 0, { exclusive: true }),
    noWeights: reduceSum(flat),
  };
}

/** Lines, all or some of them: [lines] each but for the last three. */
interface Lines {
  readonly row: Value;
  readonly strip: Value;
  /** How many RoIs read the line, and where they begin in `readers`. */
  readonly counts: Value;
  readonly starts: Value;
  /** The RoIs line after line, and one more for places that are not taken. */
  readonly readers: Value;
  readonly notTaken: Value;
  /** The most RoIs that a line has. */
  readonly most: Value;
}

function linesOf({ levels }: Grid, reads: Reads): Lines {
  const places = levels.flatMap((level, index) => placesOnLevel(level, index * level.batch));
  const [map, row, strip] = [0, 1, 2].map((axis) => int64s(places.map((place) => place[axis])));
  const onMap = equal(unsqueeze(map, 1), unsqueeze(reads.map, 0));
  const reading = and(and(onMap, within(row, reads.rows)), within(strip, reads.strips));
  const counts = reduceSum(cast(reading, 'int64'), [1]);
  return {
    row,
    strip,
    counts,
    starts: cumSum(counts, 0, { exclusive: true }),
    readers: concat([placesOf(reading)[1], int64s([0])], 0),
    notTaken: reduceSum(counts),
    most: reduceMax(counts),
  };
}

/** Map, row and strip of each of a level's lines, picture after picture. */
function placesOnLevel(level: LevelGrid, firstMap: number): [number, number, number][] {
  const { height, strips } = level;
  return Array.from({ length: lineCount(level) }, (_, line) => {
    const row = Math.floor(line / strips);
    return [firstMap + Math.floor(row / height), row % height, line % strips];
  });
}

/**
 * What the RoIs from place `from` of each line on add to it: [lines, C, columns]. The first product takes those before
 * place `to`; lines that have more of them come again, without the others.
 */
function addUp(grid: Grid, sources: SpreadRows & StripWeights, lines: Lines, from: number, to: number): Value {
  const places = range(grid.rois);
  const end = minimum(lines.most, to);
  // At least one place, since a product over nothing would not be zeros but an error.
  const taken = nonZero(or(equal(places, from), and(greater(places, from), less(places, end)))); // [1, places]
  const isTaken = less(taken, unsqueeze(lines.counts, 1));
  const roi = gather(lines.readers, where(isTaken, add(unsqueeze(lines.starts, 1), taken), lines.notTaken));
  const row = add(gather(sources.rowZero, roi), unsqueeze(lines.row, 1));
  const weights = gather(sources.weightsOf, add(mul(roi, grid.mostStrips), unsqueeze(lines.strip, 1)));
  const merged = (value: Value, size: number) => {
    const shape = concat([dimOf(lines.counts, 0), mul(dimOf(taken, 1), grid.bins), int64s([size])], 0);
    return reshapeTo(value, shape, [lines.counts.shape[0], dimTimes(taken.shape[1], grid.bins), size]);
  };
  const sums = fusedMatMul(
    merged(gather(sources.rows, where(isTaken, row, sources.noRow)), grid.channels),
    merged(gather(sources.weights, where(isTaken, weights, sources.noWeights)), grid.columns),
    { transA: true },
  );
  if (to >= grid.rois) return sums;
  const crowded = squeeze(nonZero(greater(lines.counts, to)), 0);
  const rest = addUp(grid, sources, linesAt(lines, crowded), to, to * growth);
  return scatterNd(sums, unsqueeze(crowded, 1), rest, 'add'); // each line once
}

function linesAt(lines: Lines, indices: Value): Lines {
  const pick = (value: Value) => gather(value, indices);
  const { row, strip, counts, starts } = lines;
  return { ...lines, row: pick(row), strip: pick(strip), counts: pick(counts), starts: pick(starts) };
}
