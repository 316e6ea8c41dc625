import type { Random } from '../random.js';
import type { PictureObjects } from './objects.js';
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
    return [x, y, x + holeWidth, y + holeHeight] as const;
  });
  for (const [x1, y1, x2, y2] of holes) {
    const row = Uint8Array.from({ length: (x2 - x1) * 3 }, (_, i) => fill[i % 3]);
    for (let y = y1; y < y2; y++) pixels.set(row, (y * stride + x1) * 3);
  }
  const seen = Array.from(objects.labels.keys()).filter((i) => {
    const [x1, y1, x2, y2] = [0, 1, 2, 3].map((at) => objects.boxes[i * 4 + at] * (at % 2 === 0 ? unitX : unitY));
    const area = (x2 - x1) * (y2 - y1);
    return holes.every((hole) => {
      const across = Math.max(Math.min(x2, hole[2]) - Math.max(x1, hole[0]), 0);
      const down = Math.max(Math.min(y2, hole[3]) - Math.max(y1, hole[1]), 0);
      return across * down <= hidden * area;
    });
  });
  return {
    boxes: Float64Array.from(seen.flatMap((i) => [...objects.boxes.subarray(i * 4, i * 4 + 4)])),
    labels: Int32Array.from(seen, (i) => objects.labels[i]),
  };
}
