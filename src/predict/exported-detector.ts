import { BoxwrightError } from '../errors.js';
import { type ScoreThresholds, scoreThresholdsOf } from '../weights/score-thresholds.js';

/** What an exported file says of its detector. */
export interface ExportedDetector {
  readonly model: string;
  readonly classes: readonly string[];
  /** Lowest score to keep of each class, if its metadata suggest some. */
  readonly scoreThresholds?: ScoreThresholds;
  /** Overlap from which its suppression drops a box, if its metadata say so. */
  readonly nms?: number;
}

/**
 * The detector that an ONNX file's metadata tell of.
 *
 * @throws BoxwrightError `weights` if they lack the model or its classes, as those of other programs' files do, or are
 *   not what `export` writes.
 */
export function exportedDetector(path: string, metadata: Readonly<Record<string, string>>): ExportedDetector {
  const { model, classes, nms_threshold: nms = '' } = metadata;
  if (model === undefined || classes === undefined) {
    const advice = 'Only files that `boxwright export` wrote can be run here';
    throw new BoxwrightError('weights', `${path}: its metadata lack the model and its classes. ${advice}.`);
  }
  const overlap = Number.parseFloat(nms);
  const names = classNames(path, classes);
  const scoreThresholds = scoreThresholdsOf(path, metadata, names);
  return { model, classes: names, scoreThresholds, nms: overlap >= 0 ? overlap : undefined };
}

function classNames(path: string, text: string): string[] {
  try {
    const names = JSON.parse(text) as unknown;
    if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names;
  } catch {
    // said below
  }
  throw new BoxwrightError('weights', `${path}: its metadata "classes" is no JSON list of names: ${text.slice(0, 80)}`);
}
