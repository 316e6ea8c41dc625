import { checkDetections, type PictureDetections } from './picture-detections.js';

/**
 * A picture's detections as one line of JSON, without the line's end:
 * `{"source","width","height","detections":[{"box":[x1,y1,x2,y2],"label","score"}]}`, numbers at full precision.
 *
 * @throws BoxwrightError `data` for numbers that are not finite.
 */
export function jsonLine(picture: PictureDetections): string {
  checkDetections(picture);
  const { source, width, height, detections } = picture;
  return JSON.stringify({
    source,
    width,
    height,
    detections: detections.map(({ box, label, score }) => ({ box, label, score })),
  });
}
