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
export { CocoEvaluator, type CocoMetrics, type CocoResult, summarise } from './coco.js';
export type { ReadOptions } from './coco-entries.js';
export { type CocoGroundTruth, type CocoResults, cocoPictures } from './coco-json.js';
export { type CocoFound, cocoData, readCocoResults } from './coco-results-file.js';
export {
  type AreaRange,
  type CocoOptions,
  type CocoSettings,
  cocoAreas,
  cocoIouThresholds,
  cocoRecallPoints,
} from './coco-settings.js';
export {
  type CocoSelection,
  type CocoTables,
  cocoTables,
  meanPrecision,
  meanRecall,
  type TableOptions,
} from './coco-tables.js';
export { cocoTablesOnThreads } from './coco-threads.js';
export { type CocoCategory, type CocoPicture, type CocoTruth, readCocoTruth } from './coco-truth-file.js';
export { type ComparisonOptions, type ComparisonResult, comparePaired, type PictureChange } from './compare.js';
export {
  type ConfusionConvention,
  ConfusionMatrix,
  type ConfusionOptions,
  type ConfusionResult,
} from './confusion.js';
export { type ClassOutcomes, type OutcomeOptions, outcomesByClass } from './detection-outcomes.js';
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
export { type ClassLrp, type LrpOptions, type OptimalLrp, optimalLrp, suggestedThresholds } from './optimal-lrp.js';
export type { BoxFormat, Detections, EvaluatedPicture, Truth } from './picture.js';
export type { MatchOptions } from './ranked-matches.js';
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
export { inZooSubset, zooSubset } from './zoo-subset.js';
