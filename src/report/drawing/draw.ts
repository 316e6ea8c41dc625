import { extname } from 'node:path';
import sharp from 'sharp';
import { decodePicture } from '../../data/decode.js';
import type { Picture } from '../../data/picture.js';
import { BoxwrightError } from '../../errors.js';
import { writeFileAtomically } from '../../weights/atomic-file.js';
import { classColour } from '../page/colours.js';
import { attributes, labelSvg, type Plate } from './label.js';

/** A box to draw: a detection, or an annotated object if it has no score. */
export interface DrawnBox {
  /** `[x1, y1, x2, y2]` in pixels of the picture. */
  readonly box: readonly number[];
  readonly label: string;
  /** Gives the colour. */
  readonly labelIndex: number;
  readonly score?: number;
  /** Draw a broken line, to tell annotated boxes from detected ones. */
  readonly dashed?: boolean;
}

export interface DrawOptions {
  readonly format?: 'png' | 'jpeg';
  /** Leave names and scores out; default true. */
  readonly labels?: boolean;
}

/**
 * Draws boxes with their class and score over a picture. Lines and labels scale with the picture; labels stay inside it.
 *
 * @param picture path, bytes of a picture file, or decoded pixels.
 * @returns a picture file of the same size, `png` by default.
 * @throws BoxwrightError `data` for a picture that cannot be read and for a box that is not finite.
 */
export async function drawDetections(
  picture: string | Uint8Array | Picture,
  boxes: readonly DrawnBox[],
  { format = 'png', labels = true }: DrawOptions = {},
): Promise<Buffer> {
  const name = typeof picture === 'string' ? picture : 'picture';
  const decoded =
    typeof picture === 'string' || picture instanceof Uint8Array ? await decodePicture(picture, { name }) : picture;
  const { data, width, height } = decoded;
  const overlay = Buffer.from(overlaySvg(width, height, boxes, labels, name));
  const drawn = sharp(data, { raw: { width, height, channels: 3 } })
    .composite([{ input: overlay }])
    .removeAlpha();
  // Thin coloured lines need their colour at full resolution.
  return (format === 'png' ? drawn.png() : drawn.jpeg({ quality: 92, chromaSubsampling: '4:4:4' })).toBuffer();
}

/**
 * The same, written atomically; the name's ending (.png, .jpg, .jpeg) gives the format.
 *
 * @throws BoxwrightError `config` for another ending; `data` and `io` as above and for what the disk refuses.
 */
export async function drawDetectionsTo(
  path: string,
  picture: string | Uint8Array | Picture,
  boxes: readonly DrawnBox[],
  options: Omit<DrawOptions, 'format'> = {},
): Promise<void> {
  const ending = extname(path).toLowerCase();
  if (!['.png', '.jpg', '.jpeg'].includes(ending)) {
    throw new BoxwrightError(
      'config',
      `${path}: pictures are drawn as .png, .jpg or .jpeg, not ${ending || 'without ending'}`,
    );
  }
  const format = ending === '.png' ? 'png' : 'jpeg';
  await writeFileAtomically(path, await drawDetections(picture, boxes, { ...options, format }));
}

/** The drawing without its picture, as SVG of `width` × `height` pixels. */
export function overlaySvg(
  width: number,
  height: number,
  boxes: readonly DrawnBox[],
  labels: boolean,
  name: string,
): string {
  for (const [i, { box, label }] of boxes.entries()) {
    if (box.length === 4 && box.every(Number.isFinite)) continue;
    const found = `${label}, [${box.join(', ')}]`;
    throw new BoxwrightError('data', `${name}: box ${i} to draw is ${found}; expected four finite numbers`);
  }
  const line = Math.max(1.5, Math.min(width, height) / 200);
  const surestFirst = boxes.toSorted((a, b) => (b.score ?? 1) - (a.score ?? 1));
  const placed: Plate[] = [];
  const names = labels ? surestFirst.map((box) => labelSvg(box, width, height, placed)).reverse() : [];
  // What is drawn last lies on top: labels over all lines, the surest over the others.
  const lines = surestFirst.map((box) => rectangle(box, width, height, line)).reverse();
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${lines.join('')}${names.join('')}</svg>`;
}

function rectangle({ box, labelIndex, dashed }: DrawnBox, width: number, height: number, line: number): string {
  // Half a line inwards from the picture's edge a box that fills the picture is still seen.
  const inside = (value: number, size: number) => Math.min(Math.max(value, line / 2), size - line / 2);
  const [x, y] = [inside(box[0], width), inside(box[1], height)];
  const sides = { x, y, width: inside(box[2], width) - x, height: inside(box[3], height) - y };
  const shape = `<rect ${attributes(sides)} fill="none" stroke-linejoin="round"`;
  const dash = dashed ? ` stroke-dasharray="${3 * line} ${2 * line}"` : '';
  // A dark line below sets the colour off from a background of the same colour.
  const shade = `${shape} stroke="#000000" stroke-opacity="0.45" stroke-width="${(1.8 * line).toFixed(2)}"/>`;
  return `${shade}${shape} stroke="${classColour(labelIndex)}" stroke-width="${line.toFixed(2)}"${dash}/>`;
}
