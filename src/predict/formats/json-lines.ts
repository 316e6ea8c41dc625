import { checkDetections, type Detection, type PictureDetections } from './picture-detections.js';

/** A picture's detections as they are written as JSON: without the numbers of the classes, numbers at full precision. */
export interface JsonPicture {
  readonly source: string;
  readonly width: number;
  readonly height: number;
  readonly detections: readonly Pick<Detection, 'box' | 'label' | 'score'>[];
}

/** @throws BoxwrightError `data` for numbers that are not finite. */
export function jsonPicture(picture: PictureDetections): JsonPicture {
  checkDetections(picture);
  const { source, width, height, detections } = picture;
  return { source, width, height, detections: detections.map(({ box, label, score }) => ({ box, label, score })) };
}

/** The same as a line, without its end. */
export function jsonLine(picture: PictureDetections): string {
  return JSON.stringify(jsonPicture(picture));
}
