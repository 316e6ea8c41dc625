import { BoxwrightError } from '../../errors.js';
import type { BoxFormat } from '../matching/picture.js';

/** A range of truth and detection areas in square pixels; both bounds belong to it. */
export interface AreaRange {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** What COCO's metric is to compute. */
export interface CocoOptions {
  /** Names of the classes, by label. */
  readonly classes: readonly string[];
  /** How `boxes` are given; default `xyxy`. */
  readonly boxFormat?: BoxFormat;
  /** At most 32, above 0; default 0.5, 0.55 … 0.95. */
  readonly iouThresholds?: readonly number[];
  /** How many detections of a picture and class count, best first; default 1, 10, 100. */
  readonly maxDetections?: readonly number[];
  /** At most 32; the first must be the one that overall figures are taken from. Default all, small, medium, large. */
  readonly areas?: readonly AreaRange[];
  /** Match without regard to class: how well objects are found, whatever they are taken for. Default false. */
  readonly agnostic?: boolean;
}

/** Options with every default filled in. */
export type CocoSettings = Required<CocoOptions>;

/** COCO's area ranges: small below 32², large above 96². */
export const cocoAreas: readonly AreaRange[] = [
  { name: 'all', from: 0, to: 1e10 },
  { name: 'small', from: 0, to: 32 ** 2 },
  { name: 'medium', from: 32 ** 2, to: 96 ** 2 },
  { name: 'large', from: 96 ** 2, to: 1e10 },
];

/** One range with every size. */
export const everyArea: AreaRange = { name: 'all', from: 0, to: Number.POSITIVE_INFINITY };

/** COCO's IoU thresholds, with the rounding of numpy.linspace that its figures contain. */
export const cocoIouThresholds: readonly number[] = Array.from(evenlySpaced(0.5, 0.95, 10));

/** The 101 recall points of COCO, rounded alike: a recall of exactly 7/20 does not reach the 36th. */
export const cocoRecallPoints: Float64Array = evenlySpaced(0, 1, 101);

/** @throws BoxwrightError `config` that names the option, what was found and what was expected. */
export function cocoSettings(options: CocoOptions): CocoSettings {
  const settings: CocoSettings = {
    classes: [...options.classes],
    boxFormat: options.boxFormat ?? 'xyxy',
    iouThresholds: [...(options.iouThresholds ?? cocoIouThresholds)],
    maxDetections: [...(options.maxDetections ?? [1, 10, 100])].sort((a, b) => a - b),
    areas: [...(options.areas ?? cocoAreas)],
    agnostic: options.agnostic ?? false,
  };
  const { classes, iouThresholds, maxDetections, areas } = settings;
  const repeated = new Set(classes).size < classes.length && classes.find((name, i) => classes.indexOf(name) !== i);
  if (typeof repeated === 'string')
    throw config(`class ${JSON.stringify(repeated)} is listed twice: class names must differ`);
  if (classes.length === 0) throw config('there is no class to evaluate: give at least one name');
  requireIouThresholds(iouThresholds);
  expect('maxDetections', maxDetections, 'whole numbers from 1', (m) => Number.isInteger(m) && m >= 1);
  expect('areas', areas, 'one to 32 ranges with from at most to', ({ from, to }) => from <= to, 32);
  return settings;
}

/**
 * More than 32 would not fit into the masks of matches.
 *
 * @throws BoxwrightError `config`
 */
export function requireIouThresholds(iouThresholds: readonly number[]): void {
  expect('iouThresholds', iouThresholds, 'one to 32 numbers above 0 and at most 1', (t) => t > 0 && t <= 1, 32);
}

function expect<T>(name: string, values: readonly T[], expected: string, fits: (value: T) => boolean, most = Infinity) {
  if (values.length > 0 && values.length <= most && values.every(fits)) return;
  throw config(`${name} is ${JSON.stringify(values)}, expected ${expected}`);
}

/** `count` numbers from `from` to `to` with the rounding of numpy.linspace. */
export function evenlySpaced(from: number, to: number, count: number): Float64Array {
  const step = (to - from) / (count - 1);
  const points = Float64Array.from({ length: count }, (_, i) => i * step + from);
  points[count - 1] = to;
  return points;
}

function config(message: string): BoxwrightError {
  return new BoxwrightError('config', message);
}
