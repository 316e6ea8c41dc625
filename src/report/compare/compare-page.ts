import { ChartSheet } from '../page/chart-sheet.js';
import { percent, signed } from '../page/fractions.js';
import { escapeHtml, short, table } from '../page/html.js';
import type { LineChart, Series } from '../page/line-chart.js';
import { writePage } from '../page/page.js';
import type { StoredRun } from '../run/run-files.js';
import type { RunRecord } from '../run/run-record.js';
import type { Comparison, Pair } from './comparison.js';

/** Where each line ends, in words. */
function ends(series: readonly Series[]): string {
  const told = series.flatMap(({ name, points }) => {
    const last = points.findLast(([, y]) => Number.isFinite(y));
    return last ? [`${name} ends at ${short(last[1])}`] : [];
  });
  return told.length > 0 ? `${told.join(', ')}.` : '';
}

/** Two runs on a page: settings that differ, figures side by side, curves over each other. */
export function comparePage(runs: readonly [StoredRun, StoredRun], comparison: Comparison): string {
  const names = runs.map(({ name }) => name);
  const charts = new ChartSheet();
  const told = curves(runs).map((chart) => ({ ...chart, summary: ends(chart.series) }));
  const head = ['', ...names, 'difference'];
  const figures = comparison.metrics.map(pairRow);
  const classes = comparison.perClass.map((own) => [...pairRow(own), ...pairRow(own.AP50).slice(1)]);
  const settings = comparison.settings.map(({ name, values }) => [name, ...values.map((value) => value ?? '–')]);
  const card = (html: string, kind = '') => `<div class="card ${kind}">${html}</div>`;
  const sections = [
    {
      id: 'settings',
      title: 'Settings that differ',
      html: card(
        settings.length > 0
          ? table('Settings that differ', ['Setting', ...names], settings)
          : 'All settings are equal.',
        'text',
      ),
    },
    {
      id: 'figures',
      title: 'Figures',
      html: card(
        table('Figures of the best evaluations, percent', ['Figure', ...head.slice(1)], figures),
        'wide-table',
      ),
    },
    {
      id: 'classes',
      title: 'Classes',
      html: card(
        table(
          'AP of each class at the best evaluations, percent',
          [
            'Class',
            ...names.map((name) => `AP ${name}`),
            'difference',
            ...names.map((name) => `AP50 ${name}`),
            'difference',
          ],
          classes,
        ),
        'wide-table',
      ),
    },
    { id: 'curves', title: 'Curves', html: charts.draw(...told) },
  ];
  const best = comparison.runs.map(({ name, bestEpoch }) =>
    bestEpoch === null ? `${name} was not evaluated` : `${name} was best after epoch ${bestEpoch}`,
  );
  return writePage({
    title: names.join(' and '),
    lead: `<p class="lead">${escapeHtml(`${best.join('; ')}. A difference is the second run's figure minus the first's.`)}</p>`,
    sections,
    data: { charts: charts.data },
  });
}

function pairRow({ name, values, difference }: Pair): string[] {
  return [name, ...values.map((value) => percent(value)), signed(difference)];
}

function curves(runs: readonly [StoredRun, StoredRun]): Omit<LineChart, 'summary'>[] {
  const series = (points: (record: RunRecord) => Series['points']) =>
    runs.map(({ name, record }) => ({ name, points: points(record) }));
  const step = (key: string) => (record: RunRecord) =>
    record.steps.points().map(({ step, values }) => [step, values[key] ?? Number.NaN] as const);
  const metric = (key: string) => (record: RunRecord) =>
    record.evaluations.map(
      ({ epoch, metrics }) => [epoch, metrics[key] >= 0 ? 100 * metrics[key] : Number.NaN] as const,
    );
  const parts = [...new Set(runs.flatMap(({ record }) => Object.keys(record.steps.points()[0]?.values ?? {})))].filter(
    (key) => key.startsWith('loss/'),
  );
  const byEpoch = { x: { label: 'epoch' }, y: { label: 'percent', from: 0 }, dots: true };
  const byStep = { x: { label: 'step' } };
  return [
    ...['AP', 'AP50', 'AP75'].map((key) => ({
      ...byEpoch,
      id: key,
      title: key,
      series: series(metric(key)),
    })),
    { ...byStep, id: 'loss', title: 'Loss', y: { label: 'loss', log: true }, series: series(step('loss')) },
    ...parts.map((key, i) => ({
      ...byStep,
      id: `part-${i}`,
      title: `Loss: ${key.slice(5)}`,
      y: { label: 'loss', log: true },
      series: series(step(key)),
    })),
    {
      ...byStep,
      id: 'rate',
      title: 'Learning rate',
      y: { label: 'rate', from: 0 },
      series: series(step('learning_rate')),
    },
    {
      ...byStep,
      id: 'pace',
      title: 'Pictures a second',
      y: { label: 'pictures a second', from: 0 },
      series: series(step('pictures_per_second')),
    },
  ];
}
