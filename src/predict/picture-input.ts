import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Sharp } from 'sharp';
import { decodePicture } from '../data/decode.js';
import type { Picture } from '../data/picture.js';
import { BoxwrightError } from '../errors.js';
import { type RawPicture, rgbOf } from './raw-picture.js';
import { downloadPicture } from './web-picture.js';

/**
 * A picture to look at: path, URL of a file or on the web, bytes of a picture file, raw pixels, or a sharp pipeline
 * (whose result is taken as it is: sharp turns a picture upright only if its `autoOrient` was called). A text is always a
 * path, so that a program which passes on what its users type does not fetch from anywhere.
 */
export type PictureInput = string | URL | Uint8Array | RawPicture | Sharp;

/** Name for messages and results: the path, or where the picture stands in the input. */
export function sourceName(input: PictureInput, index: number): string {
  if (typeof input === 'string') return input;
  if (!(input instanceof URL)) return `picture ${index}`;
  return isOnWeb(input) ? input.href : fileURLToPath(input);
}

/**
 * The picture as RGB bytes.
 *
 * @throws BoxwrightError `data` naming the picture if it is missing, damaged, no picture, or of another kind.
 */
export async function readPicture(input: PictureInput, name: string): Promise<Picture> {
  if (input instanceof URL && isOnWeb(input)) return decodePicture(await downloadPicture(input), { name });
  if (typeof input === 'string' || input instanceof URL) {
    await requireFile(name);
    return decodePicture(name, { name });
  }
  if (input instanceof Uint8Array) return decodePicture(input, { name });
  if (isSharp(input)) return fromSharp(input, name);
  if (typeof input === 'object' && input !== null && 'data' in input) return rgbOf(input, name);
  const kinds = 'a path, a URL, bytes of a picture file, raw pixels { data, width, height } or a sharp instance';
  throw new BoxwrightError('data', `${name}: ${typeof input} is no picture; expected ${kinds}.`);
}

const isOnWeb = ({ protocol }: URL) => protocol === 'https:' || protocol === 'http:';

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
    return rgbOf({ data, width: info.width, height: info.height, channels: info.channels as 1 | 3 }, name);
  } catch (cause) {
    if (cause instanceof BoxwrightError) throw cause;
    throw new BoxwrightError('data', `${name}: sharp cannot give its pixels (${(cause as Error).message})`, { cause });
  }
}
