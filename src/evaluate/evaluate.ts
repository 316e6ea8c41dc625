import type { Dataset } from '../data/dataset.js';
import type { OpenOptions } from '../data/layout.js';
import { openDataset } from '../data/open.js';
import { BoxwrightError } from '../errors.js';
import { type CocoResult, summarise } from './coco/coco.js';
import { cocoSettings } from './coco/coco-settings.js';
import { type CocoTables, cocoTables, type TableOptions } from './coco/coco-tables.js';
import { type FoundInPicture, gatherDetections } from './evaluate-model.js';
import type { EvaluationData } from './evaluation-data.js';

/** What a detector says of one picture: boxes `[x1, y1, x2, y2]` in pixels of the source picture. */
export interface FoundObjects {
  readonly width: number;
  readonly height: number;
  readonly detections: readonly {
    readonly box: readonly number[];
    /** Index of its class. */
    readonly labelIndex: number;
    readonly score: number;
  }[];
}

/** What can be evaluated: a `Detector`, or anything else that has its classes and detects in pictures by their paths. */
export interface EvaluatedDetector {
  readonly classes: readonly string[];
  /** One result a picture, in their order; all detections down to the lowest score that is asked for. */
  stream(
    paths: readonly string[],
    options: { readonly minScore: number; readonly batch?: number; readonly signal?: AbortSignal },
  ): AsyncIterable<FoundObjects>;
}

/** What to evaluate on, and COCO's options. */
export interface EvaluateOptions extends TableOptions {
  /** Part of a data set that is given by its path, such as `val` or `test`; all of it by default. */
  readonly part?: string;
  /** How a data set that is given by its path is opened, where it is not recognised as it should be. */
  readonly open?: Pick<OpenOptions, 'format' | 'pictures' | 'firstPixel' | 'boxOrder'>;
  /** Pictures in one run of the model, if of equal size; 1 by default. */
  readonly batch?: number;
  readonly signal?: AbortSignal;
  /** Told of the pictures done. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** COCO's figures of a detector, and what they were computed from. */
export interface Evaluation extends CocoResult {
  /** Precision, recall and scores behind the figures. */
  readonly tables: CocoTables;
  /** Truth and detections, for the other metrics of `boxwright/evaluate`. */
  readonly data: EvaluationData;
  readonly dataset: Dataset;
}

/**
 * COCO's figures of a detector on a labelled data set: runs it on every picture, and judges what it finds.
 *
 * ```ts
 * await using detector = await Detector.load('runs/cells');
 * const { coco, perClass } = await evaluate(detector, 'cells/', { part: 'test' });
 * ```
 *
 * @param data path of a data set, or one that `openDataset` opened with the detector's classes.
 * @throws BoxwrightError `config` for options that cannot be met, before any picture is looked at; `data` for a data set
 *   that cannot be used, has a class that the detector lacks, or pictures of another size than annotated; `aborted` when
 *   the signal stops it; and what the detector throws.
 */
export async function evaluate(
  detector: EvaluatedDetector,
  data: string | Dataset,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { part, open, batch, signal, onProgress, ...coco } = options;
  const { classes } = detector;
  cocoSettings({ ...coco, classes });
  const dataset = typeof data === 'string' ? await openDataset(data, { ...open, part, classes, signal }) : data;
  requireSameClasses(dataset, classes);
  const paths = dataset.images.map(({ path }) => path);
  const found = detector.stream(paths, { minScore: 0, batch, signal });
  const gathered = await gatherDetections(dataset, columns(found), (done) => onProgress?.(done, paths.length));
  const tables = cocoTables(gathered, coco);
  return { ...summarise(tables), tables, data: gathered, dataset };
}

async function* columns(found: AsyncIterable<FoundObjects>): AsyncGenerator<FoundInPicture, void, undefined> {
  for await (const { width, height, detections } of found) {
    const boxes = detections.flatMap(({ box }) => box);
    const labels = detections.map(({ labelIndex }) => labelIndex);
    yield { width, height, detections: { boxes, labels, scores: detections.map(({ score }) => score) } };
  }
}

function requireSameClasses({ name, classes }: Dataset, expected: readonly string[]): void {
  if (JSON.stringify(classes) === JSON.stringify(expected)) return;
  const found = `its classes are ${classes.join(', ')}, the detector's ${expected.join(', ')}`;
  throw new BoxwrightError('data', `${name}: ${found}; open it with { classes: detector.classes }.`);
}
