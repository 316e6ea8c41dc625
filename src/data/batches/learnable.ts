import type { PictureObjects } from '../augment/objects.js';
import type { Dataset, DatasetImage } from '../dataset.js';

/** Which objects and pictures of a data set are handed out as they are. */
export interface Inclusion {
  /** Pascal VOC's difficult objects, as boxes; false by default, as they are left out of training. */
  readonly difficult?: boolean;
  /** COCO's crowds, as boxes; false by default. The MindSpore zoo trains on them. */
  readonly crowd?: boolean;
  /** Pictures in which no box is left; true by default. */
  readonly empty?: boolean;
}

/** A picture with the objects that are to be learnt, as arrays: boxes in pixels, labels counted from 1. */
export interface LearnableImage extends Omit<DatasetImage, 'objects' | 'id'> {
  /** Index into the data set's images. */
  readonly index: number;
  readonly objects: PictureObjects;
}

/** The pictures of a data set with the objects that are to be learnt. */
export function learnableImages(dataset: Dataset, include: Inclusion): LearnableImage[] {
  const { difficult = false, crowd = false, empty = true } = include;
  const images = dataset.images.map((image, index): LearnableImage => {
    const { path, name, width, height } = image;
    const kept = image.objects.filter((object) => (difficult || !object.difficult) && (crowd || !object.crowd));
    const boxes = Float64Array.from(kept.flatMap(({ box }) => box));
    const labels = Int32Array.from(kept, ({ label }) => label + 1);
    return { index, path, name, width, height, objects: { boxes, labels } };
  });
  return empty ? images : images.filter(({ objects }) => objects.labels.length > 0);
}
