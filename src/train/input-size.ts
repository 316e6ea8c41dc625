import type { Dataset } from '../data/dataset.js';
import { modelRecipe, sizedName, unsizedName } from '../models/model.js';
import { fewSmall, smallness, smallPart, smallSide } from './small-objects.js';

/** Where no model is asked for: quick on a laptop, and there are weights for its backbone. */
export const defaultModel = 'refinedet-resnet18';

/** The published size, and the larger of the two: time and memory of a step grow with the area. */
const [usual, largest] = [320, 512];
/** Smaller pictures are enlarged to this: the coarsest of RefineDet's maps would have hardly a cell. */
const least = 192;
/** Sides of RefineDet's input are multiples of this. */
const sizeStep = 64;
/** Part of the objects that a larger input must lift above the limit to be worth its time. */
const worthwhile = 0.1;

/** A model, and why it was chosen; no reason where it was asked for by its whole name. */
export interface ModelChoice {
  readonly model: string;
  readonly why?: string;
}

/**
 * The model to train.
 *
 * @param asked a model's name, a RefineDet's without its size, or nothing.
 * @param recorded the model that the weights say they are of.
 */
export function chooseModel(
  asked: string | undefined,
  recorded: string | undefined,
  dataset: Pick<Dataset, 'images'>,
): ModelChoice {
  if (asked === undefined && recorded !== undefined) return { model: recorded, why: 'the model of the weights' };
  const name = asked ?? defaultModel;
  if (sizedName(name, usual) === undefined) return { model: name };
  if (recorded !== undefined && unsizedName(recorded) === name)
    return { model: recorded, why: 'the size that the weights were trained at' };
  const { size, why } = chooseSize(name, dataset);
  return { model: sizedName(name, size)!, why };
}

/** @throws BoxwrightError `model` for a name that is no model's, with or without a size. */
export function requireModel(asked: string | undefined): void {
  if (asked === undefined) return;
  // Of a name without a size that is none, the nearest with a size says most.
  const misspelt = /^refinedet-[a-z0-9]+$/.test(asked) ? `${asked}-${usual}` : asked;
  modelRecipe(sizedName(asked, usual) ?? misspelt, 1);
}

/**
 * Side of RefineDet's square input: 320, more if otherwise many objects were too small to be found, and never more than
 * the pictures have.
 */
export function chooseSize(name: string, dataset: Pick<Dataset, 'images'>): { size: number; why: string } {
  const longer = dataset.images.map(({ width, height }) => Math.max(width, height)).sort((a, b) => a - b);
  const middle = longer[longer.length >> 1] ?? usual;
  const needed = Math.min(largest, Math.max(least, Math.ceil(middle / sizeStep) * sizeStep));
  if (needed <= usual) {
    const why = `enough for the pictures: the middle one's longer side has ${middle} pixels`;
    return needed < usual ? { size: needed, why } : { size: usual, why: `${tooSmall(dataset, usual)} at ${usual}` };
  }
  const [small, smallAtNeeded] = [smallAt(dataset, usual), smallAt(dataset, needed)];
  if (small <= fewSmall) return { size: usual, why: `${tooSmall(dataset, usual)} at ${usual}` };
  const compared = `${tooSmall(dataset, usual)} at ${usual}, ${percent(smallAtNeeded)} at ${needed}`;
  if (small - smallAtNeeded < worthwhile) return { size: usual, why: `${compared}, which is not worth its time` };
  const smaller = `--model ${sizedName(name, usual)} for ${(needed / usual) ** 2 > 2 ? 'less than half' : 'less'} of the area`;
  return { size: needed, why: `${compared} (${smaller})` };
}

function smallAt(dataset: Pick<Dataset, 'images'>, size: number): number {
  return smallPart(smallness({ kind: 'stretch', size }, dataset));
}

function tooSmall(dataset: Pick<Dataset, 'images'>, size: number): string {
  const small = smallAt(dataset, size);
  return `${small === 0 ? 'no object is' : `${percent(small)} of the objects are`} smaller than ${smallSide}×${smallSide} pixels`;
}

function percent(part: number): string {
  const rounded = Math.round(100 * part);
  return rounded === 0 && part > 0 ? 'less than 1 %' : `${rounded} %`;
}
