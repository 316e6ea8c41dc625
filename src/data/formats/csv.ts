import { basename, dirname, extname, join, relative } from 'node:path';
import { BoxwrightError } from '../../errors.js';
import { assembleDataset, type ReadObject, type ReadPicture, sortedClasses } from '../assemble.js';
import type { Dataset } from '../dataset.js';
import { type Findings, refuse } from '../ground-truth.js';
import type { DatasetLayout, FoundDataset, OpenOptions } from '../layout.js';
import { chooseParts, isPartName, splitBySeed, WHOLE } from '../parts.js';
import { listFolder, pictureFinder, usualFolders } from '../picture-files.js';
import { type ColumnName, type CsvColumns, findColumns, partNamed } from './csv-columns.js';
import { type CsvRow, parseCsv } from './csv-table.js';
import { readHead, readText } from './text-file.js';

/** Tables by part. */
type PartFiles = ReadonlyMap<string, string>;

/** A path to one table. */
export const csvFileLayout: DatasetLayout = {
  format: 'csv',
  description: 'CSV: the path of one .csv file with path, x1, y1, x2, y2, label under any of their usual names',
  async find(path) {
    if (!isCsv(path)) return undefined;
    const columns = await columnsOf(path);
    if (columns) return found(dirname(path), new Map([[WHOLE, path]]), columns);
    const what = 'its first line names no columns of boxes';
    const needed =
      'a picture (filename, path, image), xmin, ymin, xmax, ymax (or x, y, width, height) and label (or class)';
    throw new BoxwrightError('data', `${path}, line 1: ${what}; needed are ${needed}`);
  },
};

/** Tables in a folder, one whole or one a part, or in a folder of each part. */
export const csvLayout: DatasetLayout = {
  format: 'csv',
  description: 'CSV: one .csv file of boxes in the folder, or train.csv and val.csv, or one in train/, val/, test/',
  async find(root) {
    const parts = new Map<string, string>();
    for (const name of (await listFolder(root)).filter(isCsv)) {
      if (await columnsOf(join(root, name))) parts.set(partOfName(name), join(root, name));
    }
    for (const name of parts.size > 0 ? [] : (await listFolder(root)).filter(isPartName)) {
      const tables = (await listFolder(join(root, name))).filter(isCsv);
      for (const table of tables) {
        if (await columnsOf(join(root, name, table))) parts.set(name, join(root, name, table));
      }
    }
    if (parts.size === 0) return undefined;
    const [[part, path]] = parts;
    if (parts.size > 1 || isPartName(part)) return found(root, parts);
    return found(root, new Map([[WHOLE, path]]), await columnsOf(path));
  },
};

async function found(root: string, files: PartFiles, columns?: CsvColumns): Promise<FoundDataset> {
  const [path] = files.values();
  const listed = columns?.at.part === undefined ? [] : await listedParts(path, columns);
  const parts = listed.length > 0 ? listed : [...files.keys()].filter((part) => part !== WHOLE);
  const note = [...files.values()].map((file) => relative(root, file)).join(', ');
  return { note, parts, read: (options) => readTables(root, files, parts, options) };
}

function isCsv(name: string): boolean {
  return ['.csv', '.tsv'].includes(extname(name).toLowerCase());
}

/** `train_labels.csv` is of `train`; other names are parts of their own. */
function partOfName(name: string): string {
  const stem = basename(name, extname(name));
  const known = /^(train|val|valid|validation|test)([_-]?\d{4})?(?=$|[_-](labels|annotations|boxes|bbox))/i;
  return known.exec(stem)?.[0] ?? stem;
}

/** Judged by the beginning of the file. */
async function columnsOf(path: string): Promise<CsvColumns | undefined> {
  const [line] = (await readHead(path)).split(/\r?\n/);
  try {
    const rows = parseCsv(line, path);
    return rows.length > 0 ? findColumns(rows[0].cells) : undefined;
  } catch {
    // A quote that is never closed: no table of boxes begins so.
    return undefined;
  }
}

/** The parts that a table's own column names, in the order in which they come. */
async function listedParts(path: string, { at, header }: CsvColumns): Promise<string[]> {
  const rows = parseCsv(await readText(path), path).slice(header ? 1 : 0);
  return [...new Set(rows.map(({ cells }) => partNamed(cells[at.part as number] ?? '')))].filter((part) => part !== '');
}

/** A row's picture and box. */
interface ReadRow {
  readonly picture: string;
  /** The file, as messages name it. */
  readonly file: string;
  readonly path: string;
  readonly part: string;
  readonly size: ReadPicture['size'];
  /** Undefined for a picture of background. */
  readonly object: ReadObject | undefined;
}

