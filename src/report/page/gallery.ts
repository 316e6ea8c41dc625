import { isFalse, type JudgedDetection, type JudgedObject, type Outcome } from '../run/picture-outcomes.js';
import type { Fault, WorstPicture } from '../run/worst-pictures.js';
import { escapeHtml, folded, table } from './html.js';

/** A small copy of a picture as a `data:` address; none if the picture cannot be read any more. */
export type Thumbnail = string | undefined;

const faultNames: Readonly<Record<Fault, string>> = { missed: 'missed', false: 'false', misplaced: 'badly placed' };

const outcomeNames: Readonly<Record<Outcome, string>> = {
  right: 'right',
  misplaced: 'badly placed',
  class: 'wrong class',
  twice: 'found twice',
  nothing: 'nothing there',
  ignored: 'not counted',
};

/**
 * Pictures with their objects and detections as SVG over them, to be switched on and off.
 *
 * @param thresholds by class: detections below are hidden at first.
 */
export function gallery(
  pictures: readonly WorstPicture[],
  thumbnails: ReadonlyMap<string, Thumbnail>,
  classes: readonly string[],
  thresholds: readonly number[],
): string {
  const figures = pictures.map((picture) => figure(picture, thumbnails.get(picture.path), classes, thresholds));
  return `${controls}${key}<div class="gallery no-names">${figures.join('')}</div>`;
}

const checkbox = (name: string, label: string, checked: boolean) =>
  `<label><input type="checkbox" name="${name}"${checked ? ' checked' : ''}>${label}</label>`;
const radio = (value: string, label: string) =>
  `<label><input type="radio" name="fault" value="${value}"${value === 'all' ? ' checked' : ''}>${label}</label>`;

const controls = `<form class="controls card" hidden><fieldset><legend>Pictures</legend>${radio('all', 'all')}${radio('missed', 'most missed')}${radio('false', 'most false')}${radio('misplaced', 'worst placed')}</fieldset><fieldset><legend>Show</legend>${checkbox('objects', 'annotated objects', true)}${checkbox('detections', 'detections', true)}${checkbox('names', 'names', false)}</fieldset><fieldset><legend>Least score</legend>${checkbox('own', "each class's own (oLRP)", true)}<label>or <input type="range" name="score" min="0" max="1" step="0.01" value="0.5" aria-label="Least score"></label></fieldset><output></output></form>`;

const key = `<ul class="key" aria-label="Colours"><li style="--k:#fff" class="dashed"><span></span>annotated</li><li style="--k:#22d3ee"><span></span>annotated and missed</li><li style="--k:#3ddc5b"><span></span>right</li><li style="--k:#ff9f1a"><span></span>badly placed</li><li style="--k:#ff4d4d"><span></span>false: wrong class, found twice, or nothing there</li></ul>`;

/** Width of a picture and height of the names in it, in its pixels. */
interface Frame {
  readonly width: number;
  readonly size: number;
}

function figure(
  picture: WorstPicture,
  thumbnail: Thumbnail,
  classes: readonly string[],
  thresholds: readonly number[],
): string {
  const { width, height, name, objects, detections, faults } = picture;
  const shown = detections.filter(({ label, score }) => score >= thresholds[label]);
  const missed = objects.filter((object) => isMissed(object, thresholds));
  const line = `${plural(objects.length, 'annotated object')}, ${missed.length} missed; ${plural(shown.length, 'detection')}, ${shown.filter(({ outcome }) => isFalse(outcome)).length} false, ${shown.filter(({ outcome }) => outcome === 'misplaced').length} badly placed`;
  const frame = { width, size: Math.max(width, height) / 32 };
  const boxes = [
    ...objects.map((object) => objectBox(object, classes, thresholds, frame)),
    ...shownLast(detections).map((detection) => detectionBox(detection, classes, thresholds, frame)),
  ];
  const image = thumbnail
    ? `<img src="${thumbnail}" alt="" width="${width}" height="${height}" loading="lazy">`
    : `<div style="aspect-ratio:${width}/${height}"></div><div class="gone">The picture is no longer where it was.</div>`;
  const svg = `<svg viewBox="0 0 ${width} ${height}" style="--size:${frame.size.toFixed(1)}" role="img" aria-label="${escapeHtml(`${name}: ${line}`)}">${boxes.join('')}</svg>`;
  const badges = faults.map((fault) => `<span class="badge">${faultNames[fault]}</span>`).join(' ');
  const enlarge = `<button type="button" class="enlarge" aria-pressed="false" aria-label="Enlarge ${escapeHtml(name)}" hidden>Enlarge</button>`;
  return `<figure data-faults="${faults.join(' ')}"><div class="picture">${image}${svg}</div><figcaption><div class="row"><strong>${escapeHtml(name)}</strong>${enlarge}</div><p>${line} ${badges}</p>${folded('List', lists(name, objects, shown, classes), name)}</figcaption></figure>`;
}

