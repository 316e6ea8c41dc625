import { kernels, layOut } from '../kernels/kernels.js';
import type { Random } from '../random.js';
import type { JitterRecipe } from './recipe.js';

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
  const { bytes, at } = layOut(rgb.length, 256);
  const pixels: Pixels = { bytes, at: at[0], length: rgb.length, table: at[1] };
  bytes.set(rgb, pixels.at);
  for (const { spread, apply } of steps) apply(pixels, random.uniform(1 - spread, 1 + spread));
  rgb.set(bytes.subarray(pixels.at, pixels.at + rgb.length));
}

/** RGB bytes in the kernels' memory, with room for a table. */
interface Pixels {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly length: number;
  readonly table: number;
}

/** Mixes with black. */
function scaleBrightness(pixels: Pixels, factor: number): void {
  mapBytes(pixels, (byte) => byte * factor);
}

/** Mixes with the mean grey of the whole picture. */
function scaleContrast(pixels: Pixels, factor: number): void {
  const count = pixels.length / 3;
  const mean = Math.round(kernels.sumGreys(pixels.at, count) / count);
  mapBytes(pixels, (byte) => byte * factor + mean * (1 - factor));
}

/** Replaces every byte by what `change` makes of it, rounded and clipped. */
function mapBytes({ bytes, at, length, table }: Pixels, change: (byte: number) => number): void {
  bytes.set(
    Uint8ClampedArray.from({ length: 256 }, (_, byte) => change(byte)),
    table,
  );
  kernels.mapBytes(at, length, table);
}

/** Mixes with each pixel's grey. */
function scaleSaturation({ at, length }: Pixels, factor: number): void {
  kernels.mixGreys(at, length / 3, factor);
}
