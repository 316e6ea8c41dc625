// What a run's page says of its steps and epochs: curves of learning, and of speed and memory.
import type { ChartSheet } from '../page/chart-sheet.js';
import { percent } from '../page/fractions.js';
import { folded, short, table } from '../page/html.js';
import type { LineChart, Series } from '../page/line-chart.js';
import type { RunRecord } from './run-record.js';
import { medianOf, type SeriesPoint } from './step-series.js';

/** Loss, precision by epoch, learning rate and gradient. */
export function curvesSection(record: RunRecord, charts: ChartSheet): string {
  const points = record.steps.points();
  const names = [...new Set(points.flatMap(({ values }) => Object.keys(values)))];
  const parts = names.filter((name) => name.startsWith('loss/'));
  const { stepsPerPoint } = record.steps;
  const mean = stepsPerPoint > 1 ? ` Each point is the mean of ${stepsPerPoint} steps.` : '';
  const first = points[0]?.values.loss;
  const last = points.at(-1)?.values.loss;
  const lossSummary = first === undefined || last === undefined ? '' : `From ${short(first)} to ${short(last)}.${mean}`;
  const epochs = { label: 'epoch' };
  const rates = points.map(({ values }) => values.learning_rate).filter((rate) => rate !== undefined);
  const best = record.best;
  const bestSummary = best
    ? `AP is best after epoch ${best.epoch}: ${percent(best.metrics.AP)}, with AP50 ${percent(best.metrics.AP50)}.`
    : '';
  const metric = (name: string): Series => ({
    name,
    points: record.evaluations.map(
      ({ epoch, metrics }) => [epoch, metrics[name] >= 0 ? 100 * metrics[name] : Number.NaN] as const,
    ),
  });
  return charts.draw(
    {
      id: 'loss',
      title: 'Loss',
      summary: lossSummary,
      x: { label: 'step' },
      y: { label: 'loss', log: true },
      series: [
        lineOf(points, 'loss', 'total'),
        ...(parts.length > 1 ? parts.map((part) => lineOf(points, part, part.slice(5))) : []),
      ],
    },
    {
      id: 'precision',
      title: 'Precision on the validation part',
      summary: bestSummary,
      x: epochs,
      y: { label: 'percent', from: 0 },
      series: ['AP', 'AP50', 'AP75'].map(metric),
      dots: true,
    },
    {
      id: 'by-size',
      title: 'Precision and recall by size of objects',
      summary: 'COCO’s sizes: small up to 32², medium up to 96² square pixels, large beyond.',
      x: epochs,
      y: { label: 'percent', from: 0 },
      series: [
        ['APs', 'AP small'],
        ['APm', 'AP medium'],
        ['APl', 'AP large'],
        ['AR100', 'AR'],
        ['ARs', 'AR small'],
        ['ARm', 'AR medium'],
        ['ARl', 'AR large'],
      ].map(([key, name], i) => ({ ...metric(key), name, hidden: i > 3 })),
      dots: true,
    },
    {
      id: 'rate',
      title: 'Learning rate',
      summary: rates.length > 0 ? `At most ${short(Math.max(...rates))}.` : '',
      x: { label: 'step' },
      y: { label: 'rate', from: 0 },
      series: [lineOf(points, 'learning_rate', 'learning rate')],
    },
    {
      id: 'gradient',
      title: 'Length of the gradient',
      summary: `Before it is clipped.${mean}`,
      x: { label: 'step' },
      y: { label: 'length', log: true },
      // Without an update there is no gradient to tell of.
      series: [
        {
          ...lineOf(points, 'gradient_norm', 'gradient'),
          points: lineOf(points, 'gradient_norm', '').points.filter(([, y]) => y > 0),
        },
      ],
    },
  );
}

/** Pictures a second, waiting and memory; empty before the first step. */
export function speedSection(record: RunRecord, charts: ChartSheet): string {
  const points = record.steps.points();
  if (points.length === 0) return '';
  const usual = medianOf(points, 'pictures_per_second');
  const memory = record.evaluations.flatMap(({ step, peakMemory }) =>
    peakMemory ? [[step, peakMemory / 2 ** 20] as const] : [],
  );
  const waiting = lineOf(points, 'waiting', 'waiting').points.map(([x, y]) => [x, 100 * y] as const);
  const drawn: LineChart[] = [
    {
      id: 'pace',
      title: 'Pictures a second',
      summary: `The median is ${usual === undefined ? 'not known' : short(usual)}; evaluations are left out.`,
      x: { label: 'step' },
      y: { label: 'pictures a second', from: 0 },
      series: [lineOf(points, 'pictures_per_second', 'pictures a second')],
    },
    {
      id: 'waiting',
      title: 'Waiting for pictures',
      summary:
        'The part of the time that steps wait for pictures to be loaded: above a few percent, more workers help.',
      x: { label: 'step' },
      y: { label: 'percent', from: 0, ...(waiting.every(([, y]) => y < 5) ? { to: 5 } : {}) },
      series: [{ name: 'waiting', points: waiting }],
    },
  ];
  if (memory.length > 0)
    drawn.push({
      id: 'memory',
      title: 'Peak memory',
      summary: `At most ${short(Math.max(...memory.map(([, y]) => y)))} MiB of the process, evaluations included.`,
      x: { label: 'step' },
      y: { label: 'MiB', from: 0 },
      series: [{ name: 'peak memory', points: memory }],
      dots: true,
    });
  const times = record.evaluations.map(({ epoch, seconds }) => [epoch, seconds.toFixed(1)]);
  const evaluations =
    times.length > 0
      ? `<div class="card">${folded('Time of evaluations', table('Seconds of each evaluation', ['epoch', 'seconds'], times))}</div>`
      : '';
  return `${charts.draw(...drawn)}${evaluations}`;
}

function lineOf(points: readonly SeriesPoint[], key: string, name: string): Series {
  return { name, points: points.map(({ step, values }) => [step, values[key] ?? Number.NaN] as const) };
}
