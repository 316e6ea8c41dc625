/**
 * `boxwright`: run trained detectors. Training, evaluation, data sets and the graph language are `boxwright/train`,
 * `/evaluate`, `/data` and `/graph`.
 *
 * @packageDocumentation
 */
export type { Provider } from './engine/protocol.js';
export { BoxwrightError, type ErrorCode } from './errors.js';
export { type ExportOptions, type ExportReport, exportOnnx } from './export/export-onnx.js';
export type { WeightsSource } from './hub/weights-file.js';
export { modelNames } from './models/model.js';
export { Detector, type LoadOptions, type PictureInputs } from './predict/detector.js';
export type { Detection, PictureDetections } from './predict/formats/picture-detections.js';
export type { MinScore } from './predict/lowest-scores.js';
export type { BrokenPicture, DetectOptions, StreamOptions } from './predict/picture-detector.js';
export type { PictureInput } from './predict/picture-input.js';
export type { RawPicture } from './predict/raw-picture.js';
export { defaultTestTime, type TestTime } from './predict/test-time.js';
export { version } from './version.js';
