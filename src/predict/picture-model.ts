import { BoxwrightError } from '../errors.js';
import type { DetectorRecipe } from '../models/model.js';
import type { ModelSource } from './model-source.js';
import type { PictureModel } from './picture-detector.js';
import { sourceRecipe } from './source-recipe.js';
import { scaledRecipes, type TestTime, withTestTime } from './test-time.js';

/** What of a detector's file is run, and how. */
export interface PictureModelOptions {
  readonly stage?: number;
  readonly testTime?: TestTime;
}

/**
 * The model of a detector's file, cut off behind a stage or looking in several ways if that is asked for.
 *
 * @param load makes a session: of the recipe, or of the file as it is
 * @throws BoxwrightError `config` for a stage or a scale that this file cannot have.
 */
export async function loadPictureModel(
  source: ModelSource,
  { stage, testTime }: PictureModelOptions,
  load: (recipe?: DetectorRecipe) => Promise<PictureModel>,
): Promise<PictureModel> {
  const recipe = stage === undefined && testTime === undefined ? undefined : sourceRecipe(source, stage);
  if (!recipe || !testTime) return load(recipe);
  const recipes = scaledRecipes(recipe, testTime);
  if (source.kind === 'onnx' && testTime.scales?.some((scale) => scale !== 1)) {
    const advice = 'flip alone, or give the checkpoint that it was exported from';
    throw new BoxwrightError('config', `${source.path}: an exported file has one size and takes no scales; ${advice}.`);
  }
  const models: PictureModel[] = [];
  for (const scaled of recipes) models.push(await load(scaled));
  return withTestTime(models, recipe, testTime);
}
