import { BoxwrightError } from '../errors.js';
import { input } from '../graph/index.js';
import { Parameters } from '../nn/parameters.js';
import type { Losses } from '../nn/training-step.js';
import type { CanvasSize, ResizeRule } from './canvas.js';
import { cascadeOnCanvases, cascadeOnPictures, cascadeTraining } from './cascade-rcnn/detector.js';
import { randomCount } from './cascade-rcnn/loss.js';
import type { CascadeRcnnRecipe } from './cascade-rcnn/recipe.js';
import {
  paperBackbones as cascadeBackbones,
  zooBackbones as cascadeZooBackbones,
  detectron2Backbones,
  detectron2CascadeRcnn,
  paperCascadeRcnn,
  zooCascadeRcnn,
} from './cascade-rcnn/recipes.js';
import type { Detections } from './detections.js';
import { nearestName } from './nearest-name.js';
import { refineDetOnPictures, refineDetOnResized, refineDetTraining } from './refinedet/detector.js';
import type { RefineDetRecipe } from './refinedet/recipe.js';
import {
  luuuyiBackbones,
  luuuyiRefineDet,
  paperBackbones,
  paperRefineDet,
  zooBackbones,
  zooRefineDet,
} from './refinedet/recipes.js';

/** Any detector as plain data. */
export type DetectorRecipe = RefineDetRecipe | CascadeRcnnRecipe;

const sizes = [320, 512];

/**
 * Names that `modelRecipe` knows: `refinedet-<backbone>-<size>` and `cascade-rcnn-<backbone>` as published, with `-zoo` as
 * in the MindSpore zoo, with `-luuuyi` and `-detectron2` as there.
 */
export const modelNames: readonly string[] = [
  ...paperBackbones.flatMap((backbone) => sizes.map((size) => `refinedet-${backbone}-${size}`)),
  ...zooBackbones.flatMap((backbone) => sizes.map((size) => `refinedet-${backbone}-${size}-zoo`)),
  ...luuuyiBackbones.flatMap((backbone) => sizes.map((size) => `refinedet-${backbone}-${size}-luuuyi`)),
  ...cascadeBackbones.map((backbone) => `cascade-rcnn-${backbone}`),
  ...cascadeZooBackbones.map((backbone) => `cascade-rcnn-${backbone}-zoo`),
  ...detectron2Backbones.map((backbone) => `cascade-rcnn-${backbone}-detectron2`),
];

/**
 * The recipe of a model by name. RefineDet's sizes other than 320 and 512 are allowed if they are multiples of 64.
 *
 * @throws BoxwrightError `model` for an unknown name, with the nearest one.
 */
export function modelRecipe(name: `refinedet-${string}`, classes: number): RefineDetRecipe;
export function modelRecipe(name: `cascade-rcnn-${string}`, classes: number): CascadeRcnnRecipe;
export function modelRecipe(name: string, classes: number): DetectorRecipe;
export function modelRecipe(name: string, classes: number): DetectorRecipe {
  const recipe = refineDetRecipe(name, classes) ?? cascadeRecipe(name, classes);
  if (recipe) return recipe;
  const nearest = nearestName(name, modelNames);
  throw new BoxwrightError(
    'model',
    `There is no model "${name}". Did you mean "${nearest}"? Known: ${modelNames.join(', ')}. ` +
      'Other sizes of RefineDet are multiples of 64, as in refinedet-tiny-192.',
  );
}

/** A RefineDet's name with a size, given its name without one: `refinedet-resnet18` at 512. Undefined for other names. */
export function sizedName(name: string, size: number): string | undefined {
  const [, backbone, family = ''] = /^refinedet-([a-z0-9]+)(-zoo|-luuuyi)?$/.exec(name) ?? [];
  return refineDetFamilies[family].backbones.includes(backbone) ? `refinedet-${backbone}-${size}${family}` : undefined;
}

/** The name of a RefineDet without its size. */
export function unsizedName(name: string): string {
  return name.replace(/^(refinedet-[a-z0-9]+)-\d+/, '$1');
}

interface Family<Build> {
  readonly backbones: readonly string[];
  readonly build: Build;
}

/** Families of RefineDet by the end of their names. */
const refineDetFamilies: Readonly<
  Record<string, Family<(backbone: string, size: number, classes: number) => RefineDetRecipe>>
