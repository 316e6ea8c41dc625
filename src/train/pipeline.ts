import { withExtras } from '../data/augment/extras.js';
import {
  type AugmentationRecipe,
  cascadeAugmentation,
  cascadeSmallAugmentation,
  cascadeZooAugmentation,
  paperAugmentation,
  zooAugmentation,
} from '../data/augment/recipe.js';
import type { Inclusion } from '../data/batches/learnable.js';
import type { CascadeRcnnRecipe } from '../models/cascade-rcnn/recipe.js';
import type { DetectorRecipe } from '../models/model.js';
import type { RefineDetRecipe } from '../models/refinedet/recipe.js';
import { parseAugment } from './augment.js';

/** How a family's pictures are chosen and varied in training. */
interface Pipeline {
  readonly augmentation: AugmentationRecipe;
  readonly include: Inclusion;
}

// The zoo learns from crowds as from any box, and leaves out pictures without boxes.
const zooInclusion: Inclusion = { crowd: true, empty: false };

const refineDetPipelines: Readonly<Record<RefineDetRecipe['family'], Pipeline>> = {
  paper: { augmentation: paperAugmentation, include: {} },
  zoo: { augmentation: zooAugmentation, include: zooInclusion },
};

const cascadePipelines: Readonly<Record<CascadeRcnnRecipe['augmentation'], Pipeline>> = {
  // mmdetection leaves out pictures without boxes; here they are examples of background like any other.
  published: { augmentation: cascadeAugmentation, include: {} },
  small: { augmentation: cascadeSmallAugmentation, include: {} },
  zoo: { augmentation: cascadeZooAugmentation, include: zooInclusion },
};

/** The pipeline of a model's family, with its augmentation or a simpler one, and what is asked for on top. */
export function pipelineOf(recipe: DetectorRecipe, augment: string): Pipeline {
  const own = recipe.kind === 'refinedet' ? refineDetPipelines[recipe.family] : cascadePipelines[recipe.augmentation];
  const { base, extras } = parseAugment(augment);
  const augmentation = base === 'recipe' ? own.augmentation : { flip: base === 'flip' };
  return { ...own, augmentation: withExtras(augmentation, extras) };
}
