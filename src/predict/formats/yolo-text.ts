// Boxes are written as centre x, centre y, width, height in parts of the picture's size, as YOLO has them.
import { checkDetections, type PictureDetections } from './picture-detections.js';

/**
 * A picture's detections as lines of YOLO text: `class cx cy w h score`, class being its index. Without `scores` the
 * file can be read as annotations.
 *
 * @throws BoxwrightError `data` for numbers that are not finite or a picture without size.
 */
export function yoloText(picture: PictureDetections, { scores = true }: { readonly scores?: boolean } = {}): string {
  checkDetections(picture);
  const { width, height, detections } = picture;
  const lines = detections.map(({ box: [x1, y1, x2, y2], labelIndex, score }) => {
    const centre = [(x1 + x2) / 2 / width, (y1 + y2) / 2 / height];
    const size = [(x2 - x1) / width, (y2 - y1) / height];
    // Six decimals are the convention; eight keep a coordinate within a thousandth of a pixel in any picture.
    const numbers = [...centre, ...size].map((part) => part.toFixed(8));
    return `${[labelIndex, ...numbers, ...(scores ? [score] : [])].join(' ')}\n`;
  });
  return lines.join('');
}
