import { type EvaluationData, EvaluationDataBuilder, picturesOf } from '../evaluation-data.js';
import type { Truth } from '../matching/picture.js';

/**
 * Whether the MindSpore zoo's own COCO evaluation takes a picture: it skips those with a crowd region and those without
 * an object. Its published 28.69 for RefineDet is of that part of val2017, and not to be compared with COCO's figures of
 * the whole.
 */
export function inZooSubset({ labels, crowd }: Pick<Truth, 'labels' | 'crowd'>): boolean {
  if (labels.length === 0) return false;
  for (let g = 0; g < labels.length; g++) if (crowd?.[g]) return false;
  return true;
}

/** The pictures of a data set that `inZooSubset` takes. */
export function zooSubset(data: EvaluationData): EvaluationData {
  const builder = new EvaluationDataBuilder(data.classes, data.boxFormat);
  for (const picture of picturesOf(data)) if (inZooSubset(picture.truth)) builder.addPicture(picture);
  return builder.data();
}
