import { kernels, layOut, put, type Scratch } from '../kernels/kernels.js';
import type { Random } from './random.js';
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
  const scratch = layOut(rgb.length, 256, 256 * 8, 256 * 8);
  const [at, table, scaled, greys] = scratch.at;
  scratch.bytes.set(rgb, at);
  const state: Jittered = { scratch, at, length: rgb.length, table, scaled, greys, pending: identity };
  for (const { spread, apply } of steps) apply(state, random.uniform(1 - spread, 1 + spread));
  flush(state);
  rgb.set(scratch.bytes.subarray(at, at + rgb.length));
}

/** RGB bytes in the kernels' memory, with room for tables. */
interface Jittered {
  readonly scratch: Scratch;
  readonly at: number;
  readonly length: number;
  readonly table: number;
  readonly scaled: number;
  readonly greys: number;
  /** What every byte is still to be replaced by: one table after the other makes one table, so no pass is needed. */
  pending: Uint8ClampedArray;
}

const identity = Uint8ClampedArray.from({ length: 256 }, (_, byte) => byte);

/** Mixes with black. */
function scaleBrightness(state: Jittered, factor: number): void {
  mapBytes(state, (byte) => byte * factor);
}

/** Mixes with the mean grey of the whole picture. */
function scaleContrast(state: Jittered, factor: number): void {
  const { scratch, at, length, table, pending } = state;
  scratch.bytes.set(pending, table);
  const mean = Math.round(kernels.sumGreys(at, length / 3, table) / (length / 3));
  mapBytes(state, (byte) => byte * factor + mean * (1 - factor));
}

/** Replaces every byte by what `change` makes of it, rounded and clipped. */
function mapBytes(state: Jittered, change: (byte: number) => number): void {
  state.pending = state.pending.map(change);
}

/** Mixes with each pixel's grey. */
function scaleSaturation(state: Jittered, factor: number): void {
  const { scratch, at, length, table, scaled, greys, pending } = state;
  scratch.bytes.set(pending, table);
  put(
    scratch,
    scaled,
    Float64Array.from(identity, (byte) => byte * factor),
  );
  put(
    scratch,
    greys,
    Float64Array.from(identity, (grey) => grey * (1 - factor)),
  );
  kernels.mixGreys(at, length / 3, table, scaled, greys);
  state.pending = identity;
}

function flush({ scratch, at, length, table, pending }: Jittered): void {
  if (pending === identity) return;
  scratch.bytes.set(pending, table);
  kernels.mapBytes(at, length, table);
}
