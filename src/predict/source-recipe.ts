import { BoxwrightError } from '../errors.js';
import { upToStage } from '../models/cascade-rcnn/recipes.js';
import { type DetectorRecipe, modelRecipe } from '../models/model.js';
import type { ModelSource } from './model-source.js';

/**
 * The recipe of a detector's file: an exported one's has the suppression it was exported with, a cascade is cut off
 * behind a stage if one is asked for (see `upToStage`).
 *
 * @throws BoxwrightError `config` for a stage that the cascade lacks, or of a model or file that cannot be cut.
 */
export function sourceRecipe(source: ModelSource, stage?: number): DetectorRecipe {
  const { path, model, classes } = source.kind === 'onnx' ? source : { path: source.path, ...source.checkpoint };
  const recipe = modelRecipe(model, classes.length);
  if (stage === undefined) return source.kind === 'onnx' ? withSuppression(recipe, source.nms) : recipe;
  if (recipe.kind !== 'cascade-rcnn') {
    throw new BoxwrightError(
      'config',
      `${path}: ${model} has no stages; only a Cascade R-CNN stops at stage ${stage}.`,
    );
  }
  if (source.kind === 'onnx') {
    const advice = 'give the checkpoint that it was exported from';
    throw new BoxwrightError('config', `${path}: an exported file cannot stop at stage ${stage}; ${advice}.`);
  }
  return upToStage(recipe, stage);
}

function withSuppression(recipe: DetectorRecipe, nms = recipe.postprocess.nms): DetectorRecipe {
  return recipe.kind === 'refinedet'
    ? { ...recipe, postprocess: { ...recipe.postprocess, nms } }
    : { ...recipe, postprocess: { ...recipe.postprocess, nms } };
}
