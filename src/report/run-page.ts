import type { TideError } from '../evaluate/index.js';
import { barTable } from './bar-table.js';
import { confusionTable } from './confusion-table.js';
import type { DataCard, PartCard, Spread } from './data-card.js';
import { duration } from './duration.js';
import type { Environment } from './environment.js';
import { type EvaluationDetails, thresholdsOf } from './evaluation-details.js';
import { gallery, type Thumbnail } from './gallery.js';
import { escapeHtml, folded, percent, short, table } from './html.js';
import { type ChartData, type DrawnChart, lineChart, type Series } from './line-chart.js';
import { writePage } from './page.js';
import type { RunRecord } from './run-record.js';
import type { SeriesPoint } from './step-series.js';

/** What a run's page is made of. */
export interface RunPage {
  readonly name: string;
  /** The run's `config.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly record: RunRecord;
  /** How an error ended the run. */
  readonly failure?: string;
  readonly data?: DataCard;
  readonly environment?: Environment;
  /** Of the best evaluation so far: that of the weights that are kept to be used. */
  readonly details?: EvaluationDetails;
  /** By the paths of pictures. */
  readonly thumbnails: ReadonlyMap<string, Thumbnail>;
  readonly written: Date;
}

/** The whole page of a run as it stands. */
export function runPage(run: RunPage): string {
  const charts: Record<string, ChartData> = {};
  const draw = (...all: readonly Parameters<typeof lineChart>[0][]) => {
    const drawn = all.map((chart): [string, DrawnChart] => [chart.id, lineChart(chart)]);
    for (const [id, { data }] of drawn) charts[id] = data;
    return `<div class="charts">${drawn.map(([, { html }]) => html).join('')}</div>`;
  };
  const thresholds = thresholdsOf(run.details?.curves ?? []);
  const sections = [
    { id: 'curves', title: 'Curves', html: curves(run, draw) },
    { id: 'classes', title: 'Classes', html: classes(run, draw) },
    { id: 'errors', title: 'Errors', html: errors(run.details) },
    { id: 'pictures', title: 'Worst pictures', html: pictures(run, thresholds) },
    { id: 'speed', title: 'Speed and memory', html: speed(run, draw) },
    { id: 'data', title: 'Data', html: dataCard(run.data) },
    { id: 'settings', title: 'Settings', html: settings(run) },
    { id: 'warnings', title: 'Warnings', html: warnings(run.record) },
  ].filter(({ html }) => html !== '');
  return writePage({ title: run.name, lead: lead(run), sections, data: { charts, thresholds } });
}

type Draw = (...charts: readonly Parameters<typeof lineChart>[0][]) => string;

