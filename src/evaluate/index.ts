/**
 * Metrics of object detection: how well a detector's boxes agree with the annotated ones.
 *
 * @packageDocumentation
 */
export {
  type BootstrapOptions,
  type BootstrapResult,
  bootstrapPrecision,
  type Interval,
} from './bootstrap.js';
export { aspectRanges, type Breakdown, breakdown, type RangeFigures, sizeRanges } from './breakdown.js';
export { type CalibrationOptions, type CalibrationResult, calibration, type ReliabilityBin } from './calibration.js';
export { CocoEvaluator, type CocoMetrics, type CocoResult, summarise } from './coco/coco.js';
export type { ReadOptions } from './coco/coco-entries.js';
export { type CocoGroundTruth, type CocoResults, cocoPictures } from './coco/coco-json.js';
export { type CocoFound, cocoData, readCocoResults } from './coco/coco-results-file.js';
export {
  type AreaRange,
  type CocoOptions,
  type CocoSettings,
  cocoAreas,
  cocoIouThresholds,
  cocoRecallPoints,
} from './coco/coco-settings.js';
export {
  type CocoSelection,
  type CocoTables,
  cocoTables,
  meanPrecision,
  meanRecall,
  type TableOptions,
} from './coco/coco-tables.js';
export { type CocoCategory, type CocoPicture, type CocoTruth, readCocoTruth } from './coco/coco-truth-file.js';
export { inZooSubset, zooSubset } from './coco/zoo-subset.js';
export { type ComparisonOptions, type ComparisonResult, comparePaired, type PictureChange } from './compare.js';
export {
  type ConfusionConvention,
  ConfusionMatrix,
  type ConfusionOptions,
  type ConfusionResult,
} from './confusion.js';
export {
  type EvaluatedDetector,
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  type FoundObjects,
} from './evaluate.js';
export { evaluateDetections, type FoundInPicture, gatherDetections, truthOf } from './evaluate-model.js';
export { type DetectionColumns, type EvaluationData, picturesOf, type TruthColumns } from './evaluation-data.js';
export {
  type Frequency,
  LvisEvaluator,
  type LvisMetrics,
  type LvisOptions,
  type LvisPicture,
  type LvisResult,
} from './lvis.js';
export { type ClassOutcomes, type OutcomeOptions, outcomesByClass } from './matching/detection-outcomes.js';
export type { BoxFormat, Detections, EvaluatedPicture, Truth } from './matching/picture.js';
export type { MatchOptions } from './matching/ranked-matches.js';
export { type ClassLrp, type LrpOptions, type OptimalLrp, optimalLrp, suggestedThresholds } from './optimal-lrp.js';
export type { OfClass } from './per-class.js';
export {
  type CurveSummary,
  type OperatingPoint,
  operatingPoint,
  type ScoreCurve,
  type ScoreCurves,
  scoreCurve,
  scoreCurves,
} from './score-curves.js';
export { type TideError, TideEvaluator, type TideOptions, type TideResult } from './tide.js';
export { type VocClass, VocEvaluator, type VocOptions, type VocResult } from './voc.js';
