// Boxes come in pixels of the picture. They leave normalised where pictures are stretched (x over the width of the result, y
// over its height, 0 to 1), and in pixels of the canvas where they keep their ratio.
import { type CanvasSize, type Frame, frameOf, type ResizeRule } from '../../models/canvas.js';
import type { Picture } from '../picture.js';
import { type PixelRegion, resizeBytes, wholeRegion } from '../resize.js';
import { joinObjects, type LabelledPicture, mixPixels, rotateQuarters } from './compose.js';
import { drawCrop } from './crop.js';
import { cutHoles } from './cut-out.js';
import { jitterColours } from './jitter.js';
import {
  moveObjects,
  normaliseObjects,
  objectsInside,
  type PictureObjects,
  scaleObjects,
  truncateObjects,
} from './objects.js';
import { drawPhotometric, type Photometric } from './photometric.js';
import type { Random } from './random.js';
import type { AugmentationRecipe, ExpandRecipe, MixUpRecipe, ScaleJitterRecipe } from './recipe.js';
import { type Placement, renderPlaced } from './render.js';

/** What was drawn for one picture, and what becomes of its boxes. */
export interface AugmentationPlan extends Placement {
  /** Boxes in pixels of the crop, before the flip. */
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
  const jittered = recipe.scaleJitter && drawScale(recipe.scaleJitter, picture, random);
  if (jittered) {
    const { canvas, crop } = jittered;
    const inside = objectsInside(moveObjects(objects, canvas.left, canvas.top), crop);
    const flip = Boolean(recipe.flip) && random.int(2) === 1;
    return { photometric, left: canvas.left, top: canvas.top, fill: jittered.fill, crop, flip, objects: inside };
  }
  const canvas = recipe.expand ? drawCanvas(recipe.expand, picture, random) : { ...picture, left: 0, top: 0 };
  const placed = moveObjects(objects, canvas.left, canvas.top);
  const cropped = recipe.crop && drawCrop(recipe.crop, canvas, placed, random);
  const crop = cropped ?? wholeRegion(canvas);
  const kept = cropped ? objectsInside(placed, cropped) : placed;
  const flip = Boolean(recipe.flip) && random.int(2) === 1;
  return {
    photometric,
    left: canvas.left,
    top: canvas.top,
    fill: recipe.expand?.fill ?? [0, 0, 0],
    crop,
    flip,
    objects: kept,
  };
}

/** Where an augmented picture goes. */
export interface PictureTarget {
  readonly resize: ResizeRule;
  readonly canvas: CanvasSize;
}

/** What became of a picture. */
export interface PlacedPicture {
  /** Boxes in 0..1 of a stretched picture, or in pixels of the canvas where the ratio is kept. */
  readonly objects: PictureObjects;
  /** Of the crop, in pixels of the source; on a canvas that is mirrored as a whole it lies at the right. */
  readonly frame: Frame;
}

/**
 * Augments one picture and puts it on its canvas, zero where the picture does not reach. RGB bytes go to `out`
 * `[canvas.height, canvas.width, 3]`; the objects that are left come back. A crop of another ratio than the picture is
 * fitted into the picture's canvas.
 *
 * Recipes with photometric distortion or expansion resize in float32, all others (and an expansion in bytes) in OpenCV's
 * fixed point, each as its reference does. In float32 a picture that the rule resizes twice is resized once.
 */
