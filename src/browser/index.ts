/**
 * `boxwright/browser`: runs exported detectors in a page or a web worker, by onnxruntime-web. Bundlers that build for
 * browsers find it under `boxwright`, too.
 *
 * @packageDocumentation
 */
export { BoxwrightError, type ErrorCode } from '../errors.js';
export type { Detection, PictureDetections } from '../predict/formats/picture-detections.js';
export type { MinScore } from '../predict/lowest-scores.js';
export type { BrokenPicture, DetectOptions, StreamOptions } from '../predict/picture-detector.js';
export type { RawPicture } from '../predict/raw-picture.js';
export { version } from '../version.js';
export { Detector, type LoadOptions, type PictureInputs } from './detector.js';
export type { LoadProgress } from './download.js';
export type { ModelInput } from './model-bytes.js';
export type { PictureInput } from './picture-input.js';
export type { Provider } from './runtime.js';
