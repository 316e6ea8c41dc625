import { BoxwrightError } from '../errors.js';
import type { DataProblem, PixelBox } from './dataset.js';

/** Where a box was read, for messages. */
export interface BoxOrigin {
  readonly file: string;
  readonly index: number;
  /** The numbers as the file has them, where they differ from the box. */
  readonly written?: readonly number[];
}

/** Pixels by which a box may reach beyond its picture because the file's numbers are rounded, without a word about it. */
const ROUNDING = 0.01;

/**
 * A box that can be trained on, or undefined if it has to be left out. A box of no area or wholly outside the picture is
 * dropped, one partly outside is clipped; both are added to `problems`. Throws `BoxwrightError('data')` for coordinates
 * that are not finite numbers.
 */
export function checkBox(
  box: readonly number[],
  picture: { readonly width: number; readonly height: number },
  { file, index, written = box }: BoxOrigin,
  problems: DataProblem[],
): PixelBox | undefined {
  if (box.length !== 4 || !box.every(Number.isFinite)) {
    throw new BoxwrightError(
      'data',
      `${file}, object ${index}: its box is [${written.join(', ')}], but four finite numbers are needed; correct or remove the object`,
    );
  }
  const [x1, y1, x2, y2] = box as PixelBox;
  const { width, height } = picture;
  const drop = (what: string) => {
    problems.push({ file, index, what, action: 'dropped' });
    return undefined;
  };
  if (x2 <= x1 || y2 <= y1) {
    return drop(`box [${written.join(', ')}] has zero or negative size (${x2 - x1}×${y2 - y1} pixels)`);
  }
  if (x1 >= width || y1 >= height || x2 <= 0 || y2 <= 0) {
    return drop(`box [${written.join(', ')}] lies outside the picture of ${width}×${height} pixels`);
  }
  const clipped: PixelBox = [Math.max(x1, 0), Math.max(y1, 0), Math.min(x2, width), Math.min(y2, height)];
  if (clipped.some((side, i) => Math.abs(side - box[i]) > ROUNDING)) {
    const what = `box [${written.join(', ')}] reaches beyond the picture of ${width}×${height} pixels`;
    problems.push({ file, index, what, action: 'clipped' });
  }
  return clipped;
}

/** `annotated` of an object whose box was clipped from `edges`; nothing for one that was taken as it is. */
export function annotatedBox(box: PixelBox, edges: readonly number[]): { annotated?: PixelBox } {
  return box.every((side, i) => side === edges[i]) ? {} : { annotated: edges as PixelBox };
}

/** Throws `BoxwrightError('data')` unless width and height are whole numbers above zero. */
export function checkSize(file: string, width: number, height: number): { width: number; height: number } {
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    throw new BoxwrightError(
      'data',
      `${file}: the picture's size is given as ${width}×${height}, not two whole numbers above 0`,
    );
  }
  return { width, height };
}