/** Sure detections lie on top of unsure ones. */
function shownLast(detections: readonly JudgedDetection[]): JudgedDetection[] {
  return detections.toReversed();
}

function isMissed({ crowd, found, label }: JudgedObject, thresholds: readonly number[]): boolean {
  return !crowd && (found === null || found < thresholds[label]);
}

function objectBox(
  object: JudgedObject,
  classes: readonly string[],
  thresholds: readonly number[],
  frame: Frame,
): string {
  const { crowd, found, label } = object;
  const missed = isMissed(object, thresholds) ? ' missed' : '';
  const name = `${classes[label]}${crowd ? ' (crowd)' : ''}`;
  const data = `data-found="${found === null ? '' : score(found)}" data-label="${label}" data-crowd="${crowd}"`;
  return `<g class="object${missed}" ${data}>${rectangle(object.box)}${caption(object.box, name, frame, 'below')}</g>`;
}

function detectionBox(
  detection: JudgedDetection,
  classes: readonly string[],
  thresholds: readonly number[],
  frame: Frame,
): string {
  const { box, label, outcome } = detection;
  const hidden = detection.score < thresholds[label] ? ' hidden' : '';
  const kind = isFalse(outcome) ? 'wrong' : outcome;
  const mark = outcome === 'right' ? '✓' : outcome === 'ignored' ? '' : '✗';
  const name = `${mark} ${classes[label]} ${detection.score.toFixed(2)}`;
  return `<g class="detection ${kind}" data-score="${score(detection.score)}" data-label="${label}"${hidden}>${rectangle(box)}${caption(box, name, frame, 'above')}</g>`;
}

function rectangle([x1, y1, x2, y2]: readonly number[]): string {
  const sides = `x="${x1}" y="${y1}" width="${Math.max(0, x2 - x1).toFixed(1)}" height="${Math.max(0, y2 - y1).toFixed(1)}"`;
  return `<rect class="under" ${sides}/><rect class="line" ${sides}/>`;
}

/** A name above or inside a box; near the right edge it ends with the box instead of beginning with it. */
function caption([x1, y1, x2, y2]: readonly number[], name: string, frame: Frame, where: 'above' | 'below'): string {
  const y = where === 'above' ? Math.max(frame.size, y1 - frame.size * 0.25) : y2 - frame.size * 0.3;
  const atEnd = x1 > 0.75 * frame.width;
  const x = atEnd ? Math.min(frame.width, x2) - frame.size * 0.2 : Math.max(0, x1) + frame.size * 0.2;
  const anchor = atEnd ? ' text-anchor="end"' : '';
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${anchor}>${escapeHtml(name)}</text>`;
}

function lists(
  picture: string,
  objects: readonly JudgedObject[],
  shown: readonly JudgedDetection[],
  classes: readonly string[],
): string {
  const found = shown.map(({ label, score: value, outcome, box }) => [
    classes[label],
    value.toFixed(2),
    outcomeNames[outcome],
    place(box),
  ]);
  const truths = objects.map(({ label, found: by, crowd, box }) => [
    classes[label],
    crowd ? 'crowd' : by === null ? 'not found' : `found with ${by.toFixed(2)}`,
    place(box),
  ]);
  return `${table(`Annotated objects of ${picture}`, ['Class', 'Found', 'x1, y1, x2, y2'], truths)}${table(`Detections in ${picture}`, ['Class', 'Score', 'What it is', 'x1, y1, x2, y2'], found)}`;
}

function place(box: readonly number[]): string {
  return box.map((side) => Math.round(side)).join(', ');
}

/** Rounded up, so that a threshold that is a detection's own score does not hide it. */
function score(value: number): string {
  return `${Math.ceil(value * 1e6) / 1e6}`;
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
