import type { DataCard, Inspection } from '../../data/index.js';
import { writtenFormats } from '../../data/writing/written-formats.js';
import { type Context, command, UsageError } from '../command.js';
import { dataOptions, openOptionsOf, requireFolder } from '../data-options.js';
import { requireTarget } from '../free-target.js';
import { outlines } from '../outlines.js';

export const dataCommand = command({
  ...outlines.data,
  positionals: {
    path: { type: 'string', demandOption: true, describe: 'Folder or file of the data set' },
  },
  options: {
    part: { type: 'string', describe: 'One part only, such as val; all of them by default' },
    ...dataOptions,
    json: {
      type: 'boolean',
      default: false,
      describe: 'Print the card, and what was written, as JSON, and nothing else',
    },
    all: { type: 'boolean', default: false, describe: 'List every problem, not the first few of each kind' },
    fix: { type: 'string', describe: 'New folder for a repaired copy' },
    to: { choices: writtenFormats, describe: "Format of the copy; the data set's own, or COCO, by default" },
    sheet: { type: 'string', describe: 'File for a page of pictures with their boxes (.html)' },
    preview: { type: 'string', describe: 'File for a page of every augmentation on a dozen pictures (.html)' },
    limit: {
      type: 'number',
      default: 60,
      wholeFrom: 1,
      describe: 'Pictures on the sheet; those with problems come first',
    },
    seed: { type: 'number', default: 0, describe: 'Decides the augmentations of the preview' },
    force: { type: 'boolean', default: false, describe: 'Replace a sheet or preview that is there' },
  },
  rules: [
    { options: ['to'], needs: ['fix'], because: 'that is the folder of the repaired copy' },
    { options: ['limit'], needs: ['sheet'], because: 'it is the number of pictures there' },
    { options: ['seed'], needs: ['preview'], because: 'nothing else is random' },
    { options: ['force'], needs: ['sheet', 'preview'], because: 'nothing else is ever replaced' },
    { options: ['all'], excludes: ['json'], because: 'that has every problem anyway' },
  ],
  examples: [
    ['data cells/', 'numbers, classes, sizes and everything odd, with file and line'],
    ['data cells/ --fix cells-repaired', 'a copy without what can be repaired; the original stays'],
    ['data cells/ --sheet cells.html --preview augmented.html', 'pages to look at'],
  ],
  async run({ path, part, json, all, fix, to, sheet, preview, limit, seed, force, ...args }, context) {
    await requireFolder(args.pictures);
    if (sheet !== undefined && sheet === preview)
      throw new UsageError(`--sheet and --preview are both ${sheet}; give two files.`);
    for (const file of [sheet, preview]) if (file !== undefined) requireTarget(file, force);
    const { dataCard, inspectDataset } = await import('../../data/index.js');
    const { terminal, signal } = context;
    const inspection = await inspectDataset(path, {
      ...openOptionsOf(args),
      part,
      signal,
      onPicture: (done, total) => terminal.progress(`${done} of ${total} pictures`, done / total),
    });
    const card = dataCard(inspection);
    if (!json) await printCard(card, all, context);
    const written = {
      ...(sheet === undefined ? {} : { sheet: await writeSheet(sheet, inspection, limit, context) }),
      ...(preview === undefined ? {} : { preview: await writePreview(preview, inspection, seed, context) }),
      ...(fix === undefined ? {} : { fix: await writeRepaired(fix, to, inspection, context) }),
    };
    // One document, which is whole or not there: it comes when everything is written.
    if (json) await terminal.printJson({ ...card, written });
    return 0;
  },
});

async function writeSheet(path: string, inspection: Inspection, limit: number, { terminal }: Context) {
  const { contactSheet } = await import('../../report/sheets/contact-sheet.js');
  const { writeFileAtomically } = await import('../../weights/atomic-file.js');
  await writeFileAtomically(path, contactSheet(inspection, { limit }));
  terminal.note(`${path}: the pictures with their boxes.`);
  return { path };
}

async function writePreview(path: string, inspection: Inspection, seed: number, { terminal }: Context) {
  const { augmentationPreview } = await import('../../report/sheets/augmentation-preview.js');
  const { writeFileAtomically } = await import('../../weights/atomic-file.js');
  await writeFileAtomically(path, augmentationPreview(inspection, { seed }));
  terminal.note(`${path}: every augmentation on a dozen pictures.`);
  return { path };
}

