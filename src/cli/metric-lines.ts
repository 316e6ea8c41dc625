// What `--metrics` prints for people, a few lines a metric.
import type { BootstrapResult, Interval } from '../evaluate/bootstrap.js';
import type { Breakdown, RangeFigures } from '../evaluate/breakdown.js';
import type { CalibrationResult } from '../evaluate/calibration.js';
import type { ComparisonResult, PictureChange } from '../evaluate/compare.js';
import type { ConfusionResult } from '../evaluate/confusion.js';
import type { LvisMetrics } from '../evaluate/lvis.js';
import type { OptimalLrp } from '../evaluate/optimal-lrp.js';
import type { OperatingPoint, ScoreCurves } from '../evaluate/score-curves.js';
import type { TideResult } from '../evaluate/tide.js';
import { percent, signed } from '../report/page/fractions.js';

type Cell = string | number;

const score = (value: number | null) => (value === null || value < 0 ? '–' : value.toFixed(3));
const intervalOf = ({ value, low, high }: Interval) => [percent(value), `${percent(low)} to ${percent(high)}`];

/** Columns of equal width: the first to the left, the others to the right. */
function table(rows: readonly (readonly Cell[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => `${row[column] ?? ''}`.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? `${cell}`.padEnd(widths[0]) : `${cell}`.padStart(widths[column])))
      .join('  ')
      .trimEnd(),
  );
}

export function tideLines({ AP, dAP, counts, special, iouThreshold }: TideResult): string[] {
  const about: Readonly<Record<keyof typeof dAP, string>> = {
    Cls: 'right place, wrong class',
    Loc: 'right class, badly placed',
    Both: 'wrong class and badly placed',
    Dupe: 'an object found already',
    Bkg: 'nothing is there',
    Miss: 'an object that no detection is near',
  };
  const kinds = Object.keys(dAP) as (keyof typeof dAP)[];
  return [
    `TIDE at IoU ${iouThreshold}: AP ${percent(AP)}; what it would gain without each kind of error`,
    ...table([
      ['error', 'AP', 'number', ''],
      ...kinds.map((kind) => [kind, signed(dAP[kind]), counts[kind], '']),
      ['false', signed(special.FalsePos), '', ''],
      ['missed', signed(special.FalseNeg), '', ''],
    ]).map((line, i) => (i >= 1 && i <= kinds.length ? `${line}  ${about[kinds[i - 1]]}` : line)),
  ];
}

export function lrpLines(lrp: OptimalLrp): string[] {
  const row = (name: string, own: { [key in keyof OptimalLrp]?: unknown } & { threshold?: number | null }) => {
    const figures = [own.oLRP, own.localisation, own.falsePositives, own.falseNegatives] as (number | null)[];
    return [name, ...figures.map((value) => percent(value)), own.threshold === undefined ? '' : score(own.threshold)];
  };
  return [
    'optimal LRP error, percent: 0 is perfect; the threshold is the score at which a class is best',
    ...table([
      ['class', 'oLRP', 'box', 'false', 'missed', 'threshold'],
      row('mean', lrp),
      ...lrp.perClass.map((own) => row(own.name, own)),
    ]),
  ];
}

export function vocLines(
  rule: 'voc07' | 'voc10',
  voc: { iouThreshold: number; mAP: number; perClass: readonly { name: string; AP: number; positives: number }[] },
): string[] {
  const name = rule === 'voc07' ? 'VOC 2007, 11 points' : 'VOC 2010, area';
  return [
    `${name}, IoU above ${voc.iouThreshold}: mAP ${percent(voc.mAP)}`,
    ...table([['class', 'AP', 'objects'], ...voc.perClass.map((own) => [own.name, percent(own.AP), own.positives])]),
  ];
}

export function lvisLines(lvis: LvisMetrics): string[] {
  const names = Object.keys(lvis) as (keyof LvisMetrics)[];
  return [
    'LVIS, percent',
    ...table([
      ['', ...names],
      ['', ...names.map((name) => percent(lvis[name]))],
    ]),
  ];
}

