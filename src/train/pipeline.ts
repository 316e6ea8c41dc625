import { type AugmentationRecipe, paperAugmentation, zooAugmentation } from '../data/augment/recipe.js';
import type { Inclusion } from '../data/learnable.js';
import type { DetectorRecipe } from '../models/model.js';
import type { Augment } from './config.js';

/** How a family's pictures are chosen and varied in training. */
interface Pipeline {
  readonly augmentation: AugmentationRecipe;
  readonly include: Inclusion;
}

const pipelines: Readonly<Record<DetectorRecipe['family'], Pipeline>> = {
  paper: { augmentation: paperAugmentation, include: {} },
  // The zoo learns from crowds as from any box, and leaves out pictures without boxes.
  zoo: { augmentation: zooAugmentation, include: { crowd: true, empty: false } },
};

/** The pipeline of a model's family, with its augmentation or a simpler one. */
export function pipelineOf({ family }: DetectorRecipe, augment: Augment): Pipeline {
  const own = pipelines[family];
  return augment === 'recipe' ? own : { ...own, augmentation: { flip: augment === 'flip' } };
}
