import { BoxwrightError } from '../errors.js';
import { fitted } from '../models/canvas.js';
import { type DetectorRecipe, resizeRule } from '../models/model.js';
import { scaledRecipe } from '../models/scaled-recipe.js';
import { type DetectionTensors, type MergeRule, mergeDetections } from './merge-detections.js';
import { mirroredBoxes, mirroredPictures } from './mirror.js';
import type { PictureModel } from './picture-detector.js';

/**
 * Test-time augmentation: every picture is looked at in several ways, and the detections are merged by non-maximum
 * suppression with the model's own threshold and limits. An object that several looks found keeps the best of their
 * scores and its box; scores are not averaged. The time grows with the number of looks and their pixels.
 */
export interface TestTime {
  /** Mirrored left to right as well; false by default. */
  readonly flip?: boolean;
  /**
   * Sizes of the picture in the network in place of [1], its own: above 0, at most 4. RefineDet's size is rounded to a
   * multiple of 64; sizes that become the same count once. Each holds a copy of the weights.
   */
  readonly scales?: readonly number[];
}

/** What `boxwright eval --tta` looks at: both ways round in three sizes. */
export const defaultTestTime = { flip: true, scales: [0.8, 1, 1.25] } as const satisfies TestTime;

/** An x and its mirror image add up to this, in pixels of a picture of the given size. */
type MirrorSum = (width: number, height: number) => number;

const mostScale = 4;

/**
 * The recipes to look at pictures with, each of another size.
 *
 * @throws BoxwrightError `config` for scales out of range, none at all, or a model of one fixed size.
 */
export function scaledRecipes(recipe: DetectorRecipe, { scales = [1] }: TestTime): DetectorRecipe[] {
  if (scales.length === 0) throw new BoxwrightError('config', 'scales is empty, expected numbers such as 0.8 and 1.');
  const sizes = new Map<string, DetectorRecipe>();
  for (const scale of scales) {
    if (!(Number.isFinite(scale) && scale > 0 && scale <= mostScale)) {
      throw new BoxwrightError('config', `A scale is ${scale}, expected a number above 0 and at most ${mostScale}.`);
    }
    const scaled = scaledRecipe(recipe, scale);
    sizes.set(JSON.stringify(resizeRule(scaled)), scaled);
  }
  return [...sizes.values()];
}

/**
 * One model out of several: looks with each, mirrored too if asked for, and merges what they find.
 *
 * @param models those of `scaledRecipes`
 * @param recipe whose suppression and limits to merge with
 */
export function withTestTime(
  models: readonly PictureModel[],
  recipe: DetectorRecipe,
  { flip = false }: TestTime,
): PictureModel {
  const sum = mirrorSum(recipe);
  const looks = flip ? models.flatMap((model) => [model, mirroredModel(model, sum)]) : models;
  if (looks.length === 1) return looks[0];
  const rule = mergeRule(recipe);
  return async (images) => {
    const found: DetectionTensors[] = [];
    for (const look of looks) found.push(await look(images));
    return mergeDetections(found, rule);
  };
}

/** Looks at the mirror images, and gives the boxes where they are in the pictures themselves. */
function mirroredModel(model: PictureModel, sum: MirrorSum): PictureModel {
  return async (images) => {
    const { boxes, ...found } = await model(mirroredPictures(images));
    const [, height, width] = images.shape;
    const data = mirroredBoxes(boxes.data as Float32Array, sum(width, height));
    return { ...found, boxes: { ...boxes, data } };
  };
}

/** The picture's width, or up to its last pixel on the canvas where boxes end at the last pixel inside. */
function mirrorSum(recipe: DetectorRecipe): MirrorSum {
  if (recipe.kind === 'refinedet' || !recipe.rpn.coder.plusOne) return (width) => width;
  return (width, height) => width - 1 / fitted(recipe.resize, width, height).scaleX;
}

/** The suppression that ends the recipe's own graph. */
function mergeRule(recipe: DetectorRecipe): MergeRule {
  const { nms: threshold, keep } = recipe.postprocess;
  if (recipe.kind === 'cascade-rcnn') return { suppression: { threshold }, keep };
  const { plusOne, maxPerClass } = recipe.postprocess;
  return { suppression: { threshold, plusOne, limit: maxPerClass }, keep };
}