/** The whole matrix for few classes; of many the commonest confusions. */
export function confusionLines({ labels, counts, minScore, iouThreshold }: ConfusionResult): string[] {
  const title = `confusion of objects (rows) with detections (columns), score above ${minScore}, IoU above ${iouThreshold}`;
  if (labels.length <= 12) return [title, ...table([['', ...labels], ...counts.map((row, i) => [labels[i], ...row])])];
  const pairs = counts.flatMap((row, i) => row.map((count, j) => ({ count, i, j }))).filter(({ i, j }) => i !== j);
  const common = pairs.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  return [
    `${title}: the 15 commonest mistakes`,
    ...table([
      ['object', 'detected as', 'number'],
      ...common.slice(0, 15).map(({ count, i, j }) => [labels[i], labels[j], count]),
    ]),
  ];
}

export function curveLines({ pooled, perClass, iouThreshold }: ScoreCurves): string[] {
  const row = (name: string, { threshold, precision, recall, f1 }: OperatingPoint) => [
    name,
    score(threshold),
    ...[precision, recall, f1].map((value) => percent(value)),
  ];
  return [
    `best F1 over score at IoU ${iouThreshold}, percent`,
    ...table([
      ['class', 'threshold', 'precision', 'recall', 'F1'],
      ...(pooled ? [row('all together', pooled.best)] : []),
      ...perClass.map(({ name, best }) => row(name, best)),
    ]),
  ];
}

export function calibrationLines({ dEce, laEce, maxError, bins, iouThreshold }: CalibrationResult): string[] {
  const filled = bins.filter(({ detections }) => detections > 0);
  return [
    `calibration at IoU ${iouThreshold}, percent: D-ECE ${percent(dEce)}, LaECE ${percent(laEce)}, largest ${percent(maxError)}`,
    ...table([
      ['score', 'detections', 'mean score', 'precision'],
      ...filled.map(({ from, to, detections, meanScore, precision }) => {
        return [`${from.toFixed(2)}–${to.toFixed(2)}`, detections, percent(meanScore), percent(precision)];
      }),
    ]),
  ];
}

export function breakdownLines({ sizes, aspects }: Breakdown): string[] {
  const row = ({ name, positives, AP, AP50, recall, recall50 }: RangeFigures) => {
    return [name, positives, ...[AP, AP50, recall, recall50].map((value) => percent(value))];
  };
  const head = ['objects', 'AP', 'AP50', 'recall', 'recall50'];
  return [
    'by size and by width over height, percent',
    ...table([['size', ...head], ...sizes.map(row), ['shape', ...head], ...aspects.map(row)]),
  ];
}

export function bootstrapLines({
  AP,
  byThreshold,
  perClass,
  confidence,
  resamples,
  pictures,
}: BootstrapResult): string[] {
  const title = `${100 * confidence} % intervals from ${resamples} draws of ${pictures} pictures, percent`;
  if (!AP) return [title, 'no object, no figure'];
  return [
    title,
    ...table([
      ['', 'value', 'interval'],
      ['AP', ...intervalOf(AP)],
      ...byThreshold.map((own) => [`AP at ${own.iouThreshold.toFixed(2)}`, ...intervalOf(own)]),
      ...perClass.map((own) => [own.name, ...intervalOf(own)]),
    ]),
  ];
}

export function comparisonLines(comparison: ComparisonResult): string[] {
  const { a, b, difference, p, confidence, permutations, better, worse, same, withoutTruth } = comparison;
  if (!difference) return ['there is no object: nothing to compare'];
  const { value, low, high } = difference;
  const chance = p <= 0.05 ? 'more than chance would explain' : 'no more than chance may explain';
  const changed = (name: string, pictures: readonly PictureChange[]) =>
    pictures.length === 0
      ? []
      : [
          '',
          ...table([[name, 'A', 'B'], ...pictures.slice(0, 10).map((own) => [own.id, percent(own.a), percent(own.b)])]),
        ];
  return [
    `AP of A (--detections) ${percent(a)}, of B (--against) ${percent(b)}; difference ${signed(value)}, ${100 * confidence} % interval ${signed(low)} to ${signed(high)}`,
    `p = ${p.toFixed(3)} by ${permutations} random exchanges of A and B: ${chance}.`,
    'It speaks of these two results on pictures like these, not of another training run of either.',
    `With B ${better} pictures are better, ${worse} worse, ${same} the same; of ${withoutTruth.pictures} without objects ${withoutTruth.better} better, ${withoutTruth.worse} worse.`,
    ...changed('most improved, AP', comparison.mostImproved),
    ...changed('most worsened, AP', comparison.mostWorsened),
  ];
}
