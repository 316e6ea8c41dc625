import type { CocoCategory, CocoPicture } from '../evaluate/coco-files.js';
import type { TableOptions } from '../evaluate/coco-tables.js';
import type { EvaluationData } from '../evaluate/evaluation-data.js';

/** What a metric is computed from. */
export interface Judged {
  readonly data: EvaluationData;
  /** `--max-dets`, `--iou` and `--agnostic`, where they were given. */
  readonly options: TableOptions;
  /** What the ground truth file says beyond boxes, by picture and by label; not there for `eval MODEL --data`. */
  readonly pictures?: readonly CocoPicture[];
  readonly categories?: readonly CocoCategory[];
}

/** A metric of `--metrics` beside COCO's. Its modules are imported inside `compute`, so that `--help` is quick. */
export interface MetricBlock {
  /**
   * Its part of the JSON, such as `{ tide: { … } }`; parts with the same key are merged. And lines for people.
   *
   * @throws BoxwrightError where the data do not have what the metric needs.
   */
  compute(
    judged: Judged,
  ): Promise<{ readonly json: Readonly<Record<string, object>>; readonly lines: readonly string[] }>;
}

/** By the word of `--metrics`. */
export const metricBlocks: Readonly<Record<string, MetricBlock>> = {};
