import { BoxwrightError } from '../errors.js';
import { cast, input, reshape, scope, shapeOf, slice, type Value } from '../graph/index.js';
import { Parameters } from '../nn/parameters.js';
import type { Losses } from '../nn/training-step.js';
import type { Detections } from './detections.js';
import { nearestName } from './nearest-name.js';
import { normalizePictures } from './pictures.js';
import { refineDetLosses } from './refinedet/loss.js';
import { refineDet } from './refinedet/network.js';
import { detectRefineDet } from './refinedet/postprocess.js';
import type { RefineDetRecipe } from './refinedet/recipe.js';
import { paperBackbones, paperRefineDet, zooBackbones, zooRefineDet } from './refinedet/recipes.js';
import { resizePictures } from './resize-graph.js';

/** Any detector as plain data. */
export type DetectorRecipe = RefineDetRecipe;

const sizes = [320, 512];

/** Names that `modelRecipe` knows: `refinedet-<backbone>-<size>` as published, with `-zoo` as in the MindSpore zoo. */
export const modelNames: readonly string[] = [
  ...paperBackbones.flatMap((backbone) => sizes.map((size) => `refinedet-${backbone}-${size}`)),
  ...zooBackbones.flatMap((backbone) => sizes.map((size) => `refinedet-${backbone}-${size}-zoo`)),
];

/**
 * The recipe of a model by name. Sizes other than 320 and 512 are allowed if they are multiples of 64.
 *
 * @throws BoxwrightError `model` for an unknown name, with the nearest one.
 */
export function modelRecipe(name: string, classes: number): DetectorRecipe {
  const [, backbone, size, zoo] = /^refinedet-([a-z0-9]+)-(\d+)(-zoo)?$/.exec(name) ?? [];
  const known = (zoo ? zooBackbones : paperBackbones).includes(backbone);
  if (!known || Number(size) % 64 !== 0 || Number(size) < 64) {
    const nearest = nearestName(name, modelNames);
    throw new BoxwrightError(
      'model',
      `There is no model "${name}". Did you mean "${nearest}"? Known: ${modelNames.join(', ')}.`,
    );
  }
  return (zoo ? zooRefineDet : paperRefineDet)(backbone, Number(size), classes);
}

/** uint8 [batch, size, size, 3] RGB: pictures as the data pipeline gives them. */
function picturesInput(recipe: DetectorRecipe, batch: number | string): Value {
  return input('images', 'uint8', [batch, recipe.size, recipe.size, 3], 'RGB pictures, resized to the network');
}

/** The losses of a batch: declares `images`, the ground truth and the targets as inputs. */
export function trainingLosses(p: Parameters, recipe: DetectorRecipe, batch: number, maxBoxes: number): Losses {
  const x = scope('preprocess', () => normalizePictures(picturesInput(recipe, batch), recipe.normalisation));
  const outputs = refineDet(p, recipe, x);
  return scope('loss', () => refineDetLosses(recipe, outputs, batch, maxBoxes));
}

/** Detection on pictures that are already resized: inputs `images` and `sizes` (float32 [batch, 2] height, width). */
export function evaluationGraph(
  recipe: DetectorRecipe,
  p: Parameters = new Parameters({ training: false }),
): { p: Parameters; outputs: Detections } {
  const images = picturesInput(recipe, 'batch');
  const sizes = input('sizes', 'float32', ['batch', 2], 'height and width of each source picture in pixels');
  const x = scope('preprocess', () => normalizePictures(images, recipe.normalisation));
  return { p, outputs: detect(p, recipe, x, sizes) };
}

/** Detection on pictures of any size: input `images`, uint8 [batch, height, width, 3] RGB. */
export function inferenceGraph(recipe: DetectorRecipe): { p: Parameters; outputs: Detections } {
  const p = new Parameters({ training: false });
  const images = input('images', 'uint8', ['batch', 'height', 'width', 3], 'RGB pictures of any size');
  const { x, sizes } = scope('preprocess', () => ({
    x: normalizePictures(resizePictures(images, recipe.size), recipe.normalisation),
    sizes: sourceSizes(images),
  }));
  return { p, outputs: detect(p, recipe, x, sizes) };
}

function detect(p: Parameters, recipe: DetectorRecipe, x: Value, sizes: Value): Detections {
  const outputs = refineDet(p, recipe, x);
  return scope('postprocess', () => detectRefineDet(recipe, outputs, sizes));
}

/** float32 [1, 2]: height and width, the same for all pictures of a batch. */
function sourceSizes(images: Value): Value {
  return reshape(cast(slice(shapeOf(images), [1], [3]), 'float32'), [1, 2]);
}
