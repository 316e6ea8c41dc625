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
export {
  type BrokenPicture,
  type DetectOptions,
  Detector,
  type LoadOptions,
  type PictureInputs,
  type StreamOptions,
} from './predict/detector.js';
export type { Detection, PictureDetections } from './predict/formats/picture-detections.js';
export type { MinScore } from './predict/lowest-scores.js';
export type { PictureInput, RawPicture } from './predict/picture-input.js';
export { defaultTestTime, type TestTime } from './predict/test-time.js';
export { version } from './version.js';
