import type { Random } from './random.js';
import type { PhotometricRecipe } from './recipe.js';

/** The distortion drawn for one picture. Neutral: 0, 1, 1, 0 and channels in order. */
export interface Photometric {
  readonly brightness: number;
  readonly contrast: number;
  /** Contrast acts before hue and saturation, or after. */
  readonly contrastFirst: boolean;
  readonly saturation: number;
  /** In degrees. */
  readonly hue: number;
  /** For red, green and blue of the result: the channel it is taken from. */
  readonly channels: readonly [number, number, number];
}

/** Orders of the channels as the reference lists them, which counts blue, green, red. */
const channelOrders = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;

/** Draws a distortion, in the reference's order of draws. */
export function drawPhotometric(recipe: PhotometricRecipe, random: Random): Photometric {
  const between = ([low, high]: readonly [number, number], neutral: number) =>
    random.int(2) === 1 ? random.uniform(low, high) : neutral;
  const brightness = between([-recipe.brightness, recipe.brightness], 0);
  const contrastFirst = random.int(2) === 1;
  const early = contrastFirst ? between(recipe.contrast, 1) : 1;
  const saturation = between(recipe.saturation, 1);
  const hue = between([-recipe.hue, recipe.hue], 0);
  const contrast = contrastFirst ? early : between(recipe.contrast, 1);
  const shuffled = recipe.channelShuffle && random.int(2) === 1;
  const [blue, green, red] = channelOrders[shuffled ? random.int(channelOrders.length) : 0];
  return { brightness, contrast, contrastFirst, saturation, hue, channels: [2 - red, 2 - green, 2 - blue] };
}
