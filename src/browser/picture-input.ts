import type { Picture } from '../data/picture.js';
import { BoxwrightError } from '../errors.js';
import { type RawPicture, rgbOf } from '../predict/raw-picture.js';
import { download } from './download.js';

/**
 * A picture to look at: anything that a canvas can draw, `ImageData` or other raw pixels, a picture file as a `Blob` or
 * `File` or its bytes, or its address. Canvases, bitmaps and frames are read at once when their turn comes: they may be
 * drawn over or closed when the next picture is asked for.
 */
export type PictureInput =
  | string
  | URL
  | Blob
  | ArrayBuffer
  | Uint8Array
  | ImageData
  | RawPicture
  | ImageBitmap
  | HTMLCanvasElement
  | OffscreenCanvas
  | HTMLImageElement
  | HTMLVideoElement
  | VideoFrame;

/** Name for messages and results: the address or the file's name, or where the picture stands in the input. */
export function sourceName(input: PictureInput, index: number): string {
  const given = nameIn(input);
  return given === undefined || given === '' || given.startsWith('data:') ? `picture ${index}` : given;
}

function nameIn(input: PictureInput): string | undefined {
  switch (kindOf(input)) {
    case 'String':
    case 'URL':
      return String(input);
    case 'File':
      return (input as File).name;
    case 'HTMLImageElement':
      return (input as HTMLImageElement).currentSrc || (input as HTMLImageElement).src;
    default:
      return undefined;
  }
}

/**
 * The picture as RGB bytes, decoded as under Node: upright by its EXIF orientation, transparency laid over white, colour
 * profiles not applied where the browser lets one choose.
 *
 * @throws BoxwrightError `data` naming the picture if it is missing, damaged, empty, of another kind, or of a site that
 *   does not let the page read it.
 */
export async function readPicture(input: PictureInput, name: string): Promise<Picture> {
  switch (kindOf(input)) {
    case 'String':
    case 'URL':
      return decoded(await download(input as string | URL, name, 'data'), name);
    case 'Blob':
    case 'File':
      return decoded(input as Blob, name);
    case 'ArrayBuffer':
    case 'Uint8Array':
      return decoded(new Blob([input as Uint8Array<ArrayBuffer>]), name);
    case 'ImageBitmap':
    case 'HTMLCanvasElement':
    case 'OffscreenCanvas':
      return drawn(input as ImageBitmap, input as ImageBitmap, name);
    case 'HTMLImageElement':
      return fromElement(input as HTMLImageElement, name);
    case 'HTMLVideoElement':
      return fromVideo(input as HTMLVideoElement, name);
    case 'VideoFrame': {
      const { displayWidth: width, displayHeight: height } = input as VideoFrame;
      return drawn(input as VideoFrame, { width, height }, name);
    }
  }
  if (typeof input === 'object' && input !== null && 'data' in input) return rgbOf(input as RawPicture, name);
  const kinds = 'an address, a Blob, a canvas, image, bitmap or video, or pixels { data, width, height }';
  throw new BoxwrightError('data', `${name}: ${kindOf(input)} is no picture; expected ${kinds}.`);
}

/** The name of its class: `instanceof` fails for elements of another frame, and in workers, which lack some classes. */
function kindOf(input: unknown): string {
  return Object.prototype.toString.call(input).slice('[object '.length, -1);
}

/** Profiles are not applied and colours not multiplied by their alpha, so that the stored values come as they are. */
const asStored: ImageBitmapOptions = {
  imageOrientation: 'from-image',
  colorSpaceConversion: 'none',
  premultiplyAlpha: 'none',
};

async function decoded(file: Blob | HTMLImageElement, name: string): Promise<Picture> {
  const bitmap = await createImageBitmap(file, asStored).catch((cause: Error) => {
    throw new BoxwrightError(
      'data',
      `${name}: the picture cannot be decoded (${cause.message}); replace or remove it`,
      {
        cause,
      },
    );
  });
  try {
    return drawn(bitmap, bitmap, name);
  } finally {
    bitmap.close();
  }
}

async function fromElement(image: HTMLImageElement, name: string): Promise<Picture> {
  if (!image.complete || image.naturalWidth === 0) {
    await image.decode().catch((cause: Error) => {
      throw new BoxwrightError('data', `${name}: the image cannot be loaded or decoded (${cause.message})`, { cause });
    });
  }
  return decoded(image, name);
}

async function fromVideo(video: HTMLVideoElement, name: string): Promise<Picture> {
  if (video.readyState < video.HAVE_CURRENT_DATA) {
    throw new BoxwrightError('data', `${name}: the video has no frame yet; wait for its event loadeddata`);
  }
  return drawn(video, { width: video.videoWidth, height: video.videoHeight }, name);
}

/** Over white, as files with transparency are. */
function drawn(image: CanvasImageSource, { width, height }: { width: number; height: number }, name: string): Picture {
  if (!(width > 0 && height > 0)) {
    throw new BoxwrightError(
      'data',
      `${name}: is empty (${width} × ${height} pixels); is it closed, or not loaded yet?`,
    );
  }
  const context = new OffscreenCanvas(width, height).getContext('2d', { alpha: false, willReadFrequently: true });
  if (!context) {
    throw new BoxwrightError('data', `${name}: ${width} × ${height} pixels are more than this browser's canvas takes`);
  }
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, width, height);
  try {
    context.drawImage(image, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    return rgbOf({ data, width, height, channels: 4 }, name);
  } catch (cause) {
    if (cause instanceof BoxwrightError) throw cause;
    const advice =
      (cause as Error).name === 'SecurityError'
        ? '; it is of another site, which has to allow it (CORS), and the element needs crossorigin="anonymous"'
        : '';
    throw new BoxwrightError('data', `${name}: its pixels cannot be read (${(cause as Error).message})${advice}`, {
      cause,
    });
  }
}