async function readTables(
  root: string,
  files: PartFiles,
  parts: readonly string[],
  options: OpenOptions,
): Promise<Dataset> {
  const findings: Findings = { problems: [], tolerant: options.tolerant ?? false };
  const { names, split } = chooseParts(parts.length > 0 ? parts : [WHOLE], options.part, root);
  const byColumn = files.size === 1 && files.has(WHOLE) && parts.length > 0;
  const rows: ReadRow[] = [];
  const notes = new Set<string>();
  for (const [part, path] of files) {
    const file = relative(root, path);
    const table = parseCsv(await readText(path, options), file);
    const columns = table.length > 0 ? findColumns(table[0].cells) : undefined;
    if (!columns) throw new BoxwrightError('data', `${file}, line 1: it names no columns of boxes`);
    notes.add(columns.note);
    for (const row of table.slice(columns.header ? 1 : 0)) {
      const own = byColumn ? partNamed(row.cells[columns.at.part as number] ?? '') : part;
      // Other parts are read for their classes; what is odd in them is told when it is their turn.
      const into: Findings =
        names.includes(own) || options.part === undefined ? findings : { problems: [], tolerant: true };
      const read = readRow(row, columns, { file, path, part: own }, into);
      if (read) rows.push(read);
    }
  }
  const classes = sortedClasses(rows.flatMap(({ object }) => object ?? []));
  const shares = inShares(rows);
  if (shares) notes.add('boxes are in shares of width and height, as none is over 1');
  const chosen = rows.filter(({ part }) => options.part === undefined || names.includes(part));
  const all = await picturesOf(chosen, options);
  const pictures = split === undefined ? all : splitBySeed(all, split, options.seed ?? 0, root);
  const searched = options.pictures ? [options.pictures] : usualFolders(root);
  const source = { root, format: 'csv', classes, shares, searched, note: [...notes].join('; ') } as const;
  return assembleDataset(pictures, source, options, findings);
}

/** Rows of one picture together, in the order in which pictures come. */
async function picturesOf(rows: readonly ReadRow[], { pictures: folder }: OpenOptions): Promise<ReadPicture[]> {
  const finders = new Map<string, (name: string) => Promise<string | undefined>>();
  const groups = new Map<string, ReadRow[]>();
  for (const row of rows) {
    const key = `${row.part}\n${row.picture}`;
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  const pictures: ReadPicture[] = [];
  for (const group of groups.values()) {
    const [{ picture: name, path, part, file, size }] = group;
    const find = finders.get(part) ?? pictureFinder(folder ? [folder] : usualFolders(dirname(path), part || undefined));
    finders.set(part, find);
    pictures.push({ name, path: await find(name), file, size, objects: group.flatMap(({ object }) => object ?? []) });
  }
  return pictures;
}

/** Whether all boxes lie within 0 to 1, and at least one is not of whole numbers. */
function inShares(rows: readonly ReadRow[]): boolean {
  const numbers = rows.flatMap(({ object }) => object?.edges ?? []).filter(Number.isFinite);
  return numbers.every((value) => value >= -0.01 && value <= 1.01) && numbers.some((value) => !Number.isInteger(value));
}

function readRow(
  { cells, line }: CsvRow,
  { at, box }: CsvColumns,
  source: Pick<ReadRow, 'file' | 'path' | 'part'>,
  findings: Findings,
): ReadRow | undefined {
  const place = { file: source.file, line };
  const textOf = (name: ColumnName) => (at[name] === undefined ? '' : (cells[at[name]] ?? ''));
  const numberOf = (name: ColumnName) => numberIn(textOf(name));
  const picture = textOf('picture');
  if (picture === '') return refuse(findings, 'unusable', place, 'it names no picture', 'name it or remove the line');
  const size =
    at.width !== undefined && at.height !== undefined && textOf('width') !== ''
      ? { width: numberOf('width'), height: numberOf('height') }
      : undefined;
  const written = numbersOf(box, textOf);
  const row = { ...source, picture, size };
  if (written.every((word) => word === '')) return { ...row, object: undefined };
  const className = textOf('label');
  if (at.label === undefined || className === '') {
    const what = at.label === undefined ? 'there is no column of labels' : 'it has no label';
    return refuse(findings, 'unusable', place, what, "add a column 'label', or remove the line");
  }
  const [a, b, c, d] = written.map(numberIn);
  const edges = box === 'corners' ? [a, b, c, d] : [a, b, a + c, b + d];
  const marks = (['difficult', 'truncated', 'crowd'] as const).flatMap((name) =>
    at[name] === undefined ? [] : [[name, /^(1|true|yes)$/i.test(textOf(name))] as const],
  );
  return { ...row, object: { className, edges, written: [a, b, c, d], line, ...Object.fromEntries(marks) } };
}

function numbersOf(box: CsvColumns['box'], textOf: (name: ColumnName) => string): string[] {
  if (box === 'corners') return [textOf('x1'), textOf('y1'), textOf('x2'), textOf('y2')];
  if (box === 'size') return [textOf('x'), textOf('y'), textOf('boxWidth'), textOf('boxHeight')];
  const cell = textOf('box')
    .replace(/^[[(]|[\])]$/g, '')
    .trim();
  return cell === '' ? ['', '', '', ''] : cell.split(/[\s,;]+/);
}

/** NaN for an empty cell, which `Number('')` would read as 0. */
function numberIn(text: string): number {
  return text === '' ? Number.NaN : Number(text);
}
