import { BoxwrightError } from '../../errors.js';
import type { AugmentationRecipe } from './recipe.js';

/** RGB mean of ImageNet: what stands where nothing is. */
const mean = [123, 117, 104] as const;

/** Augmentations that go on top of a recipe when asked for by name. */
const extras = {
  mosaic: { mosaic: { chance: 0.5 } },
  'mix-up': { mixUp: { chance: 0.5, share: [0.4, 0.6] } },
  'scale-jitter': { scaleJitter: { range: [0.5, 2], fill: mean }, expand: undefined, crop: undefined },
  rotate90: { rotate90: true },
  'cut-out': { cutOut: { chance: 0.5, count: 3, side: [0.1, 0.3], fill: mean, hidden: 0.6 } },
} as const satisfies Record<string, AugmentationRecipe>;

/** Name of an augmentation that goes on top of a recipe. */
export type ExtraName = keyof typeof extras;

/** Names of the augmentations that can be added to a recipe. */
export const extraNames = Object.keys(extras) as readonly ExtraName[];

/**
 * A recipe with more augmentations. Scale jitter takes the place of its expansion and crop, which do the same.
 *
 * @throws BoxwrightError `config` for a name that is none.
 */
export function withExtras(recipe: AugmentationRecipe, names: readonly string[]): AugmentationRecipe {
  const unknown = names.find((name) => !(extraNames as readonly string[]).includes(name));
  if (unknown !== undefined) {
    const known = extraNames.join(', ');
    throw new BoxwrightError('config', `There is no augmentation '${unknown}'; those that can be added: ${known}`);
  }
  return Object.assign({}, recipe, ...names.map((name) => extras[name as ExtraName]));
}

/** Times as many boxes as a picture has of its own that one with others mixed in is given room for. */
export function roomFactor({ mosaic, mixUp }: AugmentationRecipe): number {
  return (mosaic ? 2 : 1) * (mixUp ? 2 : 1);
}
