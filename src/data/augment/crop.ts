import type { PixelRegion } from '../resize.js';
import { isCentreInside, type PictureObjects } from './objects.js';
import type { Random } from './random.js';
import type { CropRecipe } from './recipe.js';

/** Share of width and height that a crop has at least. */
const MIN_SCALE = 0.3;

/** Bounds of a crop's height over its width. */
const MIN_ASPECT = 0.5;
const MAX_ASPECT = 2;

/** Modes tried before the picture stays whole, so that a picture none of whose crops will do ends the search. */
const MAX_MODES = 100;

/** The region of a picture to keep, in whole pixels, or undefined for all of it. */
export function drawCrop(
  recipe: CropRecipe,
  picture: { readonly width: number; readonly height: number },
  objects: PictureObjects,
  random: Random,
): PixelRegion | undefined {
  for (let round = 0; round < MAX_MODES; round++) {
    const mode = recipe.modes[random.choice(recipe.modes.length)];
    if (mode === 'whole') return undefined;
    for (let attempt = 0; attempt < recipe.tries; attempt++) {
      const region = drawRegion(picture, random);
      if (region && isAccepted(region, mode, recipe.condition, objects)) return region;
    }
    if (recipe.afterTries === 'whole') return undefined;
  }
  return undefined;
}

function drawRegion({ width, height }: { width: number; height: number }, random: Random): PixelRegion | undefined {
  const w = random.uniform(MIN_SCALE * width, width);
  const h = random.uniform(MIN_SCALE * height, height);
  if (h / w < MIN_ASPECT || h / w > MAX_ASPECT) return undefined;
  const left = random.uniform(0, width - w);
  const top = random.uniform(0, height - h);
  // Right and bottom are truncated from the sum, not from the parts, as the references do.
  const region = {
    left: Math.trunc(left),
    top: Math.trunc(top),
    right: Math.trunc(left + w),
    bottom: Math.trunc(top + h),
  };
  return region.right > region.left && region.bottom > region.top ? region : undefined;
}

function isAccepted(
  region: PixelRegion,
  mode: 'free' | number,
  condition: CropRecipe['condition'],
  objects: PictureObjects,
): boolean {
  const count = objects.labels.length;
  if (count === 0) return true;
  let hasCentre = false;
  let smallest = 1;
  let largest = 0;
  for (let i = 0; i < count; i++) {
    hasCentre ||= isCentreInside(objects.boxes, i, region);
    const overlap = iouWithRegion(objects.boxes, i, region);
    if (overlap === 0) continue;
    smallest = Math.min(smallest, overlap);
    largest = Math.max(largest, overlap);
  }
  if (!hasCentre) return false;
  if (mode === 'free' || condition === 'none') return true;
  return condition === 'any' ? largest >= mode : !(smallest < mode && largest > mode + 0.2);
}

function iouWithRegion(boxes: Float64Array, i: number, { left, top, right, bottom }: PixelRegion): number {
  const [x1, y1, x2, y2] = boxes.subarray(i * 4, i * 4 + 4);
  const width = Math.max(Math.min(x2, right) - Math.max(x1, left), 0);
  const height = Math.max(Math.min(y2, bottom) - Math.max(y1, top), 0);
  const shared = width * height;
  return shared === 0 ? 0 : shared / ((x2 - x1) * (y2 - y1) + (right - left) * (bottom - top) - shared);
}
