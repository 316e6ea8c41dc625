import type { Dataset, DatasetImage } from '../data/dataset.js';
import { BoxwrightError } from '../errors.js';
import { type CocoResult, summarise } from './coco/coco.js';
import { cocoTables } from './coco/coco-tables.js';
import { type EvaluationData, EvaluationDataBuilder } from './evaluation-data.js';
import type { Detections, Truth } from './matching/picture.js';

/** What a detector found in one picture of a data set, and the size that the picture turned out to have. */
export interface FoundInPicture {
  readonly width: number;
  readonly height: number;
  readonly detections: Detections;
}

/**
 * The annotated objects of a picture, for the evaluator. Boxes are those of the annotations, also where they reach beyond
 * the picture. Pascal VOC's difficult objects become crowds, the one way in which COCO's metric leaves an object out:
 * finding them is neither right nor wrong.
 */
export function truthOf({ objects }: Pick<DatasetImage, 'objects'>): Truth {
  return {
    boxes: objects.flatMap(({ box, annotated = box }) => annotated),
    labels: objects.map(({ label }) => label),
    crowd: objects.map(({ crowd, difficult }) => (crowd || difficult ? 1 : 0)),
    area: objects.map(({ area, box, annotated = box }) => {
      const [x1, y1, x2, y2] = annotated;
      return area ?? (x2 - x1) * (y2 - y1);
    }),
  };
}

/**
 * COCO's figures of a detector on a data set, from what it found in each picture in the data set's order.
 *
 * @param onPicture told of the number of pictures done.
 * @throws BoxwrightError `data` for a picture of another size than its annotations say, and if `found` is shorter or
 *   longer than the data set.
 */
export async function evaluateDetections(
  dataset: Pick<Dataset, 'name' | 'classes' | 'images'>,
  found: AsyncIterable<FoundInPicture>,
  onPicture: (done: number) => void = () => {},
): Promise<CocoResult> {
  return summarise(cocoTables(await gatherDetections(dataset, found, onPicture)));
}

/** The truth of a data set and what was found in it, for metrics of every kind; as for `evaluateDetections`. */
export async function gatherDetections(
  dataset: Pick<Dataset, 'name' | 'classes' | 'images'>,
  found: AsyncIterable<FoundInPicture>,
  onPicture: (done: number) => void = () => {},
): Promise<EvaluationData> {
  const builder = new EvaluationDataBuilder(dataset.classes, 'xyxy');
  const { images } = dataset;
  for await (const { width, height, detections } of found) {
    const image = images[builder.pictures];
    if (!image) throw wrongCount(dataset.name, images.length, 'more');
    requireSize(image, width, height);
    builder.addPicture({ id: image.id, truth: truthOf(image), detections });
    onPicture(builder.pictures);
  }
  if (builder.pictures < images.length) throw wrongCount(dataset.name, images.length, `${builder.pictures}`);
  return builder.data();
}

function requireSize(image: DatasetImage, width: number, height: number): void {
  if (image.width === width && image.height === height) return;
  const sizes = `the annotations say ${image.width}×${image.height} pixels, the picture has ${width}×${height}`;
  throw new BoxwrightError('data', `${image.name}: ${sizes}; its boxes would be misplaced, so correct one of them`);
}

function wrongCount(name: string, expected: number, found: string): BoxwrightError {
  return new BoxwrightError('data', `${name}: detections of ${expected} pictures are needed, ${found} came`);
}