export function augmentPicture(
  recipe: AugmentationRecipe,
  source: Picture,
  sourceObjects: PictureObjects,
  { resize, canvas }: PictureTarget,
  random: Random,
  out: Uint8ClampedArray,
): PlacedPicture {
  const upright = { picture: source, objects: sourceObjects };
  const { picture, objects } = recipe.rotate90 ? rotateQuarters(upright, random.int(4)) : upright;
  const stretched = resize.kind === 'stretch';
  const pixelBoxes = recipe.pixelBoxes === true && !stretched;
  const plan = planAugmentation(recipe, picture, pixelBoxes ? truncateObjects(objects) : objects, random);
  const crop = { height: plan.crop.bottom - plan.crop.top, width: plan.crop.right - plan.crop.left };
  const frame = frameOf(resize, canvas, crop);
  const mirrorsCanvas = plan.flip && recipe.flip === 'canvas';
  const covers = frame.width === canvas.width && frame.height === canvas.height;
  const pixels = covers ? out : new Uint8ClampedArray(frame.width * frame.height * 3);
  drawPlan(recipe, picture, { ...plan, flip: plan.flip && !mirrorsCanvas }, frame, pixels);
  if (recipe.jitter) jitterColours(recipe.jitter, pixels, random);
  if (!covers) putInCorner(pixels, frame, canvas, out);
  if (mirrorsCanvas) mirrorRows(out, canvas.width);
  const mirrorWidth = plan.flip ? (mirrorsCanvas ? canvas : frame).width : undefined;
  const placed = stretched
    ? normaliseObjects(plan.objects, crop.width, crop.height, plan.flip)
    : scaleObjects(plan.objects, { frame, mirrorWidth, pixelBoxes });
  return { objects: placed, frame };
}

/** What is mixed into pictures, and how many boxes there is room for. */
export interface MixedPicture {
  /** The other picture, if one was drawn. */
  readonly other: LabelledPicture | undefined;
  readonly maxBoxes: number;
}

/**
 * As `augmentPicture`, and then what comes last: another picture, augmented in the same way, shines through, and
 * rectangles are laid over. Where the boxes of both would be too many, the picture stays alone.
 */
export function augmentMixed(
  recipe: AugmentationRecipe,
  { picture, objects }: LabelledPicture,
  { other, maxBoxes }: MixedPicture,
  target: PictureTarget,
  random: Random,
  out: Uint8ClampedArray,
): PlacedPicture {
  const placed = augmentPicture(recipe, picture, objects, target, random, out);
  const mixed =
    recipe.mixUp && other ? mixUp(recipe.mixUp, recipe, placed, other, maxBoxes, target, random, out) : placed;
  if (!recipe.cutOut) return mixed;
  const { canvas } = target;
  const { frame } = mixed;
  const stretched = target.resize.kind === 'stretch';
  // Padding that a mirrored canvas has at its left is as good a place for a hole as any.
  const whole = recipe.flip === 'canvas' ? canvas : frame;
  const extent = { stride: canvas.width, left: 0, width: whole.width, height: whole.height };
  const units = stretched ? { unitX: canvas.width, unitY: canvas.height } : { unitX: 1, unitY: 1 };
  return { frame, objects: cutHoles(recipe.cutOut, out, extent, mixed.objects, units, random) };
}

