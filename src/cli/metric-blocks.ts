import type { CocoTables, TableOptions } from '../evaluate/coco/coco-tables.js';
import type { CocoCategory, CocoPicture } from '../evaluate/coco/coco-truth-file.js';
import type { EvaluationData } from '../evaluate/evaluation-data.js';
import type { Frequency } from '../evaluate/lvis.js';

/** What a metric is computed from. */
export interface Judged {
  readonly data: EvaluationData;
  /** `--max-dets`, `--iou` and `--agnostic`, where they were given. */
  readonly options: TableOptions;
  /** `--plus-one`, for VOC's metrics. */
  readonly plusOne?: boolean;
  /** What the ground truth file says beyond boxes, by picture and by label; not there for `eval MODEL --data`. */
  readonly pictures?: readonly CocoPicture[];
  readonly categories?: readonly CocoCategory[];
  /** COCO's tables of these data and options, where they are there already. */
  readonly tables?: CocoTables;
  readonly signal?: AbortSignal;
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
export const metricBlocks: Readonly<Record<string, MetricBlock>> = {
  tide: {
    async compute({ data, options }) {
      const { TideEvaluator } = await import('../evaluate/tide.js');
      const { classes, boxFormat } = data;
      const evaluator = new TideEvaluator({ classes, boxFormat, iouThreshold: options.iouThresholds?.[0] });
      for (const picture of await picturesIn(data)) evaluator.addPicture(picture);
      const tide = evaluator.result();
      return { json: { tide }, lines: (await import('./metric-lines.js')).tideLines(tide) };
    },
  },
  lrp: {
    async compute({ data, options }) {
      const { optimalLrp } = await import('../evaluate/optimal-lrp.js');
      const lrp = optimalLrp(data, oneThreshold(options));
      return { json: { lrp }, lines: (await import('./metric-lines.js')).lrpLines(lrp) };
    },
  },
  voc07: { compute: (judged) => vocBlock(judged, 'AP11') },
  voc10: { compute: (judged) => vocBlock(judged, 'APall') },
  lvis: {
    async compute({ data, pictures, categories }) {
      const { LvisEvaluator } = await import('../evaluate/lvis.js');
      const evaluator = new LvisEvaluator({
        classes: data.classes,
        boxFormat: data.boxFormat,
        frequencies: await frequenciesOf(categories),
      });
      const about = new Map(pictures?.map((picture) => [picture.id, picture]));
      for (const picture of await picturesIn(data)) {
        const { negative, notExhaustive } = about.get(picture.id) ?? {};
        evaluator.addPicture({ ...picture, negative, notExhaustive });
      }
      const { lvis, perClass } = evaluator.result();
      return { json: { lvis: { ...lvis, perClass } }, lines: (await import('./metric-lines.js')).lvisLines(lvis) };
    },
  },
  confusion: {
    async compute({ data }) {
      const { ConfusionMatrix } = await import('../evaluate/confusion.js');
      const matrix = new ConfusionMatrix({ classes: data.classes, boxFormat: data.boxFormat });
      for (const picture of await picturesIn(data)) matrix.addPicture(picture);
      const confusion = matrix.result();
      return { json: { confusion }, lines: (await import('./metric-lines.js')).confusionLines(confusion) };
    },
  },
  curves: {
    async compute({ data, options }) {
      const { scoreCurves } = await import('../evaluate/score-curves.js');
      const curves = scoreCurves(data, oneThreshold(options));
      return { json: { curves }, lines: (await import('./metric-lines.js')).curveLines(curves) };
    },
  },
  calibration: {
    async compute({ data, options }) {
      const { calibration: measure } = await import('../evaluate/calibration.js');
      const calibration = measure(data, oneThreshold(options));
      return { json: { calibration }, lines: (await import('./metric-lines.js')).calibrationLines(calibration) };
    },
  },
  breakdown: {
    async compute({ data, options }) {
      const { breakdown: measure } = await import('../evaluate/breakdown.js');
      const breakdown = measure(data, manyThresholds(options));
      return {
        json: { breakdown: { ...breakdown } },
        lines: (await import('./metric-lines.js')).breakdownLines(breakdown),
      };
    },
  },
  bootstrap: {
    async compute({ data, options, signal }) {
      const { bootstrapPrecision } = await import('../evaluate/bootstrap.js');
      const bootstrap = await bootstrapPrecision(data, { ...manyThresholds(options), signal });
      return { json: { bootstrap }, lines: (await import('./metric-lines.js')).bootstrapLines(bootstrap) };
    },
  },
};

/** Compares with another detector's results for the same pictures, B. */
export function comparisonBlock(other: EvaluationData): MetricBlock {
  return {
    async compute({ data, options, signal }) {
      const { comparePaired } = await import('../evaluate/compare.js');
      const comparison = await comparePaired(data, other, { ...manyThresholds(options), signal });
      return { json: { comparison }, lines: (await import('./metric-lines.js')).comparisonLines(comparison) };
    },
  };
}

async function vocBlock({ data, options, plusOne }: Judged, figure: 'AP11' | 'APall') {
  const { VocEvaluator } = await import('../evaluate/voc.js');
  const { classes, boxFormat } = data;
  const evaluator = new VocEvaluator({ classes, boxFormat, iouThreshold: options.iouThresholds?.[0], plusOne });
  for (const picture of await picturesIn(data)) evaluator.addPicture(picture);
  const { iouThreshold, perClass, mAP11, mAPall } = evaluator.result();
  const mAP = figure === 'AP11' ? mAP11 : mAPall;
  const own = perClass.map(({ name, AP11, APall, ...counts }) => {
    return { name, AP: figure === 'AP11' ? AP11 : APall, ...counts };
  });
  const voc = { iouThreshold, mAP, perClass: own };
  const rule = figure === 'AP11' ? 'voc07' : 'voc10';
  return { json: { voc: { [rule]: voc } }, lines: (await import('./metric-lines.js')).vocLines(rule, voc) };
}

async function frequenciesOf(categories: Judged['categories']): Promise<Frequency[]> {
  const known: readonly (string | undefined)[] = ['r', 'c', 'f'];
  const lacking = categories?.find(({ frequency }) => !known.includes(frequency));
  if (categories && !lacking) return categories.map(({ frequency }) => frequency as Frequency);
  const { BoxwrightError } = await import('../errors.js');
  const found = lacking
    ? `category "${lacking.name}" has ${JSON.stringify(lacking.frequency)}`
    : 'the data set has none';
  throw new BoxwrightError(
    'data',
    `--metrics lvis needs LVIS's ground truth by --truth, with "frequency" r, c or f for each category: ${found}.`,
  );
}

/** Most further metrics have one threshold: the first, if some were given. */
function oneThreshold({ iouThresholds, maxDetections }: TableOptions) {
  return { iouThreshold: iouThresholds?.[0], maxDetections: most(maxDetections) };
}

function manyThresholds({ iouThresholds, maxDetections }: TableOptions) {
  return { iouThresholds, maxDetections: most(maxDetections) };
}

function most(limits: readonly number[] | undefined): number | undefined {
  return limits && Math.max(...limits);
}

async function picturesIn(data: EvaluationData) {
  const { picturesOf } = await import('../evaluate/evaluation-data.js');
  return picturesOf(data);
}
