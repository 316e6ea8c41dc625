import { type DetectorRecipe, modelRecipe } from '../../models/model.js';
import type { WeightFile } from '../weight-file.js';
import type { NameMap, SourceTraits } from './maps/name-map.js';
import { ownNames } from './maps/own.js';

/** What a source's weights take for granted. Our own files are as the model that they were made by. */
export function traitsOf(map: NameMap, { metadata }: Pick<WeightFile, 'metadata'>): SourceTraits {
  const recipe = map === ownNames ? recipeOf(metadata.model) : undefined;
  if (!recipe) return map;
  if (recipe.kind === 'refinedet') return { normalisation: recipe.normalisation };
  const { normalisation, head, stages } = recipe;
  return { normalisation, background: head.background, stageStds: stages.map(({ coder }) => coder.stds) };
}

function recipeOf(model: string | undefined): DetectorRecipe | undefined {
  try {
    return model === undefined ? undefined : modelRecipe(model, 1);
  } catch {
    return undefined; // written by another version
  }
}
