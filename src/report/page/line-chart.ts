import { escapeHtml, folded, short, table } from './html.js';
import { linearTicks, logTicks } from './ticks.js';

/** A line of a chart. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Not drawn until asked for, where there are too many lines. */
  readonly hidden?: boolean;
  /** Which of the page's colours; its place in the chart by default. */
  readonly colour?: number;
}

/** What an axis tells, and how far it goes. */
export interface Axis {
  readonly label: string;
  /** Ends of the axis; by default those of the data, from 0 if they are not far from it. */
  readonly from?: number;
  readonly to?: number;
}

/** Lines over a common axis, to be drawn. */
export interface LineChart {
  readonly id: string;
  readonly title: string;
  /** What is seen, in a sentence, for those who do not see it. */
  readonly summary: string;
  readonly x: Axis;
  /** Logarithmic where the values are far apart, if `log` is set. */
  readonly y: Axis & { readonly log?: boolean };
  readonly series: readonly Series[];
  /** Dots where there are few values. */
  readonly dots?: boolean;
  /** A faint line from the lower left to the upper right, for what should be equal. */
  readonly diagonal?: boolean;
}

/** A chart as HTML, and what the page's script reads values off. */
export interface DrawnChart {
  readonly html: string;
  readonly data: ChartData;
}

/** A drawn chart's axes and values, for the page's script. */
export interface ChartData {
  readonly x: readonly [from: number, to: number];
  readonly y: readonly [from: number, to: number];
  readonly log: boolean;
  readonly xLabel: string;
  readonly series: readonly { readonly name: string; readonly points: readonly (readonly [number, number])[] }[];
}

/** Size of the drawing in its own units; on the page it is as wide as its column, on a phone about as large as this. */
export const chartSize = { width: 420, height: 250, left: 50, right: 12, top: 26, bottom: 38 };

/** Rows of the table behind a chart. */
const mostRows = 40;

/** Lines over a common axis as SVG, with a legend that switches them, and a table behind it. */
export function lineChart(chart: LineChart): DrawnChart {
  const series = chart.series.map((one) => ({
    ...one,
    points: one.points.filter(([x, y]) => isDrawn(x) && isDrawn(y)),
  }));
  const xs = series.flatMap(({ points }) => points.map(([x]) => x));
  const ys = series.flatMap(({ points }) => points.map(([, y]) => y));
  const log = chart.y.log === true && ys.length > 0 && Math.min(...ys) > 0 && Math.max(...ys) > 20 * Math.min(...ys);
  const x = range(chart.x, xs);
  const y = log ? ([Math.min(...ys), Math.max(...ys)] as const) : padded(chart.y, ys);
  const data = { x, y, log, xLabel: chart.x.label, series: series.map(({ name, points }) => ({ name, points })) };
  const place = placer(data);
  const { width, height } = chartSize;
  const [title, about] = [`${chart.id}-title`, `${chart.id}-about`];
  const empty = xs.length === 0;
  const lines = series.map((one, i) => line(one, i, place, chart.dots === true)).join('');
  const svg = `<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${title} ${about}">${axes(chart, data, place)}${
    chart.diagonal ? diagonal(data, place) : ''
  }${lines}<g class="cursor" hidden><line y1="${chartSize.top}" y2="${height - chartSize.bottom}"/></g></svg>`;
  const plot = `<div class="plot" data-chart="${chart.id}" tabindex="0" role="group" aria-label="${escapeHtml(
    `${chart.title}: arrow keys read values`,
  )}">${svg}</div>`;
  const html = `<figure id="${chart.id}"><figcaption><h3 id="${title}">${escapeHtml(chart.title)}</h3><p id="${about}" class="about">${escapeHtml(
    empty ? 'Nothing to show yet.' : `${chart.summary}${log ? ' The scale is logarithmic.' : ''}`,
  )}</p></figcaption>${empty ? '' : `${plot}<p class="readout" role="status"></p>${legend(series)}${behind(chart, series)}`}</figure>`;
  return { html, data };
}

function isDrawn(value: number): boolean {
  return Number.isFinite(value);
}

function range({ from, to }: Axis, values: readonly number[]): readonly [number, number] {
  const low = from ?? values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = to ?? values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  if (!(high > low)) return Number.isFinite(low) ? [low - 0.5, low + 0.5] : [0, 1];
  return [low, high];
}

function padded(axis: Axis, values: readonly number[]): readonly [number, number] {
  const [low, high] = range(axis, values);
  const from = axis.from ?? (low > 0 && low < 0.6 * high ? 0 : low - 0.04 * (high - low));
  return [from, axis.to ?? high + 0.04 * (high - from)];
}

type Placer = (x: number, y: number) => readonly [number, number];