> = {
  '': { backbones: paperBackbones, build: paperRefineDet },
  '-zoo': { backbones: zooBackbones, build: zooRefineDet },
  '-luuuyi': { backbones: luuuyiBackbones, build: (_, size, classes) => luuuyiRefineDet(size, classes) },
};

function refineDetRecipe(name: string, classes: number): RefineDetRecipe | undefined {
  const [, backbone, size, family = ''] = /^refinedet-([a-z0-9]+)-(\d+)(-zoo|-luuuyi)?$/.exec(name) ?? [];
  const { backbones, build } = refineDetFamilies[family];
  if (!backbones.includes(backbone) || Number(size) % 64 !== 0 || Number(size) < 64) return undefined;
  return build(backbone, Number(size), classes);
}

/** Families of Cascade R-CNN by the end of their names. */
const cascadeFamilies: Readonly<Record<string, Family<(backbone: string, classes: number) => CascadeRcnnRecipe>>> = {
  '': { backbones: cascadeBackbones, build: paperCascadeRcnn },
  '-zoo': { backbones: cascadeZooBackbones, build: (_, classes) => zooCascadeRcnn(classes) },
  '-detectron2': { backbones: detectron2Backbones, build: detectron2CascadeRcnn },
};

function cascadeRecipe(name: string, classes: number): CascadeRcnnRecipe | undefined {
  const [, backbone, family = ''] = /^cascade-rcnn-([a-z0-9]+)(-zoo|-detectron2)?$/.exec(name) ?? [];
  const { backbones, build } = cascadeFamilies[family];
  return backbones.includes(backbone) ? build(backbone, classes) : undefined;
}

/** How a model's pictures come to its size. */
export function resizeRule(recipe: DetectorRecipe): ResizeRule {
  return recipe.kind === 'refinedet' ? { kind: 'stretch', size: recipe.size } : recipe.resize;
}

/** The fixed shapes of a training graph. */
export interface TrainingShapes {
  /** Pictures in a batch. */
  readonly batch: number;
  /** Places for ground-truth boxes in a picture. */
  readonly maxBoxes: number;
  /** Size of the pictures. */
  readonly canvas: CanvasSize;
}

/** Numbers in [0, 1) that a picture's losses draw: the second axis of the input `random`, or 0 where there is none. */
export function randomNumbers(recipe: DetectorRecipe, maxBoxes: number): number {
  return recipe.kind === 'refinedet' ? 0 : randomCount(recipe, maxBoxes);
}

/** The losses of a batch: declares pictures, ground truth, targets and random numbers as inputs. */
export function trainingLosses(p: Parameters, recipe: DetectorRecipe, shapes: TrainingShapes): Losses {
  return recipe.kind === 'refinedet'
    ? refineDetTraining(p, recipe, shapes.batch, shapes.maxBoxes)
    : cascadeTraining(p, recipe, shapes.batch, shapes.canvas, shapes.maxBoxes);
}

/** A graph of detection and the parameters that it asks for. */
export interface DetectionGraph {
  readonly p: Parameters;
  readonly outputs: Detections;
}

/**
 * Detection on pictures that the data pipeline has brought to size: input `images`, and RefineDet's `sizes` (float32
 * [batch, 2] height, width of the source) or Cascade R-CNN's `frames` (see `Canvases`). A batch that is a number is fixed.
 */
export function evaluationGraph(
  recipe: DetectorRecipe,
  p: Parameters = new Parameters({ training: false }),
  batch: number | 'batch' = 'batch',
): DetectionGraph {
  const outputs =
    recipe.kind === 'refinedet' ? refineDetOnResized(p, recipe, batch) : cascadeOnCanvases(p, recipe, batch);
  return { p, outputs };
}

/**
 * Detection on pictures of any size: input `images`, uint8 [batch, height, width, 3] RGB. A batch that is a number is
 * fixed, and with it every shape of RefineDet's network.
 */
export function inferenceGraph(recipe: DetectorRecipe, batch: number | 'batch' = 'batch'): DetectionGraph {
  const p = new Parameters({ training: false });
  const images = input('images', 'uint8', [batch, 'height', 'width', 3], 'RGB pictures of any size');
  const outputs =
    recipe.kind === 'refinedet' ? refineDetOnPictures(p, recipe, images) : cascadeOnPictures(p, recipe, images);
  return { p, outputs };
}
