import sharp, { type OutputInfo } from 'sharp';
import { BoxwrightError } from '../errors.js';
import type { Picture } from './picture.js';

/** What the annotations say of a picture, held against the file. */
export interface ExpectedPicture {
  /** Name for messages. */
  readonly name: string;
  readonly width?: number;
  readonly height?: number;
}

/**
 * Decodes a picture file (or its bytes) to 8-bit RGB, as OpenCV and Pillow decode it.
 *
 * - EXIF orientation is applied: boxes refer to the upright picture.
 * - Greyscale becomes three equal channels; CMYK is converted to sRGB; 16 bits are cut to the upper 8.
 * - Transparency is laid over white, as a viewer shows it. Only the first frame of an animation is read.
 * - Embedded colour profiles are not applied to RGB, since the reference decoders hand on the stored values.
 *
 * Throws `BoxwrightError('data')` naming the picture if it cannot be read, is truncated, or has another size than expected.
 */
export async function decodePicture(source: string | Uint8Array, expected: ExpectedPicture): Promise<Picture> {
  let decoded: { data: Buffer; info: OutputInfo };
  try {
    decoded = await sharp(source, { failOn: 'error', ignoreIcc: true, sequentialRead: true })
      .autoOrient()
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
  } catch (cause) {
    const reason = firstLine(cause);
    throw new BoxwrightError(
      'data',
      `${expected.name}: the picture cannot be decoded (${reason}); replace or remove it`,
      {
        cause,
      },
    );
  }
  const { data, info } = decoded;
  checkDecoded(expected, info);
  return { data, width: info.width, height: info.height };
}

/** Width and height of the upright picture, from the file's head only. */
export async function pictureSize(path: string, name: string): Promise<{ width: number; height: number }> {
  try {
    const { autoOrient } = await sharp(path).metadata();
    return { width: autoOrient.width, height: autoOrient.height };
  } catch (cause) {
    const reason = firstLine(cause);
    throw new BoxwrightError('data', `${name}: the picture's size cannot be read (${reason}); replace or remove it`, {
      cause,
    });
  }
}

/** libvips says the same of a broken file in many lines. */
function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split('\n')[0];
}

function checkDecoded({ name, width, height }: ExpectedPicture, info: OutputInfo): void {
  if (info.channels !== 3) {
    throw new BoxwrightError(
      'data',
      `${name}: decoded to ${info.channels} channels, but 3 are needed; convert it to RGB`,
    );
  }
  if (width === undefined || height === undefined || (info.width === width && info.height === height)) return;
  const turned = info.width === height && info.height === width;
  throw new BoxwrightError(
    'data',
    `${name}: the annotations say ${width}×${height} pixels, the ${turned ? 'upright ' : ''}picture has ${info.width}×${info.height}` +
      (turned
        ? '; its EXIF orientation turns it, so label the upright picture or remove the orientation tag'
        : '; its boxes would be misplaced, so correct the size or the picture'),
  );
}
