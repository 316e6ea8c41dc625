import { ChartSheet } from '../page/chart-sheet.js';
import { duration } from '../page/duration.js';
import { percent } from '../page/fractions.js';
import { gallery, type Thumbnail } from '../page/gallery.js';
import { escapeHtml, short } from '../page/html.js';
import { writePage } from '../page/page.js';
import type { Environment } from './environment.js';
import { type EvaluationDetails, thresholdsOf } from './evaluation-details.js';
import type { RunData } from './part-figures.js';
import { classesSection } from './run-classes.js';
import { curvesSection, speedSection } from './run-curves.js';
import { dataSection } from './run-data.js';
import { errorsSection } from './run-errors.js';
import type { RunRecord } from './run-record.js';
import { settingsSection } from './run-settings.js';
import { medianOf } from './step-series.js';

/** What a run's page is made of. */
export interface RunPage {
  readonly name: string;
  /** The run's `config.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly record: RunRecord;
  /** How an error ended the run. */
  readonly failure?: string;
  readonly data?: RunData;
  readonly environment?: Environment;
  /** Of the best evaluation so far: that of the weights that are kept to be used. */
  readonly details?: EvaluationDetails;
  /** By the paths of pictures. */
  readonly thumbnails: ReadonlyMap<string, Thumbnail>;
  /** How far the page knows the run. */
  readonly written: Date;
}

/** The whole page of a run as it stands. */
export function runPage(run: RunPage): string {
  const { record, details, data, config, environment } = run;
  const charts = new ChartSheet();
  const thresholds = thresholdsOf(details?.curves ?? []);
  const sections = [
    { id: 'curves', title: 'Curves', html: curvesSection(record, charts) },
    { id: 'classes', title: 'Classes', html: classesSection(record, details, data, charts) },
    { id: 'errors', title: 'Errors', html: errorsSection(details) },
    { id: 'pictures', title: 'Worst pictures', html: pictures(run, thresholds) },
    { id: 'speed', title: 'Speed and memory', html: speedSection(record, charts) },
    { id: 'data', title: 'Data', html: dataSection(data) },
    { id: 'settings', title: 'Settings', html: settingsSection(config, record, environment) },
    { id: 'warnings', title: 'Warnings', html: warnings(record) },
  ].filter(({ html }) => html !== '');
  return writePage({ title: run.name, lead: lead(run), sections, data: { charts: charts.data, thresholds } });
}

function lead({ config, record, failure, written }: RunPage): string {
  const { best, step, end, evaluations } = record;
  const last = evaluations.at(-1);
  const at = step ? ` at step ${step.step} of ${step.steps}, epoch ${step.epoch}` : ', before the first step';
  const ended = failure ? 'Failed' : end && (end.reason === 'completed' ? 'Completed' : 'Stopped');
  const tile = (name: string, value: string, note = '') =>
    `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}${note && `<small>${escapeHtml(note)}</small>`}</dd></div>`;
  const metric = (name: string) =>
    tile(name, best ? percent(best.metrics[name]) : '–', best ? `best, epoch ${best.epoch}` : 'not evaluated yet');
  const speed = medianOf(record.steps.points(), 'pictures_per_second');
  const memory = record.evaluations.reduce((most, { peakMemory }) => Math.max(most, peakMemory ?? 0), 0);
  const tiles = [
    metric('AP'),
    metric('AP50'),
    metric('AP75'),
    ...(step ? [tile('Loss', short(step.loss), 'last step')] : []),
    ...(speed === undefined ? [] : [tile('Speed', `${Number(speed.toPrecision(3))}`, 'pictures a second, median')]),
    ...(end ? [tile('Time', duration(end.seconds), record.resumed ? 'since it went on' : 'in all')] : []),
    ...(memory ? [tile('Memory', `${(memory / 2 ** 30).toFixed(2)} GiB`, 'at its highest')] : []),
  ];
  const model = typeof config.model === 'string' ? config.model : '';
  const why = failure ? `<p class="card" role="alert">${escapeHtml(failure)}</p>` : '';
  const note =
    last && best && last !== best
      ? ` The last evaluation, after epoch ${last.epoch}: AP ${percent(last.metrics.AP)}, AP50 ${percent(last.metrics.AP50)}.`
      : '';
  return `<p class="lead">${escapeHtml(model)}. Figures of precision are percent.${escapeHtml(note)}</p><p><span class="state">${escapeHtml(`${ended ?? 'Running'}${at}`)}${ended ? '' : `; this page is as of ${moment(written)}`}</span>${ended ? '' : follow}</p>${why}<dl class="tiles">${tiles.join('')}</dl>`;
}

/** A time that the page's script adds to how long ago it is. */
function moment(time: Date): string {
  const text = `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return `<time datetime="${time.toISOString()}">${text}</time>`;
}

/** Shown by the page's script, which does it: whoever reads may want the page to stay as it is. */
const follow =
  '<label class="follow" hidden><input type="checkbox" name="follow" checked>Load again every minute</label>';

function pictures({ details, thumbnails }: RunPage, thresholds: readonly number[]): string {
  if (!details) return '';
  if (details.pictures.length === 0) return '<p class="card">There is nothing wrong to show.</p>';
  const names = details.curves.map(({ name }) => name);
  const about = `<p class="note">After epoch ${details.epoch}, the pictures with the most missed objects, the surest false detections and the worst placed ones, at an IoU of 0.5.</p>`;
  return `${about}${gallery(details.pictures, thumbnails, names, thresholds)}`;
}

function warnings({ warnings: told, warningCount }: RunRecord): string {
  if (warningCount === 0) return '';
  const more = warningCount > told.length ? `<p>… and ${warningCount - told.length} more, in events.jsonl.</p>` : '';
  return `<div class="card"><ul>${told.map((message) => `<li>${escapeHtml(message)}</li>`).join('')}</ul>${more}</div>`;
}
