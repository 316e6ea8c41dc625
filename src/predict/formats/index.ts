/**
 * Detections as files: JSON lines, COCO results, Pascal VOC xml and YOLO text.
 *
 * @packageDocumentation
 */
export { type CocoIds, type CocoResult, cocoResults } from './coco-results.js';
export { jsonLine, jsonPicture } from './json-lines.js';
export { checkDetections, type Detection, type PictureDetections } from './picture-detections.js';
export { vocXml } from './voc-xml.js';
export { type DetectionFormat, type WriteOptions, writeDetections } from './write.js';
export { yoloText } from './yolo-text.js';
