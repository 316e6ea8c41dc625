// Boxes are written as [x, y, width, height], as COCO has them.
import { BoxwrightError } from '../../errors.js';
import { checkDetections, type PictureDetections } from './picture-detections.js';

/** Ids of a COCO ground truth file, without which results mean nothing. */
export interface CocoIds {
  /** The image id of a picture by its `source`; undefined if the ground truth does not list it. */
  readonly imageId: (source: string) => number | undefined;
  /** Category ids by class index. */
  readonly categoryIds: readonly number[];
}

/** One entry of a COCO results file. */
export interface CocoResult {
  readonly image_id: number;
  readonly category_id: number;
  readonly bbox: readonly [number, number, number, number];
  readonly score: number;
}

/**
 * A picture's detections as entries of a COCO results file.
 *
 * @throws BoxwrightError `data` for a picture or class without an id, and for numbers that are not finite.
 */
export function cocoResults(picture: PictureDetections, { imageId, categoryIds }: CocoIds): CocoResult[] {
  checkDetections(picture);
  const id = imageId(picture.source);
  if (id === undefined) {
    const advice = 'take the ground truth file of these pictures, or another format';
    throw new BoxwrightError('data', `${picture.source}: the COCO ground truth lists no image of that name; ${advice}`);
  }
  return picture.detections.map(({ box: [x1, y1, x2, y2], label, labelIndex, score }) => {
    const category = categoryIds[labelIndex];
    if (category === undefined) {
      const found = `class ${labelIndex} (${label})`;
      throw new BoxwrightError(
        'data',
        `${picture.source}: ${found} has no category id, ${categoryIds.length} are given`,
      );
    }
    return { image_id: id, category_id: category, bbox: [x1, y1, x2 - x1, y2 - y1], score };
  });
}
