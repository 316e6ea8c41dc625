import { evenlySpaced } from '../evaluate/coco/coco-settings.js';
import type { TableOptions } from '../evaluate/coco/coco-tables.js';
import { nearestName } from '../models/nearest-name.js';
import { UsageError } from './command.js';
import { type MetricBlock, metricBlocks } from './metric-blocks.js';

/** Options of every command that judges detections. */
export const metricsOptions = {
  metrics: {
    type: 'string',
    default: 'coco',
    describe: `What to measure, with commas between: ${['coco', ...Object.keys(metricBlocks)].join(', ')}`,
  },
  'max-dets': { type: 'string', describe: 'How many detections of a picture and class count; 1,10,100 by default' },
  iou: { type: 'string', describe: 'IoU thresholds as from:to:step or a list; 0.5:0.95:0.05 by default' },
  agnostic: { type: 'boolean', default: false, describe: 'Match without regard to class' },
  subset: {
    choices: ['zoo'],
    describe:
      "Judge only part of the pictures; zoo: those without crowd regions and with objects, as the zoo's figures",
  },
  'plus-one': {
    type: 'boolean',
    default: false,
    describe: "Box sides of voc07 and voc10 are one more than the difference, as in VOC's devkit",
  },
  json: {
    type: 'boolean',
    default: false,
    describe: 'Print the figures as JSON at full precision, and nothing else',
  },
} as const;

interface MetricsArguments {
  readonly metrics: string;
  readonly 'max-dets'?: string;
  readonly iou?: string;
  readonly agnostic: boolean;
  readonly subset?: string;
  readonly 'plus-one': boolean;
  readonly json: boolean;
}

/** What is to be measured, and how it is to be shown. */
export interface Measures {
  readonly options: TableOptions;
  /** Beside COCO's figures, which are always there. */
  readonly blocks: readonly MetricBlock[];
  /** Only the pictures that the zoo's own evaluation takes. */
  readonly zooSubset: boolean;
  /** Box sides of VOC's metrics are one more than the difference. */
  readonly plusOne: boolean;
  readonly json: boolean;
}

/** @throws UsageError for numbers that cannot be read and metrics that are not known, with the nearest that is. */
export function measuresOf({
  metrics,
  'max-dets': most,
  iou,
  agnostic,
  subset,
  'plus-one': plusOne,
  json,
}: MetricsArguments): Measures {
  const options: TableOptions = {
    agnostic,
    ...(most === undefined ? {} : { maxDetections: most.split(',').map(limitOf) }),
    ...(iou === undefined ? {} : { iouThresholds: thresholdsOf(iou) }),
  };
  const names = metrics.split(',').map((name) => name.trim());
  const known = ['coco', ...Object.keys(metricBlocks)];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const meant = nearestName(unknown, known);
    throw new UsageError(`--metrics has "${unknown}". Did you mean "${meant}"? Known: ${known.join(', ')}.`);
  }
  const blocks = [...new Set(names)].filter((name) => name !== 'coco').map((name) => metricBlocks[name]);
  if (agnostic && blocks.length > 0) {
    throw new UsageError('--agnostic goes with the metric coco alone: leave one of the two out.');
  }
  return { options, blocks, zooSubset: subset === 'zoo', plusOne, json };
}

function limitOf(text: string): number {
  const limit = numberOf(text);
  if (Number.isInteger(limit) && limit >= 1) return limit;
  throw new UsageError(
    `--max-dets has "${text}"; give whole numbers from 1 with commas between them, such as 1,10,100.`,
  );
}

function thresholdsOf(text: string): readonly number[] {
  const thresholds = text.includes(':') ? rangeOf(text) : text.split(',').map(numberOf);
  if (thresholds.length <= 32 && thresholds.every((threshold) => threshold > 0 && threshold <= 1)) return thresholds;
  throw badThresholds(text);
}

function rangeOf(text: string): readonly number[] {
  const [from, to, step, ...rest] = text.split(':').map(numberOf);
  const steps = Math.round((to - from) / step);
  if (rest.length > 0 || !(from <= to && step > 0 && steps < 32)) throw badThresholds(text);
  if (Math.abs(from + steps * step - to) > 1e-6) throw badThresholds(text);
  return steps === 0 ? [from] : Array.from(evenlySpaced(from, to, steps + 1));
}

function badThresholds(text: string): UsageError {
  const example = 'such as 0.5:0.95:0.05 (from:to:step) or 0.5,0.75';
  return new UsageError(`--iou is "${text}"; give up to 32 numbers above 0 and at most 1, ${example}.`);
}

function numberOf(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}
