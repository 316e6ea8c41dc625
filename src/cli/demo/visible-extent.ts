/** Corners of a polygon in order, `[x0, y0, x1, y1, …]` in pixels. */
export type Polygon = Float64Array;

/** What is seen of a polygon: inside the picture and not under a later one. */
export interface VisibleExtent {
  /** `[x1, y1, x2, y2]` around the visible part; undefined if nothing is visible. */
  readonly box: readonly [number, number, number, number] | undefined;
  /** Visible area in square pixels. */
  readonly area: number;
}

/** Distance from a corner at which a row of samples runs, so that a row meets the corner's edges and not the corner. */
const beside = 1e-6;

/**
 * The visible part of each polygon in a picture of `size` × `size`, where later polygons lie over earlier ones.
 *
 * Horizontal rows cut the polygons into intervals, from which those of later polygons are taken away. Rows run beside
 * every corner too, so boxes are exact but where one polygon's edge leaves another's: there to 1/`rowsPerPixel` or so.
 */
export function visibleExtents(polygons: readonly Polygon[], size: number, rowsPerPixel: number): VisibleExtent[] {
  const { rows, heights } = sampleRows(polygons, size, rowsPerPixel);
  const crossings = polygons.map((polygon) => crossingsOf(polygon, rows));
  return polygons.map((_, index) => {
    const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
    let area = 0;
    for (let r = 0; r < rows.length; r++) {
      if (crossings[index][r].length === 0) continue;
      for (const [from, to] of visibleIntervals(crossings, index, r, size)) {
        box[0] = Math.min(box[0], from);
        box[1] = Math.min(box[1], rows[r]);
        box[2] = Math.max(box[2], to);
        box[3] = Math.max(box[3], rows[r]);
        area += (to - from) * heights[r];
      }
    }
    return { box: box[0] < box[2] ? box : undefined, area };
  });
}

/** Area of a polygon, whatever of it is seen. */
export function polygonArea(polygon: Polygon): number {
  let twice = 0;
  for (let i = 0; i < polygon.length; i += 2) {
    const j = (i + 2) % polygon.length;
    twice += polygon[i] * polygon[j + 1] - polygon[j] * polygon[i + 1];
  }
  return Math.abs(twice) / 2;
}

/** Rows inside the picture, and the height that each stands for: none for those that run beside corners. */
function sampleRows(polygons: readonly Polygon[], size: number, perPixel: number) {
  const rows = Array.from({ length: size * perPixel }, (_, i) => (i + 0.5) / perPixel);
  const heights = rows.map(() => 1 / perPixel);
  for (const polygon of [...polygons, Float64Array.of(0, 0, 0, size)]) {
    for (let i = 1; i < polygon.length; i += 2) rows.push(polygon[i] - beside, polygon[i] + beside);
  }
  const inside = rows.map((row, i) => ({ row, height: heights[i] ?? 0 })).filter(({ row }) => row > 0 && row < size);
  return { rows: inside.map(({ row }) => row), heights: inside.map(({ height }) => height) };
}

/** Where each row enters and leaves a polygon, rising. */
function crossingsOf(polygon: Polygon, rows: readonly number[]): number[][] {
  return rows.map((y) => {
    const found: number[] = [];
    for (let i = 0; i < polygon.length; i += 2) {
      const j = (i + 2) % polygon.length;
      const [x0, y0, x1, y1] = [polygon[i], polygon[i + 1], polygon[j], polygon[j + 1]];
      if (y0 <= y !== y1 <= y) found.push(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0));
    }
    return found.sort((a, b) => a - b);
  });
}

function visibleIntervals(crossings: readonly number[][][], index: number, row: number, size: number) {
  let left = intervalsOf(crossings[index][row], size);
  for (let over = index + 1; over < crossings.length && left.length > 0; over++) {
    for (const [from, to] of intervalsOf(crossings[over][row], size)) {
      left = left.flatMap(([a, b]): [number, number][] => {
        if (to <= a || from >= b) return [[a, b]];
        const parts: [number, number][] = [
          [a, from],
          [to, b],
        ];
        return parts.filter(([start, end]) => start < end);
      });
    }
  }
  return left;
}

function intervalsOf(crossings: readonly number[], size: number): [number, number][] {
  const intervals: [number, number][] = [];
  for (let i = 0; i + 1 < crossings.length; i += 2) {
    const from = Math.max(0, crossings[i]);
    const to = Math.min(size, crossings[i + 1]);
    if (from < to) intervals.push([from, to]);
  }
  return intervals;
}
