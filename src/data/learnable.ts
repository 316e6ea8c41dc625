import type { PictureObjects } from './augment/objects.js';
import type { Dataset, DatasetImage } from './dataset.js';

/** A picture with the objects that are to be learnt, as arrays: boxes in pixels, labels counted from 1. */
export interface LearnableImage extends Omit<DatasetImage, 'objects' | 'id'> {
  readonly objects: PictureObjects;
}

/** The pictures of a data set without the objects that are not to be learnt. */
export function learnableImages(
  dataset: Dataset,
  include: { readonly difficult?: boolean; readonly crowd?: boolean },
): LearnableImage[] {
  return dataset.images.map(({ path, name, width, height, objects }) => {
    const kept = objects.filter(
      ({ difficult, crowd }) => (include.difficult || !difficult) && (include.crowd || !crowd),
    );
    const boxes = Float64Array.from(kept.flatMap(({ box }) => box));
    return { path, name, width, height, objects: { boxes, labels: Int32Array.from(kept, ({ label }) => label + 1) } };
  });
}
