import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Sharp } from 'sharp';
import { decodePicture, type Picture } from '../data/decode.js';
import { BoxwrightError } from '../errors.js';

/** Pixels in memory, row by row, such as the browser's `ImageData`; `channels` 1 (grey), 3 (RGB) or 4 (RGBA, default). */
export interface RawPicture {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly channels?: 1 | 3 | 4;
}

/**
 * A picture to look at: path or file URL, bytes of a picture file, raw pixels, or a sharp pipeline (whose result is
 * taken as it is: sharp turns a picture upright only if its `autoOrient` was called).
 */
export type PictureInput = string | URL | Uint8Array | RawPicture | Sharp;

/** Name for messages and results: the path, or where the picture stands in the input. */
export function sourceName(input: PictureInput, index: number): string {
  if (typeof input === 'string') return input;
  return input instanceof URL ? fileURLToPath(input) : `picture ${index}`;
}

/**
 * The picture as RGB bytes.
 *
 * @throws BoxwrightError `data` naming the picture if it is missing, damaged, no picture, or of another kind.
 */
export async function readPicture(input: PictureInput, name: string): Promise<Picture> {
  if (typeof input === 'string' || input instanceof URL) {
    await requireFile(name);
    return decodePicture(name, { name });
  }
  if (input instanceof Uint8Array) return decodePicture(input, { name });
  if (isSharp(input)) return fromSharp(input, name);
  if (typeof input === 'object' && input !== null && 'data' in input) return fromRaw(input, name);
  const kinds = 'a path, a file URL, bytes of a picture file, raw pixels { data, width, height } or a sharp instance';
  throw new BoxwrightError('data', `${name}: ${typeof input} is no picture; expected ${kinds}.`);
}

async function requireFile(path: string): Promise<void> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === 'ENOENT' ? 'there is no such file' : `cannot be read (${cause.message})`;
    throw new BoxwrightError('data', `${path}: ${reason}`, { cause });
  });
  if (found.isDirectory()) throw new BoxwrightError('data', `${path}: is a folder, expected a picture`);
}

function isSharp(input: unknown): input is Sharp {
  return typeof (input as Partial<Sharp> | null)?.toColourspace === 'function';
}

async function fromSharp(pipeline: Sharp, name: string): Promise<Picture> {
  try {
    const { data, info } = await pipeline
      .clone()
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return fromRaw({ data, width: info.width, height: info.height, channels: info.channels as 1 | 3 }, name);
  } catch (cause) {
    if (cause instanceof BoxwrightError) throw cause;
    throw new BoxwrightError('data', `${name}: sharp cannot give its pixels (${(cause as Error).message})`, { cause });
  }
}

function fromRaw({ data, width, height, channels = 4 }: RawPicture, name: string): Picture {
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
