/**
 * Reading, checking, augmenting and batching labelled pictures.
 *
 * @packageDocumentation
 */

export type { CanvasSize, KeepRatioRule, ResizeRule, StretchRule } from '../models/canvas.js';
export { type ExtraName, extraNames, withExtras } from './augment/extras.js';
export type {
  AugmentationRecipe,
  CropMode,
  CropRecipe,
  CutOutRecipe,
  ExpandRecipe,
  JitterRecipe,
  MixUpRecipe,
  MosaicRecipe,
  PhotometricRecipe,
  ScaleJitterRecipe,
} from './augment/recipe.js';
export {
  cascadeAugmentation,
  cascadeZooAugmentation,
  noAugmentation,
  paperAugmentation,
  paperPytorchAugmentation,
  zooAugmentation,
} from './augment/recipe.js';
export type { Batch, BatchArrays } from './batches/batch.js';
export { BatchLoader, type BatchLoaderOptions } from './batches/batches.js';
export type { Inclusion } from './batches/learnable.js';
export { type ClassCard, type DataCard, dataCard } from './card.js';
export type {
  DataProblem,
  Dataset,
  DatasetFormat,
  DatasetImage,
  GroundTruth,
  PixelBox,
  ProblemKind,
} from './dataset.js';
export { datasetFormats, describeProblem } from './dataset.js';
export { decodePicture, type ExpectedPicture } from './decode.js';
export {
  type InspectedPart,
  type InspectedProblem,
  type Inspection,
  type InspectOptions,
  inspectDataset,
  type SeenPicture,
} from './inspect.js';
export type { OpenOptions } from './layout.js';
export { findDataset, openDataset, type RecognisedDataset } from './open.js';
export type { Picture } from './picture.js';
export { type Repaired, repairDataset } from './repair.js';
export { type PixelRegion, resizeBytes } from './resize.js';
export { type WriteOptions, type WrittenDataset, writeDataset } from './writing/write.js';
export type { WrittenFormat } from './writing/written-formats.js';
export type { DatasetPart } from './writing/written-layout.js';
