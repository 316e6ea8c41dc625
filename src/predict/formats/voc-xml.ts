// Boxes are written as xmin, ymin, xmax, ymax counted from pixel 1, as Pascal VOC has them.
import { basename, dirname } from 'node:path';
import { XMLBuilder } from 'fast-xml-parser';
import { checkDetections, type PictureDetections } from './picture-detections.js';

const builder = new XMLBuilder({ format: true, indentBy: '\t', suppressEmptyNode: false });

/**
 * A picture's detections as a Pascal VOC annotation, which labelling tools open. All four coordinates are one more than
 * ours, so that reading the file as a data set (which subtracts one) gives the same boxes. Scores are an element
 * `score`, which VOC's readers pass over.
 *
 * @throws BoxwrightError `data` for numbers that are not finite.
 */
export function vocXml(picture: PictureDetections): string {
  checkDetections(picture);
  const { source, width, height, detections } = picture;
  return builder.build({
    annotation: {
      folder: basename(dirname(source)),
      filename: basename(source),
      size: { width, height, depth: 3 },
      segmented: 0,
      object: detections.map(({ box, label, score }) => ({
        name: label,
        pose: 'Unspecified',
        truncated: 0,
        difficult: 0,
        score,
        bndbox: { xmin: pixel(box[0]), ymin: pixel(box[1]), xmax: pixel(box[2]), ymax: pixel(box[3]) },
      })),
    },
  });
}

/** Counted from 1, to a thousandth of a pixel. */
function pixel(coordinate: number): number {
  return Number((coordinate + 1).toFixed(3));
}
