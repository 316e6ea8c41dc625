/**
 * Metrics of object detection: how well a detector's boxes agree with the annotated ones.
 *
 * @packageDocumentation
 */
export { CocoEvaluator, type CocoMetrics, type CocoResult, summarise } from './coco.js';
export { type CocoGroundTruth, type CocoResults, cocoPictures } from './coco-json.js';
export {
  type AreaRange,
  type CocoOptions,
  type CocoSettings,
  cocoAreas,
  cocoIouThresholds,
  cocoRecallPoints,
} from './coco-settings.js';
export { type CocoSelection, type CocoTables, meanPrecision, meanRecall } from './coco-tables.js';
export { evaluateDetections, type FoundInPicture, truthOf } from './evaluate-model.js';
export type { BoxFormat, Detections, EvaluatedPicture, Truth } from './picture.js';
