/**
 * `boxwright/train`: trains detectors and writes run folders.
 *
 * @packageDocumentation
 */

export type { RecordedEnd, RecordedEvaluation, RecordedPlan, RecordedStep } from '../report/run/run-record.js';
export type { DataFormatOptions, TrainConfig, TrainOptions } from './config.js';
export type { TrainEvent } from './events.js';
export { findLearningRate, type RatePoint, type RateTest } from './find-rate.js';
export { train } from './train.js';
