import type { Dataset } from '../data/dataset.js';
import { type CanvasSize, fitted, type ResizeRule } from '../models/canvas.js';

/** Side in pixels of the network's input, as a square of the same area, below which an object is small: two cells of stride 8. */
export const smallSide = 16;
/** Part of the objects that may be small without a word. */
export const fewSmall = 0.3;

/** For each object of the data set, its class and whether it is small as a network sees it. */
export function smallness(
  rule: ResizeRule,
  { images }: Pick<Dataset, 'images'>,
): { label: number; isSmall: boolean }[] {
  return images.flatMap((image) => {
    const { scaleX, scaleY } = scaleOf(rule, image);
    return image.objects.map(({ label, box: [x1, y1, x2, y2] }) => {
      return { label, isSmall: Math.sqrt((x2 - x1) * scaleX * ((y2 - y1) * scaleY)) < smallSide };
    });
  });
}

/** Part of the objects that are small, 0 to 1. */
export function smallPart(objects: readonly { readonly isSmall: boolean }[]): number {
  return objects.filter(({ isSmall }) => isSmall).length / Math.max(1, objects.length);
}

/** Pixels of the network's input a pixel of the picture. */
function scaleOf(rule: ResizeRule, { width, height }: CanvasSize): { scaleX: number; scaleY: number } {
  return rule.kind === 'stretch'
    ? { scaleX: rule.size / width, scaleY: rule.size / height }
    : fitted(rule, width, height);
}
