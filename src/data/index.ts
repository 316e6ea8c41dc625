/**
 * Reading, checking, augmenting and batching labelled pictures.
 *
 * @packageDocumentation
 */
export type {
  AugmentationRecipe,
  CropMode,
  CropRecipe,
  ExpandRecipe,
  JitterRecipe,
  PhotometricRecipe,
} from './augment/recipe.js';
export {
  cascadeAugmentation,
  cascadeZooAugmentation,
  noAugmentation,
  paperAugmentation,
  paperPytorchAugmentation,
  zooAugmentation,
} from './augment/recipe.js';
export type { Batch, BatchArrays } from './batch.js';
export { BatchLoader, type BatchLoaderOptions } from './batches.js';
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
export { decodePicture, type ExpectedPicture, type Picture } from './decode.js';
export type { OpenOptions } from './layout.js';
export type { Inclusion } from './learnable.js';
export { findDataset, openDataset, type RecognisedDataset } from './open.js';
export { type PixelRegion, resizeBytes } from './resize.js';