function lead({ config, record, failure, written }: RunPage): string {
  const { best, step, end, evaluations } = record;
  const last = evaluations.at(-1);
  const at = step ? ` at step ${step.step} of ${step.steps}, epoch ${step.epoch}` : ', before the first step';
  const time = `${written.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const ended = failure ? 'Failed' : end && (end.reason === 'completed' ? 'Completed' : 'Stopped');
  const state = ended ? `${ended}${at}` : `Running${at}; this page is as of ${time}`;
  const tile = (name: string, value: string, note = '') =>
    `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}${note && `<small>${escapeHtml(note)}</small>`}</dd></div>`;
  const metric = (name: string) =>
    tile(name, best ? percent(best.metrics[name]) : '–', best ? `best, epoch ${best.epoch}` : 'not evaluated yet');
  const speed = median(record.steps.points().flatMap(({ values }) => values.pictures_per_second ?? []));
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
  return `<p class="lead">${escapeHtml(model)}. Figures of precision are percent.${escapeHtml(note)}</p><p><span class="state">${escapeHtml(state)}</span></p>${why}<dl class="tiles">${tiles.join('')}</dl>`;
}

function curves({ record }: RunPage, draw: Draw): string {
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
  return draw(
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

function lineOf(points: readonly SeriesPoint[], key: string, name: string): Series {
  return { name, points: points.map(({ step, values }) => [step, values[key] ?? Number.NaN] as const) };
}

/** Lines that are seen at first: more are a thicket. */
const mostCurves = 8;

function classes({ record, details, data }: RunPage, draw: Draw): string {
  const { best: judged } = record;
  if (!judged) return '<p class="card">Not evaluated yet.</p>';
  const names = Object.keys(judged.perClass);
  const curveOf = new Map(details?.curves.map((curve) => [curve.name, curve]));
  const objects = new Map(data?.classes.map((name, k) => [name, data.parts.at(-1)?.perClass[k]]));
  const rows = names.map((name) => {
    const { best, lrp } = curveOf.get(name) ?? {};
    const { AP, AP50 } = judged.perClass[name];
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
  const chart = details ? draw(precisionByRecall(details, series), byThreshold(details), reliability(details)) : '';
  return `<div class="card wide-table">${table(caption, head, rows, foot)}${about}</div>${chart}`;
}

type Chart = Parameters<typeof lineChart>[0];

function precisionByRecall({ epoch, curves }: EvaluationDetails, series: readonly Series[]): Chart {
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

function byThreshold({ operatingPoints }: EvaluationDetails): Chart {
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

function reliability({ calibration }: EvaluationDetails): Chart {
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

/** TIDE's kinds of errors, in words. */
const errorNames: Readonly<Record<TideError, string>> = {
  Cls: 'Wrong class',
  Loc: 'Badly placed',
  Both: 'Both of it',
  Dupe: 'Found twice',
  Bkg: 'Nothing there',
  Miss: 'Missed',
};

function errors(details: EvaluationDetails | undefined): string {
  if (!details) return '';
  const { tide, confusion, epoch } = details;
  const bar = (name: string, cost: number | null, count: number) => ({
    name,
    value: cost ?? 0,
    text: percent(cost),
    note: `${count}`,
  });
  const bars = [
    ...(Object.keys(errorNames) as TideError[]).map((kind) => bar(errorNames[kind], tide.dAP[kind], tide.counts[kind])),
    bar('All false detections', tide.special.FalsePos, tide.falsePositives),
    bar('All objects not found', tide.special.FalseNeg, tide.falseNegatives),
  ];
  const cost = barTable(`What errors cost, after epoch ${epoch}`, ['Error', 'AP50', 'Number'], bars);
  const about =
    '<p class="note">Points of AP50 that would be won if all errors of a kind were mended (TIDE, Bolya et al. 2020); they do not add up, as one error can hide another. Badly placed: the right class with an IoU of 0.1 to 0.5. Found twice: a surer detection has the object. Nothing there: an IoU below 0.1 with every object. Missed: no detection is near the object.</p>';
  return `<div class="charts"><div class="card">${cost}${about}</div><div class="card">${confusionTable(confusion)}</div></div>`;
}

function pictures({ details, thumbnails }: RunPage, thresholds: readonly number[]): string {
  if (!details) return '';
  if (details.pictures.length === 0) return '<p class="card">There is nothing wrong to show.</p>';
  const names = details.curves.map(({ name }) => name);
  const about = `<p class="note">After epoch ${details.epoch}, the pictures with the most missed objects, the surest false detections and the worst placed ones, at an IoU of 0.5.</p>`;
  return `${about}${gallery(details.pictures, thumbnails, names, thresholds)}`;
}

function speed({ record }: RunPage, draw: Draw): string {
  const points = record.steps.points();
  if (points.length === 0) return '';
  const usual = median(points.flatMap(({ values }) => values.pictures_per_second ?? []));
  const memory = record.evaluations.flatMap(({ step, peakMemory }) =>
    peakMemory ? [[step, peakMemory / 2 ** 20] as const] : [],
  );
  const waiting = lineOf(points, 'waiting', 'waiting').points.map(([x, y]) => [x, 100 * y] as const);
  const charts: Parameters<typeof lineChart>[0][] = [
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
    charts.push({
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
  return `${draw(...charts)}${evaluations}`;
}

function dataCard(card: DataCard | undefined): string {
  if (!card) return '';
  const row = (name: string, of: (part: PartCard) => string | number) => [name, ...card.parts.map(of)];
  const spread = ([least, median, most]: Spread) =>
    [least, median, most].map((value) => short(Math.round(value))).join(' / ');
  const facts = [
    row('Pictures', ({ pictures }) => pictures),
    row('Objects', ({ objects }) => objects),
    row('Pictures without objects', ({ empty }) => empty),
    row('Objects that do not count (crowds, difficult)', ({ leftOut }) => leftOut),
    row('Small objects, up to 32²', ({ sizes }) => sizes.small),
    row('Medium objects, up to 96²', ({ sizes }) => sizes.medium),
    row('Large objects', ({ sizes }) => sizes.large),
    row('Objects in a picture: least / median / most', ({ objectsPerPicture }) => spread(objectsPerPicture)),
    row('Width of pictures: least / median / most', ({ width }) => spread(width)),
    row('Height of pictures: least / median / most', ({ height }) => spread(height)),
    row('√ of boxes’ area: least / median / most', ({ side }) => spread(side)),
    row('Boxes clipped or dropped', ({ problems }) => problems),
  ];
  const bars = card.parts.map((part) => {
    const classBars = card.classes.map((name, k) => ({
      name,
      value: part.perClass[k],
      text: `${part.perClass[k]}`,
      note: `${part.picturesPerClass[k]}`,
    }));
    return `<div class="card">${barTable(`Objects by class: ${part.name}`, ['Class', 'Objects', 'Pictures'], classBars)}</div>`;
  });
  return `<div class="card">${table('What the data holds', ['What', ...card.parts.map(({ name }) => name)], facts)}</div><div class="charts card-grid">${bars.join('')}</div>`;
}

function settings({ config, environment, record }: RunPage): string {
  const rows = settingRows(config).map(([name, value]) => [name, value]);
  const start = record.start;
  const model = start
    ? [
        ['Parameters', start.parameters.toLocaleString('en')],
        ['of them trained', start.trained.toLocaleString('en')],
        ['Batches in an epoch', start.batchesPerEpoch],
        ...(start.weights ? [['Weights', start.weights]] : []),
        ...(record.resumed ? [['Went on after a break', record.resumed]] : []),
      ]
    : [];
  const machine = environment
    ? [
        ['boxwright', environment.boxwright],
        ['Node.js', environment.node],
        ['ONNX Runtime', environment.onnxruntime],
        ['Provider', environment.provider],
        ['Threads of an operator', environment.threads || 'as many as cores'],
        ['Processor', environment.cpu],
        ['Cores', environment.cores],
        ['Memory', `${(environment.memory / 2 ** 30).toFixed(1)} GiB`],
        ['System', environment.platform],
        ['Began', environment.began],
      ]
    : [];
  const both = [
    table('Settings (config.json)', ['Setting', 'Value'], rows),
    table('Model and environment', ['What', 'Value'], [...model, ...machine]),
  ];
  return `<div class="charts">${both.map((html) => `<div class="card text">${html}</div>`).join('')}</div>`;
}

/** Settings as name and text, nested ones by their path. */
export function settingRows(config: Readonly<Record<string, unknown>>, prefix = ''): [name: string, value: string][] {
  return Object.entries(config).flatMap(([name, value]): [string, string][] => {
    if (value !== null && typeof value === 'object' && !Array.isArray(value))
      return settingRows(value as Record<string, unknown>, `${prefix}${name}.`);
    const text = Array.isArray(value) ? value.map(itemText).join(', ') || 'none' : itemText(value);
    return [[`${prefix}${name}`, text]];
  });
}

function itemText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function warnings({ warnings: told, warningCount }: RunRecord): string {
  if (warningCount === 0) return '';
  const more = warningCount > told.length ? `<p>… and ${warningCount - told.length} more, in events.jsonl.</p>` : '';
  return `<div class="card"><ul>${told.map((message) => `<li>${escapeHtml(message)}</li>`).join('')}</ul>${more}</div>`;
}

function median(values: readonly number[]): number | undefined {
  return Float64Array.from(values).sort()[values.length >> 1];
}
