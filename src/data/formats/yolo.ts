import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { BoxwrightError } from '../../errors.js';
import { assembleDataset, type ReadPicture } from '../assemble.js';
import type { Dataset } from '../dataset.js';
import type { Findings } from '../ground-truth.js';
import type { DatasetLayout, OpenOptions } from '../layout.js';
import { chooseParts, splitBySeed, WHOLE } from '../parts.js';
import { isPictureName, listFolder, pictureFinder, usualFolders } from '../picture-files.js';
import { fieldsOf } from './json-file.js';
import { readClassNames, readText } from './text-file.js';
import { parseYoloLabels } from './yolo-labels.js';

/** What a YOLO data set's description says. */
interface YoloSource {
  readonly root: string;
  /** What names the classes, for messages. */
  readonly file: string;
  readonly classes: readonly string[];
  /** Folders, lists or pictures of every part. */
  readonly parts: ReadonlyMap<string, readonly string[]>;
}

/** Ultralytics' `data.yaml` with `images/` and `labels/`; or such folders with a `classes.txt`. */
export const yoloLayout: DatasetLayout = {
  format: 'yolo',
  description: 'YOLO: data.yaml (names, train, val), or images/ and labels/ with classes.txt',
  async find(path) {
    const source = await findYolo(path);
    if (!source) return undefined;
    const parts = [...source.parts.keys()].filter((part) => part !== WHOLE);
    return { note: basename(source.file), parts, read: (options) => readYolo(source, options) };
  },
};

async function findYolo(path: string): Promise<YoloSource | undefined> {
  if (isYaml(path) && (await stat(path)).isFile()) return readDescription(path, true);
  const names = await listFolder(path);
  const known = names.filter((name) => /^(data|dataset)\.ya?ml$/i.test(name));
  const yamls = known.length > 0 ? known : names.filter(isYaml);
  for (const name of yamls) {
    const found = await readDescription(join(path, name), false);
    if (found) return found;
  }
  return findUnnamed(path, names);
}

function isYaml(path: string): boolean {
  return ['.yaml', '.yml'].includes(extname(path).toLowerCase());
}

/** Undefined for yaml of something else, unless it was asked for. */
async function readDescription(file: string, asked: boolean): Promise<YoloSource | undefined> {
  let parsed: unknown;
  try {
    parsed = parseYaml(await readText(file, { what: 'the description' }));
  } catch (cause) {
    if (!asked && !/^(data|dataset)\./i.test(basename(file))) return undefined;
    if (cause instanceof BoxwrightError) throw cause;
    throw new BoxwrightError('data', `${file}: not valid YAML (${(cause as Error).message.split('\n')[0]})`, { cause });
  }
  const fields = fieldsOf(parsed);
  if (fields?.names === undefined) {
    if (!asked) return undefined;
    throw new BoxwrightError('data', `${file}: it has no 'names', so this is no YOLO data set; list the classes there`);
  }
  const classes = namesOf(fields.names, fields.nc, file);
  const base = typeof fields.path === 'string' ? resolve(dirname(file), fields.path) : dirname(file);
  // A path written on another machine: what lies beside the file is meant.
  const root = existsSync(base) ? base : dirname(file);
  const parts = new Map<string, readonly string[]>();
  for (const part of ['train', 'val', 'test']) {
    const given = [fields[part] ?? []].flat().filter((entry) => typeof entry === 'string' && entry !== '') as string[];
    const places = given.flatMap((entry) => locate(entry, root, dirname(file)) ?? []);
    if (places.length > 0) parts.set(part, places);
  }
  if (parts.size === 0) {
    const given = ['train', 'val', 'test'].filter((part) => fields[part]).map((part) => `${part}: ${fields[part]}`);
    const what = given.length > 0 ? `none of ${given.join(', ')} is there` : "it names no 'train', 'val' or 'test'";
    throw new BoxwrightError('data', `${file}: ${what}; correct the paths (they count from 'path', or from this file)`);
  }
  return { root: dirname(file), file, classes, parts };
}

/** Names as a list, or by index. */
function namesOf(names: unknown, count: unknown, file: string): string[] {
  const entries: [number, unknown][] = Array.isArray(names)
    ? names.map((name, i) => [i, name])
    : Object.entries(fieldsOf(names) ?? {}).map(([index, name]) => [Number(index), name]);
  entries.sort(([a], [b]) => a - b);
  const classes = entries.map(([index, name], i) => {
    const usable = index === i && (typeof name === 'string' || typeof name === 'number') && name !== '';
    if (usable) return String(name);
    throw new BoxwrightError('data', `${file}: 'names' has no usable name for class ${i}; name every class from 0 on`);
  });
  if (count !== undefined && count !== classes.length) {
    throw new BoxwrightError('data', `${file}: 'nc' is ${count}, but 'names' has ${classes.length}; they must agree`);
  }
  return classes;
}