function placer({ x, y, log }: Pick<ChartData, 'x' | 'y' | 'log'>): Placer {
  const { width, height, left, right, top, bottom } = chartSize;
  const scale = log ? Math.log : (value: number) => value;
  const [y0, y1] = [scale(y[0]), scale(y[1])];
  return (px, py) => [
    left + ((px - x[0]) / (x[1] - x[0])) * (width - left - right),
    height - bottom - ((scale(py) - y0) / (y1 - y0)) * (height - top - bottom),
  ];
}

function axes(chart: LineChart, data: ChartData, place: Placer): string {
  const { width, height, left, right, bottom } = chartSize;
  const ys = data.log ? logTicks(data.y[0], data.y[1]) : linearTicks(data.y[0], data.y[1], 5);
  const xs = linearTicks(data.x[0], data.x[1], 5);
  const horizontal = ys.map((value) => {
    const y = place(data.x[0], value)[1].toFixed(1);
    return `<line class="grid" x1="${left}" x2="${width - right}" y1="${y}" y2="${y}"/><text x="${left - 6}" y="${y}" dy="0.32em" text-anchor="end">${short(value)}</text>`;
  });
  const vertical = xs.map((value) => {
    const x = place(value, data.y[0])[0].toFixed(1);
    return `<line class="tick" x1="${x}" x2="${x}" y1="${height - bottom}" y2="${height - bottom + 4}"/><text x="${x}" y="${height - bottom + 16}" text-anchor="middle">${tickText(value)}</text>`;
  });
  const base = `<line class="axis" x1="${left}" x2="${width - right}" y1="${height - bottom}" y2="${height - bottom}"/>`;
  const names = `<text class="name" x="${(left + width - right) / 2}" y="${height - 5}" text-anchor="middle">${escapeHtml(chart.x.label)}</text><text class="name" x="2" y="12">${escapeHtml(chart.y.label)}</text>`;
  return `<g aria-hidden="true">${horizontal.join('')}${vertical.join('')}${base}${names}</g>`;
}

/** 12000 as 12k: steps of long runs stand close. */
function tickText(value: number): string {
  return value >= 10_000 && value % 1000 === 0 ? `${value / 1000}k` : short(value);
}

function diagonal(data: ChartData, place: Placer): string {
  const [x1, y1] = place(data.x[0], data.y[0]);
  const [x2, y2] = place(data.x[1], data.y[1]);
  return `<line class="diagonal" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;
}

/** Eight colours, and beyond them the same with dashes. */
function seriesClass(colour: number): string {
  return `s${colour % 8} d${Math.floor(colour / 8) % 3}`;
}

function line({ points, hidden, colour }: Series, index: number, place: Placer, dots: boolean): string {
  const at = points.map(([x, y]) =>
    place(x, y)
      .map((value) => value.toFixed(1))
      .join(' '),
  );
  const path = at.length > 1 ? `<path d="M${at.join('L')}"/>` : '';
  const marks =
    dots || at.length === 1
      ? at.map((position) => `<circle cx="${position.split(' ')[0]}" cy="${position.split(' ')[1]}" r="3"/>`).join('')
      : '';
  return `<g class="series ${seriesClass(colour ?? index)}" data-series="${index}"${hidden ? ' hidden' : ''}>${path}${marks}</g>`;
}

function legend(series: readonly Series[]): string {
  if (series.length < 2) return '';
  const items = series.map(({ name, hidden, colour }, i) => {
    const swatch = `<svg viewBox="0 0 24 8" aria-hidden="true" class="series ${seriesClass(colour ?? i)}"><path d="M0 4L24 4"/></svg>`;
    return `<li><button type="button" aria-pressed="${!hidden}" data-series="${i}">${swatch}${escapeHtml(name)}</button></li>`;
  });
  return `<ul class="legend" aria-label="Lines">${items.join('')}</ul>`;
}

/** The values as a table; of many, every so many-th and the last. */
function behind({ title, x }: LineChart, series: readonly Series[]): string {
  const values = new Map<number, (number | undefined)[]>();
  series.forEach(({ points }, i) => {
    for (const [px, py] of points) {
      const row = values.get(px) ?? new Array<number | undefined>(series.length).fill(undefined);
      row[i] = py;
      values.set(px, row);
    }
  });
  const rows = [...values].sort(([a], [b]) => a - b);
  const every = Math.ceil(rows.length / mostRows);
  const shown = rows.filter((_, i) => i % every === 0 || i === rows.length - 1);
  const cells = shown.map(([px, row]) => [short(px), ...row.map((value) => (value === undefined ? '' : short(value)))]);
  const caption = every > 1 ? `${title}, ${shown.length} of ${rows.length} values` : title;
  return folded('Table', table(caption, [x.label, ...series.map(({ name }) => name)], cells), title);
}
