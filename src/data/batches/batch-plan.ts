import { type CanvasSize, canvasFor, type ResizeRule } from '../../models/canvas.js';

/** The pictures of a batch: all on one canvas. */
export interface PlannedBatch {
  /** Index of the canvas. */
  readonly canvas: number;
  /** Places in the epoch's order, ascending. */
  readonly positions: readonly number[];
}

/**
 * The batches of an epoch. Its order is walked once, and a batch is complete as soon as a canvas has enough pictures, so
 * that canvases alternate as the pictures do; with one canvas the batches are the order cut into pieces.
 *
 * @param order index of the picture at each place
 * @param canvases canvas of each picture
 * @param keepRest whether what is left of each canvas becomes a smaller batch at the end
 */
export function planBatches(
  order: Uint32Array,
  canvases: Uint16Array,
  batchSize: number,
  keepRest: boolean,
): PlannedBatch[] {
  const batches: PlannedBatch[] = [];
  const waiting: number[][] = [];
  order.forEach((picture, position) => {
    const canvas = canvases[picture];
    waiting[canvas] ??= [];
    waiting[canvas].push(position);
    if (waiting[canvas].length < batchSize) return;
    batches.push({ canvas, positions: waiting[canvas] });
    waiting[canvas] = [];
  });
  if (keepRest) {
    waiting.forEach((positions, canvas) => {
      if (positions.length > 0) batches.push({ canvas, positions });
    });
  }
  return batches;
}

/**
 * The canvas of each picture: the smallest that contains it, or where none does the one in which it stays largest. If
 * batches are to be full, the pictures of a canvas with fewer than `least` go to their next best one, shrunk if they have
 * to be, since otherwise they would never be seen.
 */
export function assignCanvases(
  rule: ResizeRule,
  canvases: readonly CanvasSize[],
  pictures: readonly CanvasSize[],
  least: number,
): Uint16Array {
  let open = canvases.map((_, i) => i);
  for (;;) {
    const candidates = open.map((i) => canvases[i]);
    const assigned = Uint16Array.from(pictures, (picture) => open[canvasFor(rule, candidates, picture)]);
    const counts = countEach(assigned, canvases.length);
    const short = open.filter((i) => counts[i] > 0 && counts[i] < least).sort((a, b) => counts[a] - counts[b]);
    if (short.length === 0 || open.length === 1) return assigned;
    open = open.filter((i) => i !== short[0]);
  }
}

/** How often each of 0 … kinds - 1 occurs. */
export function countEach(values: Iterable<number>, kinds: number): number[] {
  const counts = Array<number>(kinds).fill(0);
  for (const value of values) counts[value]++;
  return counts;
}
