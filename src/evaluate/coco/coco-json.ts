// Boxes here are [x, y, width, height], as COCO's files have them.
import { BoxwrightError } from '../../errors.js';
import type { EvaluatedPicture } from '../matching/picture.js';

/** What an evaluation needs of a COCO ground truth file (`instances_*.json`). */
export interface CocoGroundTruth {
  readonly images: readonly { readonly id: number }[];
  readonly categories: readonly { readonly id: number; readonly name: string }[];
  readonly annotations: readonly {
    readonly id: number;
    readonly image_id: number;
    readonly category_id: number;
    readonly bbox: readonly number[];
    readonly area?: number;
    readonly iscrowd?: number;
  }[];
}

/** A COCO results file: one entry a detection. */
export type CocoResults = readonly {
  readonly image_id: number;
  readonly category_id: number;
  readonly bbox: readonly number[];
  readonly score: number;
}[];

/**
 * Pictures for a `CocoEvaluator` with these classes and `boxFormat: 'xywh'`, from parsed COCO files: one for each image
 * of the ground truth, classes by rising category id.
 *
 * @throws BoxwrightError `data` for an annotation or result of an image or category that the ground truth does not list.
 */
export function cocoPictures(
  truth: CocoGroundTruth,
  results: CocoResults,
): { classes: string[]; pictures: EvaluatedPicture[] } {
  const categories = [...truth.categories].sort((a, b) => a.id - b.id);
  const labelOf = new Map(categories.map(({ id }, label) => [id, label]));
  const annotations = byImage(truth.annotations, truth, labelOf, 'annotations');
  const detections = byImage(results, truth, labelOf, 'results');
  const pictures = truth.images.map(({ id }): EvaluatedPicture => {
    const objects = annotations.get(id)!;
    const found = detections.get(id)!;
    return {
      id,
      truth: {
        boxes: flatBoxes(objects),
        labels: objects.map((object) => labelOf.get(object.category_id)!),
        crowd: objects.map((object) => object.iscrowd ?? 0),
        area: objects.map(({ area, bbox }) => area ?? bbox[2] * bbox[3]),
        ids: objects.map((object) => object.id),
      },
      detections: {
        boxes: flatBoxes(found),
        labels: found.map((detection) => labelOf.get(detection.category_id)!),
        scores: found.map((detection) => detection.score),
      },
    };
  });
  return { classes: categories.map(({ name }) => name), pictures };
}

function byImage<T extends { image_id: number; category_id: number; bbox: readonly number[] }>(
  entries: readonly T[],
  truth: CocoGroundTruth,
  labelOf: ReadonlyMap<number, number>,
  what: string,
): Map<number, T[]> {
  const images = new Map<number, T[]>(truth.images.map(({ id }) => [id, []]));
  for (const [i, entry] of entries.entries()) {
    const image = images.get(entry.image_id);
    const where = `${what}[${i}]`;
    if (!image) throw data(`${where} is of image ${entry.image_id}, which the ground truth does not list`);
    if (!labelOf.has(entry.category_id)) {
      throw data(
        `${where} is of category ${entry.category_id}; the ground truth lists ${[...labelOf.keys()].join(', ')}`,
      );
    }
    if (entry.bbox.length !== 4)
      throw data(`${where}.bbox has ${entry.bbox.length} numbers, expected [x, y, width, height]`);
    image.push(entry);
  }
  return images;
}

function flatBoxes(entries: readonly { readonly bbox: readonly number[] }[]): Float64Array {
  const boxes = new Float64Array(4 * entries.length);
  for (const [i, { bbox }] of entries.entries()) boxes.set(bbox, 4 * i);
  return boxes;
}

function data(message: string): BoxwrightError {
  return new BoxwrightError('data', message);
}
