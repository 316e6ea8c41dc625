import type { Picture } from '../data/picture.js';
import { BoxwrightError } from '../errors.js';

/** Pixels in memory, row by row, such as the browser's `ImageData`; `channels` 1 (grey), 3 (RGB) or 4 (RGBA, default). */
export interface RawPicture {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly channels?: 1 | 3 | 4;
}

/**
 * Raw pixels as RGB bytes; those of RGB are taken as they are, without a copy.
 *
 * @throws BoxwrightError `data` naming the picture if they are no bytes or do not fill it.
 */
export function rgbOf({ data, width, height, channels = 4 }: RawPicture, name: string): Picture {
  const wrong = (found: string) => new BoxwrightError('data', `${name}: raw pixels ${found}`);
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray)) {
    throw wrong('are no Uint8Array or Uint8ClampedArray; scale other numbers to 0 … 255 first');
  }
  if (![width, height].every((side) => Number.isInteger(side) && side > 0)) {
    throw wrong(`of ${width} × ${height}: width and height must be whole numbers above 0`);
  }
  if (![1, 3, 4].includes(channels)) throw wrong(`have ${channels} channels, expected 1, 3 (RGB) or 4 (RGBA)`);
  const expected = width * height * channels;
  if (data.length !== expected) {
    throw wrong(`are ${data.length} bytes, expected ${width} × ${height} × ${channels} = ${expected}`);
  }
  return { data: channels === 3 ? bytesOf(data) : toRgb(data, width * height, channels), width, height };
}

function bytesOf(data: Uint8Array | Uint8ClampedArray): Uint8Array {
  return data instanceof Uint8Array ? data : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Grey three times over; RGBA laid over white, as files with transparency are. */
function toRgb(data: Uint8Array | Uint8ClampedArray, pixels: number, channels: 1 | 4): Uint8Array {
  const rgb = new Uint8Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    const alpha = channels === 4 ? data[4 * i + 3] / 255 : 1;
    for (let c = 0; c < 3; c++) {
      const value = channels === 4 ? data[4 * i + c] : data[i];
      rgb[3 * i + c] = Math.round(value * alpha + 255 * (1 - alpha));
    }
  }
  return rgb;
}
