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
  const [fromFirst, fromSecond, fromThird] = channels;
  const pixel = new Float64Array(3);
  for (let i = 0, o = outStart; i < columns.length; i++, o += 3) {
    const at = rowStart + columns[i] * 3;
    pixel[0] = (source[at] + brightness) * before;
    pixel[1] = (source[at + 1] + brightness) * before;
    pixel[2] = (source[at + 2] + brightness) * before;
    // The way to HSV and back changes nothing where the largest channel is not negative.
    if (!keepsColour || (pixel[0] < 0 && pixel[1] < 0 && pixel[2] < 0)) shiftColour(pixel, saturation, hue);
    out[o] = pixel[fromFirst] * after;
    out[o + 1] = pixel[fromSecond] * after;
    out[o + 2] = pixel[fromThird] * after;
  }
}

/**
 * To HSV, saturation × and hue +, and back, as OpenCV defines both ways for floats: the value is the largest channel
 * and may lie outside 0..255, the hue counts degrees.
 */
function shiftColour(pixel: Float64Array, saturation: number, hue: number): void {
  const red = pixel[0];
  const green = pixel[1];
  const blue = pixel[2];
  const value = Math.max(red, green, blue);
  const range = value - Math.min(red, green, blue);
  const angle = turn(hueOf(red, green, blue, value, range), hue);
  const chroma = (range / (Math.abs(value) + EPSILON)) * saturation;
  const sector = Math.floor(angle / 60);
  const part = angle / 60 - sector;
  const low = value * (1 - chroma);
  const falling = value * (1 - chroma * part);
  const rising = value * (1 - chroma * (1 - part));
  // Sector 6 is an angle of exactly 360 degrees, the same as 0.
  pixel[0] = sector === 1 ? falling : sector === 2 || sector === 3 ? low : sector === 4 ? rising : value;
  pixel[1] =
    sector === 1 || sector === 2 ? value : sector === 3 ? falling : sector === 4 || sector === 5 ? low : rising;
  pixel[2] = sector === 2 ? rising : sector === 3 || sector === 4 ? value : sector === 5 ? falling : low;
}

function hueOf(red: number, green: number, blue: number, value: number, range: number): number {
  const degrees = 60 / (range + EPSILON);
  if (value === red) return (green - blue) * degrees;
  return value === green ? (blue - red) * degrees + 120 : (red - green) * degrees + 240;
}

/** A hue brought to 0..360, turned, and brought back once, as the reference does. */
function turn(angle: number, by: number): number {
  const turned = (angle < 0 ? angle + 360 : angle) + by;
  if (turned > 360) return turned - 360;
  return turned < 0 ? turned + 360 : turned;
}
