import type { ChartSheet } from '../page/chart-sheet.js';
import { percent } from '../page/fractions.js';
import { table } from '../page/html.js';
import type { LineChart, Series } from '../page/line-chart.js';
import type { EvaluationDetails } from './evaluation-details.js';
import type { RunData } from './part-figures.js';
import type { RunRecord } from './run-record.js';

/** Lines that are seen at first: more are a thicket. */
const mostCurves = 8;

/** The classes at the best evaluation, as a table and as curves over recall and score. */
export function classesSection(
  record: RunRecord,
  details: EvaluationDetails | undefined,
  data: RunData | undefined,
  charts: ChartSheet,
): string {
  const { best: judged } = record;
  if (!judged) return '<p class="card">Not evaluated yet.</p>';
  const names = judged.perClass.map(({ name }) => name);
  const curveOf = new Map(details?.curves.map((curve) => [curve.name, curve]));
  const objects = new Map(data?.classes.map((name, k) => [name, data.parts.at(-1)?.objectsPerClass[k]]));
  const rows = judged.perClass.map(({ name, AP, AP50 }) => {
    const { best, lrp } = curveOf.get(name) ?? {};
    return [
      name,
      objects.get(name) ?? '',
      percent(AP),
      percent(AP50),
      best ? best.threshold.toFixed(2) : '–',
      percent(best?.precision),
      percent(best?.recall),
      percent(best?.f1),
      percent(lrp?.oLRP),
      lrp?.threshold == null ? '–' : lrp.threshold.toFixed(2),
    ];
  });
  const head = [
    'Class',
    'Objects',
    'AP',
    'AP50',
    'Best threshold',
    'Precision',
    'Recall',
    'F1',
    'oLRP',
    'its threshold',
  ];
  const all = [percent(judged.metrics.AP), percent(judged.metrics.AP50), '', '', '', '', percent(details?.oLRP), ''];
  const foot = ['All', '', ...all];
  const caption = `Classes after epoch ${judged.epoch}, the best so far`;
  const about =
    '<p class="note">The threshold of best F1 is the score from which on precision and recall of the class balance best, at an IoU of 0.5; the three figures beside it are those with it. oLRP (Oksuz et al. 2021) is an error, 0 at best: it counts how exactly boxes are placed, too, at the threshold where it is least, which the best checkpoint keeps.</p>';
  const shown = new Set(names.toSorted((a, b) => (objects.get(b) ?? 0) - (objects.get(a) ?? 0)).slice(0, mostCurves));
  const series = (details?.curves ?? []).map(({ name, precision }, k) => ({
    name,
    // A line ends with the recall that is reached.
    points: precision.flatMap((value, r) => (value > 0 ? [[r, 100 * value] as const] : [])),
    hidden: !shown.has(name),
    colour: k,
  }));
  const chart = details
    ? charts.draw(precisionByRecall(details, series), byThreshold(details), reliability(details))
    : '';
  return `<div class="card wide-table">${table(caption, head, rows, foot)}${about}</div>${chart}`;
}

function precisionByRecall({ epoch, curves }: EvaluationDetails, series: readonly Series[]): LineChart {
  const some = ` Of ${curves.length} classes, the ${mostCurves} with most objects are shown at first.`;
  return {
    id: 'precision-recall',
    title: 'Precision by recall',
    summary: `After epoch ${epoch}, at an IoU of 0.5: the further a line reaches to the upper right, the better.${curves.length > mostCurves ? some : ''}`,
    x: { label: 'recall, percent', from: 0, to: 100 },
    y: { label: 'precision, percent', from: 0, to: 100 },
    series,
  };
}

function byThreshold({ operatingPoints }: EvaluationDetails): LineChart {
  const line = (name: string, key: 'precision' | 'recall' | 'f1') => ({
    name,
    points: operatingPoints.map((point) => [point.threshold, 100 * point[key]] as const),
  });
  return {
    id: 'thresholds',
    title: 'Precision and recall by threshold',
    summary: 'All classes together, at an IoU of 0.5: what is right and what is found of detections from a score on.',
    x: { label: 'least score', from: 0, to: 1 },
    y: { label: 'percent', from: 0, to: 100 },
    series: [line('precision', 'precision'), line('recall', 'recall'), line('F1', 'f1')],
  };
}

function reliability({ calibration }: EvaluationDetails): LineChart {
  const points = calibration.bins.flatMap(({ meanScore, precision }) =>
    meanScore === null || precision === null ? [] : [[100 * meanScore, 100 * precision] as const],
  );
  const error =
    calibration.dEce === null ? '' : ` Their mean distance from it (D-ECE) is ${percent(calibration.dEce)}.`;
  return {
    id: 'reliability',
    title: 'How far scores are probabilities',
    summary: `Of detections with a score, the part that is right; on the dotted line the score says it.${error}`,
    x: { label: 'score, percent', from: 0, to: 100 },
    y: { label: 'right, percent', from: 0, to: 100 },
    series: [{ name: 'right', points }],
    dots: true,
    diagonal: true,
  };
}
