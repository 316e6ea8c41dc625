import { BoxwrightError } from '../../errors.js';

/** One object that a detector found. */
export interface Detection {
  /** `[x1, y1, x2, y2]` in pixels of the source picture. */
  readonly box: readonly [number, number, number, number];
  /** Name of the class. */
  readonly label: string;
  /** Index of the class among the detector's, from 0. */
  readonly labelIndex: number;
  /** Confidence, 0 to 1. */
  readonly score: number;
}

/** What a detector found in one picture. */
export interface PictureDetections {
  /** Path or other name of the picture. */
  readonly source: string;
  /** Size of the source picture in pixels. */
  readonly width: number;
  readonly height: number;
  readonly detections: readonly Detection[];
}

/**
 * @throws BoxwrightError `data` if the picture has no size, or a box or score is not finite: JSON would turn it into
 *   null, and the text formats into a word that no reader takes.
 */
export function checkDetections({ source, width, height, detections }: PictureDetections): void {
  if (!(width > 0 && height > 0)) {
    throw new BoxwrightError('data', `${source}: its size is ${width} × ${height}, expected pixels above 0`);
  }
  for (const [i, { box, score, label, labelIndex }] of detections.entries()) {
    if (box.length === 4 && box.every(Number.isFinite) && Number.isFinite(score)) continue;
    const found = `${label} (class ${labelIndex}) with box [${box.join(', ')}] and score ${score}`;
    throw new BoxwrightError(
      'data',
      `${source}: detection ${i} is ${found}, expected finite numbers; is the model trained?`,
    );
  }
}