async function writeRepaired(
  path: string,
  to: (typeof writtenFormats)[number] | undefined,
  inspection: Inspection,
  { terminal, signal }: Context,
) {
  const { repairDataset, writeDataset } = await import('../../data/index.js');
  const own = writtenFormats.find((format) => format === inspection.format);
  const format = to ?? own ?? 'coco';
  const { parts, done: repairs } = repairDataset(inspection);
  const { pictures, boxes, notes } = await writeDataset(parts, path, { format, signal });
  for (const note of notes) terminal.warn(note);
  for (const { what, count } of repairs) terminal.note(`${String(count).padStart(6)} × ${what}`);
  terminal.note(`${path}: ${format}, ${pictures} pictures, ${boxes} boxes; the original is as it was.`);
  return { path, format, pictures, boxes, repairs, notes };
}

/** Problems of each kind that are listed unless all are asked for. */
const LISTED = 5;

/** Width of a bar in characters. */
const BAR = 30;

async function printCard(card: DataCard, all: boolean, { terminal }: Context): Promise<void> {
  const { describeProblem } = await import('../../data/index.js');
  const { pictures, boxes, empty, parts, areas, boxesPerPicture: per } = card;
  const dim = (text: string) => terminal.style('dim', text);
  const share = (count: number) => `${((100 * count) / Math.max(boxes, 1)).toFixed(1)} %`;
  const lines = [
    `${terminal.style('bold', card.path)}: ${pictures} pictures, ${boxes} boxes, ${card.perClass.length} classes`,
    dim(card.note),
    '',
  ];
  for (const part of parts) {
    if (part.name !== undefined) lines.push(`${part.name.padEnd(12)}${part.pictures} pictures, ${part.boxes} boxes`);
  }
  const marks = (['difficult', 'truncated', 'crowd'] as const).filter((name) => card[name] > 0);
  lines.push(
    `${'per picture'.padEnd(12)}${per.least} to ${per.most} boxes, middle ${per.median}, mean ${per.mean.toFixed(2)}; ${empty} without any`,
    `${'pictures'.padEnd(12)}${sizesInWords(card)}`,
  );
  if (marks.length > 0) lines.push(`${'marked'.padEnd(12)}${marks.map((name) => `${card[name]} ${name}`).join(', ')}`);
  lines.push(
    `${'area'.padEnd(12)}small ${share(areas.small)}, medium ${share(areas.medium)}, large ${share(areas.large)} ${dim('(32² and 96² pixels, as COCO)')}`,
    '',
    dim('root of area, pixels'),
    ...card.sizes.map(({ from, to, count }) =>
      barLine(to === undefined ? `${from} –` : `${from} – ${to}`, count, most(card.sizes)),
    ),
    '',
    dim(`${'class'.padEnd(nameWidth(card))}${'boxes'.padStart(8)}${'pictures'.padStart(10)}  middle size`),
    ...card.perClass.map((own) => classLine(own, nameWidth(card))),
    '',
  );
  if (card.problems.length === 0) lines.push(terminal.style('green', 'Nothing odd was found.'));
  for (const [kind, count] of Object.entries(card.problemCounts)) {
    lines.push(terminal.style('yellow', `${kind}: ${count}`));
    const own = card.problems.filter((problem) => problem.kind === kind);
    for (const problem of all ? own : own.slice(0, LISTED)) lines.push(`  ${describeProblem(problem)}`);
    if (!all && own.length > LISTED) lines.push(dim(`  … and ${own.length - LISTED} more (--all)`));
  }
  for (const line of lines) await terminal.print(line);
}

function nameWidth({ perClass }: DataCard): number {
  return Math.max(12, ...perClass.map(({ name }) => name.length + 1));
}

function classLine({ name, boxes, pictures, medianSize }: DataCard['perClass'][number], width: number): string {
  const size = medianSize ? `  ${medianSize.map((side) => Math.round(side)).join('×')}` : '';
  return `${name.padEnd(width)}${String(boxes).padStart(8)}${String(pictures).padStart(10)}${size}`;
}

function sizesInWords({ pictureSizes }: DataCard): string {
  const listed = pictureSizes.slice(0, 3).map(({ width, height, count }) => `${width}×${height} (${count})`);
  const more = pictureSizes.length - listed.length;
  return `${listed.join(', ')}${more > 0 ? ` and ${more} other sizes` : ''}`;
}

function most(bins: DataCard['sizes']): number {
  return Math.max(1, ...bins.map(({ count }) => count));
}

function barLine(name: string, count: number, largest: number): string {
  const length = Math.round((BAR * count) / largest);
  return `${name.padStart(10)}  ${'█'.repeat(length)}${count > 0 && length === 0 ? '▏' : ''} ${count}`;
}
