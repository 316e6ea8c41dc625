import type { Value } from '../../graph/index.js';
import type { Parameters } from '../../nn/parameters.js';
import { type ResNetRecipe, resNet } from './resnet.js';
import type { Sources } from './sources.js';
import { type VggRecipe, vgg16 } from './vgg.js';

/** A backbone as plain data. */
export type BackboneRecipe = VggRecipe | ResNetRecipe;

/** The four source maps of a detector from normalised pictures [N, 3, H, W]. Parameters are called `backbone.…`. */
export function sourceMaps(p: Parameters, recipe: BackboneRecipe, pictures: Value): Sources {
  return recipe.kind === 'vgg16' ? vgg16(p, recipe, pictures) : resNet(p, recipe, pictures);
}
