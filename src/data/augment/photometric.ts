import type { Random } from '../random.js';
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

/** 2⁻²³, which keeps OpenCV's float HSV from dividing by zero. */
const EPSILON = 2 ** -23;

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

/**
 * Distorts pixels of one row. `source` are interleaved RGB bytes, pixel c of the row starting at `rowStart + 3c`; the
 * pixels named by `columns` are written one after the other to `out` from `outStart`, RGB, neither rounded nor clipped.
 */
export function distortPixels(
  source: Uint8Array,
  rowStart: number,
  columns: Int32Array,
  { brightness, contrast, contrastFirst, saturation, hue, channels }: Photometric,
  out: Float32Array,
  outStart: number,
): void {
  const before = contrastFirst ? contrast : 1;
  const after = contrastFirst ? 1 : contrast;
  const keepsColour = saturation === 1 && hue === 0;
  const [fromRed, fromGreen, fromBlue] = channels;
  const toRed = channels.indexOf(0);
  const toGreen = channels.indexOf(1);
  const toBlue = channels.indexOf(2);
  const isShuffled = fromRed !== 0 || fromGreen !== 1 || fromBlue !== 2;
  for (let i = 0, o = outStart; i < columns.length; i++, o += 3) {
    const at = rowStart + columns[i] * 3;
    let red = (source[at] + brightness) * before;
    let green = (source[at + 1] + brightness) * before;
    let blue = (source[at + 2] + brightness) * before;
    const value = red > green ? (red > blue ? red : blue) : green > blue ? green : blue;
    // The way to HSV and back changes nothing where the value is not negative.
    if (!keepsColour || value < 0) {
      const least = red < green ? (red < blue ? red : blue) : green < blue ? green : blue;
      const range = value - least;
      const perDegree = 60 / (range + EPSILON);
      let angle =
        value === red
          ? (green - blue) * perDegree
          : value === green
            ? (blue - red) * perDegree + 120
            : (red - green) * perDegree + 240;
      if (angle < 0) angle += 360;
      angle += hue;
      if (angle > 360) angle -= 360;
      else if (angle < 0) angle += 360;
      const s = (range / (Math.abs(value) + EPSILON)) * saturation;
      const sector = angle / 60;
      const whole = Math.floor(sector);
      const part = sector - whole;
      const p = value * (1 - s);
      const q = value * (1 - s * part);
      const t = value * (1 - s * (1 - part));
      switch (whole) {
        case 1:
          red = q;
          green = value;
          blue = p;
          break;
        case 2:
          red = p;
          green = value;
          blue = t;
          break;
        case 3:
          red = p;
          green = q;
          blue = value;
          break;
        case 4:
          red = t;
          green = p;
          blue = value;
          break;
        case 5:
          red = value;
          green = p;
          blue = q;
          break;
        default: // 0, and 6 for exactly 360 degrees
          red = value;
          green = t;
          blue = p;
      }
    }
    if (isShuffled) {
      out[o + toRed] = red * after;
      out[o + toGreen] = green * after;
      out[o + toBlue] = blue * after;
    } else {
      out[o] = red * after;
      out[o + 1] = green * after;
      out[o + 2] = blue * after;
    }
  }
}
