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

/** Degrees of the hue in which one channel runs from least to largest. */
const SECTOR = 60;

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

/** Writes distorted pixels of one row, see `prepareDistortion`. */
export type DistortPixels = (
  source: Uint8Array,
  rowStart: number,
  columns: Int32Array,
  out: Float32Array,
  outStart: number,
) => void;

/**
 * A distortion made ready for a picture. It reads interleaved RGB bytes, pixel c of a row at `rowStart + 3c`, and writes
 * the pixels named by `columns` one after the other to `out` from `outStart`: RGB, neither rounded nor clipped.
 */
export function prepareDistortion({
  brightness,
  contrast,
  contrastFirst,
  saturation,
  hue,
  channels,
}: Photometric): DistortPixels {
  const before = contrastFirst ? contrast : 1;
  const after = contrastFirst ? 1 : contrast;
  // What comes before the change of colour depends on one byte alone.
  const early = Float64Array.from({ length: 256 }, (_, byte) => (byte + brightness) * before);
  // The way to HSV and back changes nothing but pixels whose largest channel is negative.
  const mayShift = saturation !== 1 || hue !== 0 || early[0] < 0;
  const turnBy = hue / SECTOR;
  const toRed = channels.indexOf(0);
  const toGreen = channels.indexOf(1);
  const toBlue = channels.indexOf(2);
  return (source, rowStart, columns, out, outStart) => {
    for (let i = 0, o = outStart; i < columns.length; i++, o += 3) {
      const at = rowStart + columns[i] * 3;
      let red = early[source[at]];
      let green = early[source[at + 1]];
      let blue = early[source[at + 2]];
      if (mayShift) {
        const value = Math.max(red, green, blue);
        const range = value - Math.min(red, green, blue);
        const amplitude = value * (range / (Math.abs(value) + EPSILON)) * saturation;
        const sector = turn(hueOf(red, green, blue, value, range), turnBy);
        red = value - amplitude * share(sector + 5);
        green = value - amplitude * share(sector + 3);
        blue = value - amplitude * share(sector + 1);
      }
      out[o + toRed] = red * after;
      out[o + toGreen] = green * after;
      out[o + toBlue] = blue * after;
    }
  };
}

/**
 * Hue as OpenCV defines it for floats, in sectors of 60 degrees; `value` is the largest channel and may lie outside
 * 0..255.
 */
function hueOf(red: number, green: number, blue: number, value: number, range: number): number {
  const perSector = 1 / (range + EPSILON);
  if (value === red) return (green - blue) * perSector;
  return value === green ? (blue - red) * perSector + 2 : (red - green) * perSector + 4;
}

/** A hue brought to 0..6, turned, and brought back once, as the reference does. */
function turn(sector: number, by: number): number {
  const turned = (sector < 0 ? sector + 6 : sector) + by;
  if (turned > 6) return turned - 6;
  return turned < 0 ? turned + 6 : turned;
}

/**
 * How much of the amplitude a channel lacks, from its place on the hue circle of six sectors: red counts from 5, green
 * from 3, blue from 1. The closed form of HSV's table of six cases.
 */
function share(place: number): number {
  const k = place >= 6 ? place - 6 : place;
  return Math.max(0, Math.min(k, 4 - k, 1));
}
