import { stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative } from 'node:path';
import { BoxwrightError } from '../../errors.js';
import { assembleDataset, type ReadPicture } from '../assemble.js';
import type { Dataset } from '../dataset.js';
import { type Findings, refuse } from '../ground-truth.js';
import type { DatasetLayout, OpenOptions } from '../layout.js';
import { chooseParts } from '../parts.js';
import { listFolder, pictureFinder, usualFolders } from '../picture-files.js';
import { readClassNames, readText } from './text-file.js';
import { parseYoloLabels } from './yolo-labels.js';

/** A Darknet `.data` file. */
interface DarknetSource {
  readonly root: string;
  readonly file: string;
  /** Path of the names as the file gives it. */
  readonly names: string;
  /** Path of the list of every part, as the file gives it. */
  readonly lists: ReadonlyMap<string, string>;
}

/** A picture of a list. */
interface Listed {
  readonly name: string;
  readonly line: number;
}

/** Darknet's `.data` file, which names lists of pictures and the classes, with YOLO labels. */
export const darknetLayout: DatasetLayout = {
  format: 'darknet',
  description: 'Darknet: a .data file that names train and valid (lists of pictures) and names (the classes)',
  async find(path) {
    const file = await findDataFile(path);
    if (!file) return undefined;
    const source = await readDataFile(file, file === path);
    if (!source) return undefined;
    const parts = [...source.lists.keys()];
    return { note: basename(file), parts, read: (options) => readDarknet(source, options) };
  },
};

async function findDataFile(path: string): Promise<string | undefined> {
  if (path.endsWith('.data') && (await stat(path)).isFile()) return path;
  const name = (await listFolder(path)).find((entry) => entry.endsWith('.data'));
  return name === undefined ? undefined : join(path, name);
}

/** Undefined for another kind of `.data` file, unless it was asked for. */
async function readDataFile(file: string, asked: boolean): Promise<DarknetSource | undefined> {
  const entries = (await readText(file, { what: 'the description' }))
    .split(/\r?\n/)
    .flatMap((line): [string, string][] => {
      const [, key, value] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      return key === undefined || value === '' ? [] : [[key, value]];
    });
  const fields = new Map(entries);
  const lists = new Map<string, string>();
  for (const [key, part] of [
    ['train', 'train'],
    ['valid', 'val'],
    ['val', 'val'],
    ['test', 'test'],
  ]) {
    const list = fields.get(key);
    if (list !== undefined) lists.set(part, list);
  }
  const names = fields.get('names');
  if (names !== undefined && lists.size > 0) return { root: dirname(file), file, names, lists };
  if (!asked) return undefined;
  const what = `it gives no ${names === undefined ? "'names'" : "'train' or 'valid'"}`;
  throw new BoxwrightError('data', `${file}: ${what}, so this is no Darknet data set; add the line`);
}

async function readDarknet(source: DarknetSource, options: OpenOptions): Promise<Dataset> {
  const { root, file, lists } = source;
  const findings: Findings = { problems: [], tolerant: options.tolerant ?? false };
  // Paths count from where Darknet was started, so only their ends are of use.
  const find = pictureFinder([root, dirname(root)]);
  const classes = await readNames(source, find);
  const { names } = chooseParts([...lists.keys()], options.part, file);
  const searched = options.pictures ? [options.pictures] : [root, ...usualFolders(root)];
  const findPicture = pictureFinder(searched);
  const pictures = new Map<string, ReadPicture>();
  for (const part of names) {
    for (const { name, line } of await readList(lists.get(part) as string, source, find)) {
      const place = { file: lists.get(part) as string, line };
      const picture = await readPicture(name, place, {
        root,
        classes,
        find,
        findPicture,
        findings,
        signal: options.signal,
      });
      if (picture) pictures.set(name, picture);
    }
  }
  const all = [...pictures.values()];
  return assembleDataset(all, { root, format: 'darknet', classes, shares: true, searched }, options, findings);
}

async function readNames({ names, file }: DarknetSource, find: Find): Promise<string[]> {
  const path = await find(names);
  if (path === undefined)
    throw new BoxwrightError('data', `${file}: names = ${names} is not there; put the list of classes beside it`);
  return readClassNames(path);
}

type Find = (name: string) => Promise<string | undefined>;

async function readList(list: string, { file }: DarknetSource, find: Find): Promise<Listed[]> {
  const path = await find(list);
  if (path === undefined)
    throw new BoxwrightError('data', `${file}: the list ${list} is not there; put it beside ${basename(file)}`);
  const lines = (await readText(path, { what: 'the list' })).split(/\r?\n/);
  return lines.map((line, i) => ({ name: line.trim(), line: i + 1 })).filter(({ name }) => name !== '');
}

interface Reading {
  readonly root: string;
  readonly classes: readonly string[];
  readonly find: Find;
  readonly findPicture: Find;
  readonly findings: Findings;
  readonly signal: AbortSignal | undefined;
}

async function readPicture(
  name: string,
  place: { readonly file: string; readonly line: number },
  { root, classes, find, findPicture, findings, signal }: Reading,
): Promise<ReadPicture | undefined> {
  const label = `${name.slice(0, name.length - extname(name).length)}.txt`;
  // Darknet looks in labels/ for pictures of images/ or JPEGImages/, and else beside them.
  const moved = label.replace(/(^|\/)(images|JPEGImages)\/(?!.*\/(images|JPEGImages)\/)/, '$1labels/');
  const file = (await find(moved)) ?? (await find(label));
  if (file === undefined) {
    const what = `${name} has no label file ${moved}`;
    return refuse(findings, 'unusable', place, what, 'add it (empty for background) or remove the line');
  }
  const shown = relative(root, file);
  const objects = parseYoloLabels(await readText(file, { signal }), shown, classes, findings);
  return { name, path: await findPicture(name), file: shown, objects };
}
