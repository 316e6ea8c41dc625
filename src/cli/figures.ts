import type { CocoResult } from '../evaluate/coco/coco.js';
import type { Judged } from './metric-blocks.js';
import type { Measures } from './metrics-options.js';
import type { Terminal } from './terminal.js';

/**
 * Computes what was asked for and prints it: one line of JSON, or tables for people under `title`.
 *
 * @param written files by the option that asked for them
 */
export async function printFigures(
  all: Judged,
  { options, blocks, zooSubset, plusOne, json }: Measures,
  title: string,
  terminal: Terminal,
  written?: Readonly<Record<string, { readonly path: string }>>,
): Promise<void> {
  const { summarise } = await import('../evaluate/coco/coco.js');
  const { cocoTables } = await import('../evaluate/coco/coco-tables.js');
  const judged = { ...(zooSubset ? await inSubset(all, terminal) : all), plusOne };
  const given = judged.data === all.data ? all.tables : undefined;
  const result = summarise(given ?? cocoTables(judged.data, options));
  const further = [];
  for (const block of blocks) further.push(await block.compute(judged));
  if (json) {
    const parts: Record<string, object> = { ...result };
    for (const part of further) {
      for (const [key, value] of Object.entries(part.json)) parts[key] = { ...parts[key], ...value };
    }
    await terminal.printJson({ ...parts, written });
    return;
  }
  for (const line of cocoLines(result, title, terminal)) await terminal.print(line);
  for (const { lines } of further) for (const line of ['', ...lines]) await terminal.print(line);
}

async function inSubset(judged: Judged, terminal: Terminal): Promise<Judged> {
  const { zooSubset } = await import('../evaluate/coco/zoo-subset.js');
  const data = zooSubset(judged.data);
  const counts = `${data.pictures.length} of ${judged.data.pictures.length} pictures`;
  terminal.note(`--subset zoo: ${counts} have objects and no crowd region.`);
  return { ...judged, data };
}

function cocoLines({ coco, perClass }: CocoResult, title: string, terminal: Terminal): string[] {
  const figures: Readonly<Record<string, number>> = { ...coco };
  const percent = (value: number) => (value < 0 ? '–' : (100 * value).toFixed(1)).padStart(6);
  const width = Math.max(10, ...perClass.map(({ name }) => name.length));
  const row = (name: string, values: readonly number[]) => `${name.padEnd(width)}${values.map(percent).join('')}`;
  const head = (name: string, columns: readonly string[]) =>
    terminal.style('dim', `${name.padEnd(width)}${columns.map((column) => column.padStart(6)).join('')}`);
  const block = (name: string, columns: readonly string[]) => [
    head(name, columns),
    row(
      '',
      columns.map((column) => figures[column]),
    ),
  ];
  const precisions = Object.keys(figures).filter((name) => name.startsWith('AP'));
  const recalls = Object.keys(figures).filter((name) => name.startsWith('AR'));
  const classes = perClass.map(({ name, AP, AP50 }) => row(name, [AP, AP50]));
  return [
    `${title}; percent`,
    '',
    ...block('precision', precisions),
    ...block('recall', recalls),
    ...(classes.length > 0 ? ['', head('class', ['AP', 'AP50']), ...classes] : []),
  ];
}
