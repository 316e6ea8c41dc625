import type { Dataset } from '../data/dataset.js';
import { type DetectorRecipe, resizeRule } from '../models/model.js';
import { fewSmall, smallness, smallPart, smallSide } from './small-objects.js';

/** Objects that a class needs, as a rule of thumb. */
const fewExamples = 20;

/** What to think about before a run, from its data: nothing that stops it. */
export function adviceFor(recipe: DetectorRecipe, model: string, dataset: Dataset): string[] {
  const seen = smallness(resizeRule(recipe), dataset);
  const small = smallPart(seen);
  // A rare class may be lost as a whole although few objects are small.
  const lost = dataset.classes.filter((_, label) => smallPart(seen.filter((object) => object.label === label)) > 0.5);
  const advice: string[] = [];
  if (small > fewSmall) advice.push(smallObjects(recipe, model, `${Math.round(100 * small)} % of the objects`));
  else if (lost.length > 0) advice.push(smallObjects(recipe, model, `Most objects of ${lost.join(', ')}`));
  const rare = dataset.classes.flatMap((name, label) => {
    const count = countOf(dataset, label);
    return count < fewExamples ? [`${name} (${count})`] : [];
  });
  if (rare.length > 0)
    advice.push(
      `Fewer than ${fewExamples} objects to learn from: ${rare.join(', ')}. More pictures of these help most.`,
    );
  return advice;
}

function countOf({ images }: Dataset, label: number): number {
  return images.reduce((sum, { objects }) => sum + objects.filter((object) => object.label === label).length, 0);
}

function smallObjects(recipe: DetectorRecipe, model: string, which: string): string {
  const larger =
    recipe.kind === 'refinedet'
      ? `--model ${model.replace(/-\d+/, `-${Math.ceil((1.5 * recipe.size) / 64) * 64}`)} sees them half as large again`
      : 'a model for larger pictures sees them better';
  return `${which} are smaller than ${smallSide}×${smallSide} pixels as the network sees them: ${larger}.`;
}
