import { cast, input, reshape, scope, shapeOf, slice, type Value } from '../../graph/index.js';
import type { Parameters } from '../../nn/parameters.js';
import type { Losses } from '../../nn/training-step.js';
import type { Detections } from '../detections.js';
import { normalizePictures } from '../pictures.js';
import { resizePictures } from '../resize-graph.js';
import { refineDetLosses } from './loss.js';
import { refineDet } from './network.js';
import { detectRefineDet } from './postprocess.js';
import type { RefineDetRecipe } from './recipe.js';

/** uint8 [batch, size, size, 3] RGB: pictures as the data pipeline gives them. */
function resizedInput({ size }: RefineDetRecipe, batch: number | string): Value {
  return input('images', 'uint8', [batch, size, size, 3], 'RGB pictures, resized to the network');
}

/** The losses of a batch: declares `images`, the ground truth and the targets as inputs. */
export function refineDetTraining(p: Parameters, recipe: RefineDetRecipe, batch: number, maxBoxes: number): Losses {
  const x = scope('preprocess', () => normalizePictures(resizedInput(recipe, batch), recipe.normalisation));
  const outputs = refineDet(p, recipe, x);
  return scope('loss', () => refineDetLosses(recipe, outputs, batch, maxBoxes));
}

/** Detection on pictures that are already resized: inputs `images` and `sizes` (float32 [batch, 2] height, width). */
export function refineDetOnResized(p: Parameters, recipe: RefineDetRecipe, batch: number | string): Detections {
  const images = resizedInput(recipe, batch);
  const sizes = input('sizes', 'float32', [batch, 2], 'height and width of each source picture in pixels');
  const x = scope('preprocess', () => normalizePictures(images, recipe.normalisation));
  return detect(p, recipe, x, sizes);
}

/** Detection on pictures of any size, uint8 [batch, height, width, 3] RGB. */
export function refineDetOnPictures(p: Parameters, recipe: RefineDetRecipe, images: Value): Detections {
  const { x, sizes } = scope('preprocess', () => ({
    x: normalizePictures(resizePictures(images, recipe.size), recipe.normalisation),
    sizes: sourceSizes(images),
  }));
  return detect(p, recipe, x, sizes);
}

function detect(p: Parameters, recipe: RefineDetRecipe, x: Value, sizes: Value): Detections {
  const outputs = refineDet(p, recipe, x);
  return scope('postprocess', () => detectRefineDet(recipe, outputs, sizes));
}

/** float32 [1, 2]: height and width, the same for all pictures of a batch. */
function sourceSizes(images: Value): Value {
  return reshape(cast(slice(shapeOf(images), [1], [3]), 'float32'), [1, 2]);
}
