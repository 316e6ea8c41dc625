// Boxes come in pixels of the picture and leave normalised: x over the width of the result, y over its height, 0 to 1.
import type { Picture } from '../decode.js';
import type { Random } from '../random.js';
import { type PixelRegion, resizeBytes, wholeRegion } from '../resize.js';
import { drawCrop } from './crop.js';
import { jitterColours } from './jitter.js';
import { moveObjects, normaliseObjects, objectsInside, type PictureObjects } from './objects.js';
import { drawPhotometric, type Photometric } from './photometric.js';
import type { AugmentationRecipe, ExpandRecipe } from './recipe.js';
import { type Placement, renderPlaced } from './render.js';

/** What was drawn for one picture, and what becomes of its boxes. */
export interface AugmentationPlan extends Placement {
  /** Boxes in 0..1 of the result. */
  readonly objects: PictureObjects;
}

const neutral: Photometric = {
  brightness: 0,
  contrast: 1,
  contrastFirst: false,
  saturation: 1,
  hue: 0,
  channels: [0, 1, 2],
};

/**
 * Draws all but the colour jitter for a picture: every random number is taken here, in the reference's order, so that the
 * boxes are known without touching a pixel. `objects` are in pixels of the picture.
 */
export function planAugmentation(
  recipe: AugmentationRecipe,
  picture: { readonly width: number; readonly height: number },
  objects: PictureObjects,
  random: Random,
): AugmentationPlan {
  const photometric = recipe.photometric ? drawPhotometric(recipe.photometric, random) : neutral;
  const canvas = recipe.expand ? drawCanvas(recipe.expand, picture, random) : { ...picture, left: 0, top: 0 };
  const placed = moveObjects(objects, canvas.left, canvas.top);
  const cropped = recipe.crop && drawCrop(recipe.crop, canvas, placed, random);
  const crop = cropped ?? wholeRegion(canvas);
  const kept = cropped ? objectsInside(placed, cropped) : placed;
  const flip = recipe.flip === true && random.int(2) === 1;
  return {
    photometric,
    left: canvas.left,
    top: canvas.top,
    fill: recipe.expand?.fill ?? [0, 0, 0],
    crop,
    flip,
    objects: normaliseObjects(kept, crop.right - crop.left, crop.bottom - crop.top, flip),
  };
}

/**
 * Augments one picture and resizes it to `size`. RGB bytes go to `out` `[size.height, size.width, 3]`; the objects that are
 * left come back with boxes in 0..1.
 *
 * Recipes with photometric distortion or expansion resize in float32, all others in OpenCV's fixed point, each as its
 * reference does.
 */
export function augmentPicture(
  recipe: AugmentationRecipe,
  picture: Picture,
  objects: PictureObjects,
  size: { readonly width: number; readonly height: number },
  random: Random,
  out: Uint8ClampedArray,
): PictureObjects {
  const plan = planAugmentation(recipe, picture, objects, random);
  if (recipe.photometric || recipe.expand) {
    renderPlaced(picture, plan, size, out);
  } else {
    resizeCrop(picture, plan.crop, size, out);
    if (plan.flip) mirrorRows(out, size.width);
  }
  if (recipe.jitter) jitterColours(recipe.jitter, out, random);
  return plan.objects;
}

/** A larger canvas and the picture's place on it, or just the picture: the draw 1 leaves it as it is. */
function drawCanvas(
  { maxRatio }: ExpandRecipe,
  { width, height }: { readonly width: number; readonly height: number },
  random: Random,
) {
  if (random.int(2) === 1) return { width, height, left: 0, top: 0 };
  const ratio = random.uniform(1, maxRatio);
  const left = Math.trunc(random.uniform(0, width * ratio - width));
  const top = Math.trunc(random.uniform(0, height * ratio - height));
  return { width: Math.trunc(width * ratio), height: Math.trunc(height * ratio), left, top };
}

function resizeCrop(
  picture: Picture,
  crop: PixelRegion,
  size: { readonly width: number; readonly height: number },
  out: Uint8ClampedArray,
): void {
  resizeBytes(picture.data, picture.width, crop, size, new Uint8Array(out.buffer, out.byteOffset, out.length));
}

/** Mirrors interleaved RGB rows in place. */
function mirrorRows(rgb: Uint8ClampedArray, width: number): void {
  const rowLength = width * 3;
  for (let row = 0; row < rgb.length; row += rowLength) {
    for (let left = row, right = row + rowLength - 3; left < right; left += 3, right -= 3) {
      for (let channel = 0; channel < 3; channel++) {
        const kept = rgb[left + channel];
        rgb[left + channel] = rgb[right + channel];
        rgb[right + channel] = kept;
      }
    }
  }
}