/** Where a part lies: as written, or, as exporting services write paths of another place, without the leading steps up. */
function locate(entry: string, root: string, beside: string): string | undefined {
  const shortened = entry.replace(/^(\.\.?\/)+/, '');
  const places = [resolve(root, entry), resolve(beside, entry), join(root, shortened), join(beside, shortened)];
  return places.find((place) => existsSync(place));
}

/** `images/` and `labels/`, each whole or by part, and a file that names the classes. */
async function findUnnamed(root: string, names: readonly string[]): Promise<YoloSource | undefined> {
  if (!names.includes('images') || !names.includes('labels')) return undefined;
  const file = ['classes.txt', 'obj.names', 'labels/classes.txt'].map((name) => join(root, name)).find(existsSync);
  if (!file) return undefined;
  const classes = await readClassNames(file);
  const folders = (await readdir(join(root, 'images'), { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const parts = folders.length > 0 ? folders.map(({ name }) => name).sort() : [WHOLE];
  return { root, file, classes, parts: new Map(parts.map((part) => [part, [join(root, 'images', part)]])) };
}

async function readYolo(source: YoloSource, options: OpenOptions): Promise<Dataset> {
  const { root, classes, parts } = source;
  const findings: Findings = { problems: [], tolerant: options.tolerant ?? false };
  const { names, split } = chooseParts([...parts.keys()], options.part, source.file);
  const paths = new Set<string>();
  for (const name of names) {
    for (const place of parts.get(name) as readonly string[]) {
      for (const path of await picturesAt(place, root, options)) paths.add(path);
    }
  }
  const all = [...paths];
  const chosen = split === undefined ? all : splitBySeed(all, split, options.seed ?? 0, root);
  const pictures: ReadPicture[] = [];
  let labelled = 0;
  for (const path of chosen) {
    const label = labelFile(path);
    const file = relative(root, label);
    const name = relative(root, path);
    const isThere = existsSync(path);
    const text = existsSync(label) ? await readText(label, options) : undefined;
    if (text !== undefined) labelled++;
    const objects = text === undefined ? [] : parseYoloLabels(text, file, classes, findings);
    pictures.push({ name, path: isThere ? path : undefined, file, objects });
  }
  if (labelled === 0 && chosen.length > 0) {
    const what = `none of ${chosen.length} pictures has a label file; looked for instance for ${labelFile(chosen[0])}`;
    throw new BoxwrightError('data', `${root}: ${what}`);
  }
  // Lists leave pictures out on purpose, folders do not.
  const places = names.flatMap((name) => parts.get(name) as readonly string[]);
  const whole = split === undefined && (await Promise.all(places.map(isFolder))).every(Boolean);
  for (const orphan of whole ? await orphans(paths) : []) {
    pictures.push({ name: relative(root, orphan), path: undefined, file: relative(root, orphan), objects: [] });
  }
  const empty = chosen.length - labelled;
  const note = empty > 0 ? `${empty} pictures without label file are background` : undefined;
  return assembleDataset(
    pictures,
    { root, format: 'yolo', classes, shares: true, searched: [root], note },
    options,
    findings,
  );
}

/** The pictures of a folder and all below it, or of a list; one picture is itself. */
async function picturesAt(place: string, root: string, options: OpenOptions): Promise<string[]> {
  if (await isFolder(place)) {
    const names = await readdir(place, { recursive: true });
    return names
      .filter(isPictureName)
      .sort()
      .map((name) => join(place, name));
  }
  if (isPictureName(place)) return [place];
  const lines = (await readText(place, { what: 'the list' })).split(/\r?\n/).map((line) => line.trim());
  const find = pictureFinder([...(options.pictures ? [options.pictures] : []), dirname(place), ...usualFolders(root)]);
  const named = lines.filter((line) => line !== '');
  return Promise.all(named.map(async (line) => (await find(line)) ?? resolve(dirname(place), line)));
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path)).isDirectory();
}

/** The last folder `images` becomes `labels`, as everyone has it; else labels lie beside pictures. */
function labelFile(picture: string): string {
  const label = `${picture.slice(0, -extname(picture).length)}.txt`;
  const steps = label.split(sep);
  const at = Math.max(steps.lastIndexOf('images'), steps.lastIndexOf('JPEGImages'));
  if (at < 0) return label;
  const moved = steps.with(at, 'labels').join(sep);
  return existsSync(moved) || !existsSync(label) ? moved : label;
}

/** Label files beside those of the pictures that no picture belongs to. */
async function orphans(pictures: Iterable<string>): Promise<string[]> {
  const labels = new Set([...pictures].map(labelFile));
  const found: string[] = [];
  for (const folder of new Set([...labels].map((label) => dirname(label)))) {
    if (basename(folder) !== 'labels' && !folder.split(sep).includes('labels')) continue;
    const files = (await listFolder(folder)).filter((name) => name.endsWith('.txt') && name !== 'classes.txt');
    found.push(...files.map((name) => join(folder, name)).filter((path) => !labels.has(path)));
  }
  return found;
}
