/**
 * IoU of the detections `rows` with the truths `columns`; with a crowd region, intersection over the detection's area,
 * since a crowd is found by any part of it. Boxes are `[n, 5]` as `edgesAndAreas` gives them; those without area overlap
 * nothing. Products and sums are those of pycocotools, in its order, so that a borderline IoU falls on the same side.
 *
 * @returns `[detections, truths]`
 */
export function overlapsOf(
  detections: Float64Array,
  rows: Uint32Array,
  truths: Float64Array,
  columns: Uint32Array,
  crowd: ArrayLike<number> | undefined,
): Float64Array {
  const width = columns.length;
  const values = new Float64Array(rows.length * width);
  for (let d = 0; d < rows.length; d++) {
    for (let g = 0; g < width; g++) {
      values[d * width + g] = overlapOf(detections, 5 * rows[d], truths, 5 * columns[g], Boolean(crowd?.[columns[g]]));
    }
  }
  return values;
}

function overlapOf(a: Float64Array, i: number, b: Float64Array, j: number, crowd: boolean): number {
  const width = Math.min(a[i + 2], b[j + 2]) - Math.max(a[i], b[j]);
  if (width <= 0) return 0;
  const height = Math.min(a[i + 3], b[j + 3]) - Math.max(a[i + 1], b[j + 1]);
  if (height <= 0) return 0;
  const intersection = width * height;
  return intersection / (crowd ? a[i + 4] : a[i + 4] + b[j + 4] - intersection);
}
