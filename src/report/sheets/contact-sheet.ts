import type { DatasetImage, GroundTruth } from '../../data/dataset.js';
import { dataCard, describeProblem, type InspectedProblem, type Inspection } from '../../data/index.js';
import { thumbnail } from '../drawing/thumbnails.js';
import { classColour } from '../page/colours.js';
import { escapeHtml } from '../page/html.js';
import { pictureSvg } from '../page/picture-svg.js';
import { pageEnd, pageHead } from './sheet-page.js';

export interface SheetOptions {
  /** Pictures that are shown; those with problems come first, the others from all over the data set. */
  readonly limit: number;
}

/** Longest side of a small picture. */
const SIZE = 480;

/** Turns classes and kinds of boxes on and off. */
const script = `
for (const box of document.querySelectorAll('[data-hide]'))
  box.addEventListener('change', () => document.body.classList.toggle('hide-' + box.dataset.hide, !box.checked));
for (const box of document.querySelectorAll('[data-show]'))
  box.addEventListener('change', () => document.body.classList.toggle(box.dataset.show, box.checked));
`;

/** Problems that are listed; the command line lists all. */
const LISTED = 200;

/**
 * A page of the data set's pictures with their boxes, to look at: classes can be turned on and off. It needs nothing but
 * itself, pictures included.
 */
export async function* contactSheet(inspection: Inspection, { limit }: SheetOptions): AsyncGenerator<string> {
  const card = dataCard(inspection);
  const { classes, problems } = inspection;
  const shown = choosePictures(inspection, limit);
  const hiding = classes.map((_, i) => `body.hide-c${i} .c${i}`).join(', ');
  const rules = `${hiding} { display: none; } body.hide-soft .soft, body.hide-names svg text { display: none; } body.problems-only figure:not(.odd) { display: none; }`;
  yield pageHead(`${card.path}: pictures and boxes`, rules, script);
  yield `<h1>${escapeHtml(card.path)}</h1><p>${card.pictures} pictures, ${card.boxes} boxes, ${classes.length} classes; ${shown.length} pictures shown</p><p class="quiet">${escapeHtml(card.note)}</p>\n`;
  const swatch = (label: number) => `<span class="swatch" style="background:${classColour(label)}"></span>`;
  const toggles = card.perClass.map(
    ({ name, boxes }, i) =>
      `<label><input type="checkbox" checked data-hide="c${i}">${swatch(i)}${escapeHtml(name)} <span class="quiet">${boxes}</span></label>`,
  );
  const soft = `<label><input type="checkbox" checked data-hide="soft">difficult and crowd (dashed)</label>`;
  const names = '<label><input type="checkbox" checked data-hide="names">names</label>';
  const only = '<label><input type="checkbox" data-show="problems-only">only pictures with problems</label>';
  yield `<div class="toggles" role="group" aria-label="Shown">${toggles.join('')}${names}${soft}${only}</div>\n`;
  if (problems.length > 0) yield problemList(problems);
  let part: string | undefined;
  let open = false;
  for (const entry of shown) {
    if (!open || entry.part !== part) {
      yield `${open ? '</div>' : ''}<h2>${escapeHtml(entry.part ?? 'Pictures')}</h2><div class="grid">\n`;
      part = entry.part;
      open = true;
    }
    yield await figure(entry.image, classes, entry.problems);
  }
  if (open) yield '</div>\n';
  yield pageEnd(script);
}

/** A picture to be shown, and what is odd in it. */
interface Shown {
  readonly image: DatasetImage;
  readonly part: string | undefined;
  readonly problems: readonly InspectedProblem[];
}

