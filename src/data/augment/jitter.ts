import type { Random } from '../random.js';
import type { JitterRecipe } from './recipe.js';

/** Weights of OpenCV's fixed-point grey, of 2¹⁴. */
const GREY_RED = 4899;
const GREY_GREEN = 9617;
const GREY_BLUE = 1868;

/** Brightness, contrast and saturation in a drawn order on RGB bytes in place, each rounded and clipped, as MindSpore's `RandomColorAdjust`. */
export function jitterColours(recipe: JitterRecipe, rgb: Uint8ClampedArray, random: Random): void {
  const steps = [
    { spread: recipe.brightness, apply: scaleBrightness },
    { spread: recipe.contrast, apply: scaleContrast },
    { spread: recipe.saturation, apply: scaleSaturation },
  ];
  for (let i = steps.length - 1; i > 0; i--) {
    const j = random.int(i + 1);
    [steps[i], steps[j]] = [steps[j], steps[i]];
  }
  for (const { spread, apply } of steps) apply(rgb, random.uniform(1 - spread, 1 + spread));
}

/** Mixes with black. */
function scaleBrightness(rgb: Uint8ClampedArray, factor: number): void {
  mapBytes(rgb, (byte) => byte * factor);
}

/** Mixes with the mean grey of the whole picture. */
function scaleContrast(rgb: Uint8ClampedArray, factor: number): void {
  let sum = 0;
  for (let i = 0; i < rgb.length; i += 3) sum += greyOf(rgb, i);
  const mean = Math.round(sum / (rgb.length / 3));
  mapBytes(rgb, (byte) => byte * factor + mean * (1 - factor));
}

/** Replaces every byte by what `change` makes of it, rounded and clipped. */
function mapBytes(rgb: Uint8ClampedArray, change: (byte: number) => number): void {
  const table = Uint8ClampedArray.from({ length: 256 }, (_, byte) => change(byte));
  for (let i = 0; i < rgb.length; i++) rgb[i] = table[rgb[i]];
}

/** Mixes with each pixel's grey. */
function scaleSaturation(rgb: Uint8ClampedArray, factor: number): void {
  for (let i = 0; i < rgb.length; i += 3) {
    const grey = greyOf(rgb, i) * (1 - factor);
    rgb[i] = rgb[i] * factor + grey;
    rgb[i + 1] = rgb[i + 1] * factor + grey;
    rgb[i + 2] = rgb[i + 2] * factor + grey;
  }
}

function greyOf(rgb: Uint8ClampedArray, i: number): number {
  return (rgb[i] * GREY_RED + rgb[i + 1] * GREY_GREEN + rgb[i + 2] * GREY_BLUE + 8192) >> 14;
}
