// Boxes are in pixels of the canvas inside, and in pixels of the source picture where they leave.
import {
  and,
  cast,
  concat,
  constant,
  dimOf,
  input,
  less,
  rangeAlong,
  reshape,
  scope,
  slice,
  type Value,
  where,
} from '../../graph/index.js';
import type { Parameters } from '../../nn/parameters.js';
import type { Losses } from '../../nn/training-step.js';
import type { CanvasSize } from '../canvas.js';
import type { Detections } from '../detections.js';
import { normalizePictures } from '../pictures.js';
import { fitPictures } from '../resize-graph.js';
import { runCascade } from './cascade.js';
import { cascadeLosses } from './loss.js';
import { pyramidAndRpn } from './network.js';
import { detectCascade } from './postprocess.js';
import { type Limits, proposals } from './proposals.js';
import type { CascadeRcnnRecipe } from './recipe.js';

/** Pictures on their canvases, as the data pipeline or the graph's own resize gives them. */
export interface Canvases {
  /** uint8 [N, H, W, 3] RGB, the picture in the upper left corner */
  readonly images: Value;
  /** float32 [N, 4] or [1, 4]: the picture's height and width in pixels of the canvas, and canvas pixels per source pixel (y, x) */
  readonly frames: Value;
}

function framesInput(batch: number | string): Value {
  const doc = "height and width of each picture in its canvas, and the canvas' pixels per source pixel (y, x)";
  return input('frames', 'float32', [batch, 4], doc);
}

/** The losses of a batch of pictures on canvases of one fixed size; see `cascadeLosses` for its inputs. */
export function cascadeTraining(
  p: Parameters,
  recipe: CascadeRcnnRecipe,
  batch: number,
  { height, width }: CanvasSize,
  maxBoxes: number,
): Losses {
  const images = input('images', 'uint8', [batch, height, width, 3], 'RGB pictures on their canvases');
  const canvases = { images, frames: framesInput(batch) };
  const outputs = pyramidAndRpn(p, recipe, preprocess(recipe, canvases));
  return cascadeLosses(p, recipe, outputs, limitsOf(canvases), batch, maxBoxes);
}

/** Detection on canvases of any size (multiples of 32): inputs `images` [batch, height, width, 3] and `frames`. */
export function cascadeOnCanvases(p: Parameters, recipe: CascadeRcnnRecipe, batch: number | string): Detections {
  const images = input('images', 'uint8', [batch, 'height', 'width', 3], 'RGB pictures on their canvases');
  return detect(p, recipe, { images, frames: framesInput(batch) });
}

/** Detection on pictures of any size, uint8 [batch, height, width, 3] RGB. */
export function cascadeOnPictures(p: Parameters, recipe: CascadeRcnnRecipe, images: Value): Detections {
  const { pixels, frames } = scope('preprocess', () => fitPictures(images, recipe.resize));
  return detect(p, recipe, { images: pixels, frames });
}

function detect(p: Parameters, recipe: CascadeRcnnRecipe, canvases: Canvases): Detections {
  const limits = limitsOf(canvases);
  const outputs = pyramidAndRpn(p, recipe, preprocess(recipe, canvases));
  const first = scope('rpn/proposals', () => proposals(recipe, outputs, limits, recipe.rpn.inference));
  const { results, rois } = runCascade(p, recipe, outputs.maps, first.boxes, limits);
  const last = { boxes: rois[rois.length - 1], valid: first.valid };
  return scope('postprocess', () => detectCascade(recipe, { results, rois: last }, limits, scalesOf(canvases)));
}

/** The network's input [N, 3, H, W], with zeros around the pictures where the recipe has them so. */
export function preprocess({ normalisation, padding }: CascadeRcnnRecipe, { images, frames }: Canvases): Value {
  return scope('preprocess', () => {
    const x = normalizePictures(images, normalisation);
    if (padding === 'raw') return x;
    const along = (axis: number, shape: readonly number[]) => reshape(cast(rangeAlong(images, axis), 'float32'), shape);
    const side = (column: number) => reshape(slice(frames, [column], [column + 1], [1]), [-1, 1, 1, 1]);
    return where(and(less(along(1, [1, 1, -1, 1]), side(0)), less(along(2, [1, 1, 1, -1]), side(1))), x, 0);
  });
}

/** How far boxes may reach, for `decodeWithin`. */
export function limitsOf({ images, frames }: Canvases): Limits {
  const column = (index: number) => slice(frames, [index], [index + 1], [1]);
  const rows = (value: Value) => reshape(value, [-1, 1, 4]);
  const [, height, width] = images.shape;
  const canvas =
    typeof height === 'number' && typeof width === 'number'
      ? constant('float32', [4], Float32Array.of(width, height, width, height))
      : cast(
          concat(
            [2, 1, 2, 1].map((axis) => dimOf(images, axis)),
            0,
          ),
          'float32',
        );
  return { picture: rows(concat([1, 0, 1, 0].map(column), 1)), canvas: rows(canvas) };
}

/** float32 [N, 1, 4] or [1, 1, 4]: canvas pixels per source pixel, x, y, x, y. */
function scalesOf({ frames }: Canvases): Value {
  const column = (index: number) => slice(frames, [index], [index + 1], [1]);
  return reshape(concat([3, 2, 3, 2].map(column), 1), [-1, 1, 4]);
}