/** Pictures with problems first, then others at equal distances, each part with its share. */
function choosePictures({ parts, problems }: Inspection, limit: number): Shown[] {
  const total = parts.reduce((sum, { dataset }) => sum + dataset.images.length, 0);
  return parts.flatMap(({ name: part, dataset: { images } }) => {
    const share = Math.min(images.length, Math.ceil((limit * images.length) / Math.max(total, 1)));
    const own = problems.filter((problem) => problem.part === part);
    const shown = images.map((image): Shown => ({ image, part, problems: problemsOf(image, own) }));
    const odd = shown.filter((entry) => entry.problems.length > 0).slice(0, share);
    const sound = shown.filter((entry) => entry.problems.length === 0);
    const rest = Math.min(share - odd.length, sound.length);
    const spread = Array.from({ length: rest }, (_, i) => sound[Math.floor((i * sound.length) / rest)]);
    return [...odd, ...spread];
  });
}

/** Problems name the picture or the file that annotates it, which has the same stem. */
function problemsOf({ name, id }: DatasetImage, problems: readonly InspectedProblem[]): InspectedProblem[] {
  const stem = name.replace(/^.*[\\/]/, '').replace(/\.[^.]+$/, '');
  return problems.filter(({ file }) => {
    const [, ending = file] = /(?:^|[\\/, (])([^\\/, ()]+)\)?$/.exec(file) ?? [];
    return file === name || ending.replace(/\.[^.]+$/, '') === stem || file === `${id}.xml`;
  });
}

function problemList(problems: readonly InspectedProblem[]): string {
  const lines = problems.slice(0, LISTED).map((problem) => {
    const part = problem.part === undefined ? '' : `${escapeHtml(problem.part)}: `;
    return `<li><b>${escapeHtml(problem.kind)}</b> ${part}${escapeHtml(describeProblem(problem))}</li>`;
  });
  const more = problems.length > LISTED ? `<li>… and ${problems.length - LISTED} more</li>` : '';
  return `<details open><summary class="warning">${problems.length} problems</summary><ul>${lines.join('')}${more}</ul></details>\n`;
}

async function figure(
  image: DatasetImage,
  classes: readonly string[],
  problems: readonly InspectedProblem[],
): Promise<string> {
  const { path, name, width, height, objects } = image;
  const jpeg = await thumbnail(path, SIZE).catch(() => undefined);
  const boxes = objects.map((object) => ({
    box: object.box,
    label: object.label,
    title: titleOf(object, classes),
    name: classes[object.label],
    soft: object.difficult || object.crowd,
  }));
  const picture = jpeg
    ? pictureSvg(jpeg, { width, height }, boxes, `${name}: ${counted(objects, classes)}`)
    : '<div class="broken">cannot be decoded</div>';
  const odd = problems.map(({ what }) => `<div class="warning">${escapeHtml(what)}</div>`).join('');
  const caption = `<b>${escapeHtml(name)}</b> ${width}×${height}, ${objects.length} ${objects.length === 1 ? 'box' : 'boxes'}${odd}`;
  return `<figure${problems.length > 0 ? ' class="odd"' : ''}>${picture}<figcaption>${caption}</figcaption></figure>\n`;
}

/** What is in a picture, for those who do not see its boxes: 2 cat, 1 dog. */
function counted(objects: readonly GroundTruth[], classes: readonly string[]): string {
  const counts = classes.map((name, label) => ({ name, count: objects.filter((one) => one.label === label).length }));
  const found = counts.filter(({ count }) => count > 0).map(({ name, count }) => `${count} ${name}`);
  return found.length > 0 ? found.join(', ') : 'no boxes';
}

function titleOf(
  { label, box: [x1, y1, x2, y2], difficult, truncated, crowd }: GroundTruth,
  classes: readonly string[],
): string {
  const marks = [difficult && 'difficult', truncated && 'truncated', crowd && 'crowd'].filter(Boolean).join(', ');
  return `${classes[label]}${marks ? ` (${marks})` : ''}: ${Math.round(x2 - x1)}×${Math.round(y2 - y1)} at ${Math.round(x1)}, ${Math.round(y1)}`;
}