function mixUp(
  { share }: MixUpRecipe,
  recipe: AugmentationRecipe,
  placed: PlacedPicture,
  other: LabelledPicture,
  maxBoxes: number,
  target: PictureTarget,
  random: Random,
  out: Uint8ClampedArray,
): PlacedPicture {
  const pixels = new Uint8ClampedArray(out.length);
  const part = random.uniform(...share);
  const second = augmentPicture(recipe, other.picture, other.objects, target, random, pixels);
  if (placed.objects.labels.length + second.objects.labels.length > maxBoxes) return placed;
  mixPixels(out, pixels, part);
  // Targets ask what is picture and what is padding: whatever either of the two covers is picture.
  const frame = {
    ...placed.frame,
    width: Math.max(placed.frame.width, second.frame.width),
    height: Math.max(placed.frame.height, second.frame.height),
  };
  return { objects: joinObjects([placed.objects, second.objects]), frame };
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

/** A part of the picture of its ratio, to be enlarged to its size, or a larger canvas around it, to be shrunk. */
function drawScale(
  { range: [low, high], fill }: ScaleJitterRecipe,
  { width, height }: { readonly width: number; readonly height: number },
  random: Random,
) {
  const factor = Math.exp(random.uniform(Math.log(low), Math.log(high)));
  const size = { width: Math.max(1, Math.round(width / factor)), height: Math.max(1, Math.round(height / factor)) };
  const [acrossRoom, downRoom] = [size.width - width, size.height - height];
  const across = Math.floor(random.uniform(0, Math.abs(acrossRoom) + 1));
  const down = Math.floor(random.uniform(0, Math.abs(downRoom) + 1));
  // A canvas that is smaller than the picture is a crop of it: the picture reaches beyond it on all sides.
  const canvas = { left: acrossRoom < 0 ? 0 : across, top: downRoom < 0 ? 0 : down };
  const left = acrossRoom < 0 ? across : 0;
  const top = downRoom < 0 ? down : 0;
  return { canvas, fill, crop: { left, top, right: left + size.width, bottom: top + size.height } };
}

/** Draws the plan's crop at the frame's size: `out` `[frame.height, frame.width, 3]`. */
function drawPlan(
  { photometric, expand }: AugmentationRecipe,
  picture: Picture,
  plan: AugmentationPlan,
  frame: Frame,
  out: Uint8ClampedArray,
): void {
  if (photometric || (expand && !expand.bytes)) {
    renderPlaced(picture, plan, frame, out);
    return;
  }
  resizeCrop(picture, plan, frame.steps, out);
}

/** Resizes the crop in fixed point, to one size after the other. */
function resizeCrop(
  picture: Picture,
  { crop, left, top, fill, flip }: Placement,
  steps: readonly CanvasSize[],
  out: Uint8ClampedArray,
): void {
  const region = { left: crop.left - left, top: crop.top - top, right: crop.right - left, bottom: crop.bottom - top };
  const inside =
    region.left >= 0 && region.top >= 0 && region.right <= picture.width && region.bottom <= picture.height;
  let source: Picture = inside ? picture : cutOut(picture, region, fill);
  let from = inside ? region : wholeRegion(source);
  for (const [i, { width, height }] of steps.entries()) {
    const last = i === steps.length - 1;
    const data = last ? new Uint8Array(out.buffer, out.byteOffset, out.length) : new Uint8Array(width * height * 3);
    resizeBytes(source.data, source.width, from, { width, height }, data, last && flip);
    source = { data, width, height };
    from = wholeRegion(source);
  }
}

/** A region that reaches beyond the picture, as a picture with `fill` around. */
function cutOut(picture: Picture, region: PixelRegion, fill: Placement['fill']): Picture {
  const width = region.right - region.left;
  const height = region.bottom - region.top;
  const data = new Uint8Array(width * height * 3);
  if (fill.some((value) => value !== 0)) for (let i = 0; i < data.length; i++) data[i] = fill[i % 3];
  const left = Math.max(region.left, 0);
  const right = Math.min(region.right, picture.width);
  const bottom = left < right ? Math.min(region.bottom, picture.height) : 0;
  for (let y = Math.max(region.top, 0); y < bottom; y++) {
    const row = picture.data.subarray((y * picture.width + left) * 3, (y * picture.width + right) * 3);
    data.set(row, ((y - region.top) * width + left - region.left) * 3);
  }
  return { data, width, height };
}

/** Copies a frame's pixels into the upper left corner of a canvas and zeroes the rest, which may hold a former picture. */
function putInCorner(pixels: Uint8ClampedArray, frame: CanvasSize, canvas: CanvasSize, out: Uint8ClampedArray): void {
  const [length, stride] = [frame.width * 3, canvas.width * 3];
  for (let y = 0; y < frame.height; y++) {
    out.set(pixels.subarray(y * length, (y + 1) * length), y * stride);
    out.fill(0, y * stride + length, (y + 1) * stride);
  }
  out.fill(0, frame.height * stride);
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
