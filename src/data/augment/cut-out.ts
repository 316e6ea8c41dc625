import type { PictureObjects } from './objects.js';
import type { Random } from './random.js';
import type { CutOutRecipe } from './recipe.js';

/** The extent of a picture in a canvas of RGB bytes. */
export interface CanvasExtent {
  /** Width of the canvas in pixels. */
  readonly stride: number;
  /** Where the picture begins in a row. */
  readonly left: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Lays rectangles over the picture, and returns the objects that can still be seen. `unitX` and `unitY` are pixels of the
 * canvas per unit of the boxes.
 */
export function cutHoles(
  { chance, count, side, fill, hidden }: CutOutRecipe,
  pixels: Uint8ClampedArray,
  { stride, left, width, height }: CanvasExtent,
  objects: PictureObjects,
  { unitX, unitY }: { readonly unitX: number; readonly unitY: number },
  random: Random,
): PictureObjects {
  if (random.uniform(0, 1) >= chance) return objects;
  const holes = Array.from({ length: 1 + random.int(count) }, () => {
    const holeWidth = Math.max(1, Math.round(random.uniform(...side) * width));
    const holeHeight = Math.max(1, Math.round(random.uniform(...side) * height));
    const x = left + Math.floor(random.uniform(0, width - holeWidth + 1));
    const y = Math.floor(random.uniform(0, height - holeHeight + 1));
    return [x, y, x + holeWidth, y + holeHeight] satisfies Rectangle;
  });
  for (const [x1, y1, x2, y2] of holes) {
    const row = Uint8Array.from({ length: (x2 - x1) * 3 }, (_, i) => fill[i % 3]);
    for (let y = y1; y < y2; y++) pixels.set(row, (y * stride + x1) * 3);
  }
  const seen = Array.from(objects.labels.keys()).filter((i) => {
    const [x1, y1, x2, y2] = [0, 1, 2, 3].map((at) => objects.boxes[i * 4 + at] * (at % 2 === 0 ? unitX : unitY));
    return hiddenArea([x1, y1, x2, y2], holes) <= hidden * (x2 - x1) * (y2 - y1);
  });
  return {
    boxes: Float64Array.from(seen.flatMap((i) => [...objects.boxes.subarray(i * 4, i * 4 + 4)])),
    labels: Int32Array.from(seen, (i) => objects.labels[i]),
  };
}

type Rectangle = readonly [x1: number, y1: number, x2: number, y2: number];

/** What of a box lies under any of the holes, which may overlap: cell by cell of the grid that their edges make. */
function hiddenArea([x1, y1, x2, y2]: Rectangle, holes: readonly Rectangle[]): number {
  const inside = holes.map((hole) => [
    Math.max(x1, hole[0]),
    Math.max(y1, hole[1]),
    Math.min(x2, hole[2]),
    Math.min(y2, hole[3]),
  ]);
  const xs = inside.flatMap((hole) => [hole[0], hole[2]]).sort((a, b) => a - b);
  const ys = inside.flatMap((hole) => [hole[1], hole[3]]).sort((a, b) => a - b);
  let area = 0;
  for (let i = 1; i < xs.length; i++) {
    for (let j = 1; j < ys.length; j++) {
      const isHidden = inside.some(
        (hole) => hole[0] <= xs[i - 1] && xs[i] <= hole[2] && hole[1] <= ys[j - 1] && ys[j] <= hole[3],
      );
      if (isHidden) area += (xs[i] - xs[i - 1]) * (ys[j] - ys[j - 1]);
    }
  }
  return area;
}
