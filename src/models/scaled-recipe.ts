import { BoxwrightError } from '../errors.js';
import type { KeepRatioRule } from './canvas.js';
import type { DetectorRecipe } from './model.js';
import type { RefineDetRecipe } from './refinedet/recipe.js';
import { paperTargets, zooTargets } from './refinedet/targets.js';

/** Sides of RefineDet's input are multiples of this. */
const sizeStep = 64;

/**
 * The same detector with pictures `scale` times as large in the network. Its parameters stay what they are, since anchors
 * have none. RefineDet's size is rounded to a multiple of 64, Cascade R-CNN's sides to whole pixels.
 *
 * @throws BoxwrightError `config` for a recipe with one fixed canvas, unless the scale is 1.
 */
export function scaledRecipe(recipe: DetectorRecipe, scale: number): DetectorRecipe {
  if (recipe.kind === 'refinedet') return atSize(recipe, rounded(recipe.size * scale, sizeStep));
  return { ...recipe, resize: scaledRule(recipe.resize, scale) };
}

function atSize(recipe: RefineDetRecipe, size: number): RefineDetRecipe {
  const targets =
    recipe.family === 'zoo' ? zooTargets(size) : paperTargets(size, recipe.anchors.clip ? 'pytorch' : 'caffe');
  return { ...recipe, size, anchors: targets.anchors, targets };
}

function scaledRule(rule: KeepRatioRule, scale: number): KeepRatioRule {
  if (rule.fixed && scale !== 1) {
    const canvas = `one canvas of ${rule.fixed.width}×${rule.fixed.height} pixels for all pictures`;
    throw new BoxwrightError('config', `The model has ${canvas}, which cannot be scaled by ${scale}: use flip alone.`);
  }
  return { ...rule, long: rounded(rule.long * scale, 1), short: rounded(rule.short * scale, 1) };
}

/** The nearest multiple of `step` that is not 0. */
function rounded(length: number, step: number): number {
  return Math.max(1, Math.round(length / step)) * step;
}
