import { stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { BoxwrightError } from '../../errors.js';
import { assembleDataset, type ReadObject, type ReadPicture, sortedClasses } from '../assemble.js';
import type { Dataset } from '../dataset.js';
import { type Findings, refuse } from '../ground-truth.js';
import type { DatasetLayout, FoundDataset, OpenOptions } from '../layout.js';
import { chooseParts, isPartName, splitBySeed, WHOLE } from '../parts.js';
import { listFolder, pictureExtensions, pictureFinder, usualFolders } from '../picture-files.js';
import { readClassNames, readHead, readText } from './text-file.js';

/** Lists by part. */
type PartFiles = ReadonlyMap<string, string>;

/** A picture's path, which may hold blanks, and what follows it. */
const lineForm = new RegExp(`^(.+?(?:${pictureExtensions.map((end) => `\\${end}`).join('|')}))(?:\\s+(.*))?$`, 'i');

/** A path to one list. */
export const textFileLayout: DatasetLayout = {
  format: 'text',
  description: 'Text list: the path of one .txt file with lines `path x1,y1,x2,y2,class x1,y1,x2,y2,class …`',
  async find(path) {
    if (!path.endsWith('.txt') || !(await stat(path)).isFile()) return undefined;
    if (await isTextList(path)) return found(dirname(path), new Map([[WHOLE, path]]));
    const needed = "lines 'path x1,y1,x2,y2,class …' with a picture's path";
    throw new BoxwrightError('data', `${path}, line 1: this is no list of pictures with boxes; needed are ${needed}`);
  },
};

/** Lists in a folder, one whole or one a part. */
export const textLayout: DatasetLayout = {
  format: 'text',
  description: 'Text list: one .txt file of such lines in the folder, or train.txt and val.txt',
  async find(root) {
    const parts = new Map<string, string>();
    for (const name of (await listFolder(root)).filter((entry) => entry.endsWith('.txt'))) {
      if (await isTextList(join(root, name))) parts.set(basename(name, '.txt'), join(root, name));
    }
    if (parts.size === 0) return undefined;
    const [[part, path]] = parts;
    return found(root, parts.size > 1 || isPartName(part) ? parts : new Map([[WHOLE, path]]));
  },
};

function found(root: string, files: PartFiles): FoundDataset {
  const parts = [...files.keys()].filter((part) => part !== WHOLE);
  const note = [...files.values()].map((path) => relative(root, path)).join(', ');
  return { note, parts, read: (options) => readLists(root, files, options) };
}

/** Whether any of the first lines has a picture and numbers behind it. */
async function isTextList(path: string): Promise<boolean> {
  const lines = (await readHead(path)).split(/\r?\n/).slice(0, 20);
  return lines.some((line) => /^[\s,]*-?\d/.test(lineForm.exec(line.trim())?.[2] ?? ''));
}

async function readLists(root: string, files: PartFiles, options: OpenOptions): Promise<Dataset> {
  const findings: Findings = { problems: [], tolerant: options.tolerant ?? false };
  const { names, split } = chooseParts([...files.keys()], options.part, root);
  const order = options.boxOrder ?? 'xyxy';
  const classNames = await readNames(root);
  const all: ReadPicture[] = [];
  const objects: ReadObject[] = [];
  for (const [part, path] of files) {
    const own = names.includes(part);
    const into: Findings = own ? findings : { problems: [], tolerant: true };
    const folders = options.pictures ? [options.pictures] : usualFolders(dirname(path), part || undefined);
    const pictures = await readList(path, relative(root, path), order, pictureFinder(folders), into);
    objects.push(...pictures.flatMap((picture) => picture.objects));
    if (own) all.push(...pictures);
  }
  const classes = classNames?.filter((name) => name !== 'background') ?? sortedClasses(objects);
  const named = classNames ? all.map((picture) => withNames(picture, classNames, findings)) : all;
  const pictures = split === undefined ? named : splitBySeed(named, split, options.seed ?? 0, root);
  const searched = options.pictures ? [options.pictures] : usualFolders(root);
  const note = `boxes as ${order === 'xyxy' ? 'x1, y1, x2, y2' : 'y1, x1, y2, x2'}`;
  return assembleDataset(pictures, { root, format: 'text', classes, searched, note }, options, findings);
}

/** Classes by number, where a file beside the list names them; the MindSpore zoo's lists begin with `background`. */
async function readNames(root: string): Promise<string[] | undefined> {
  const name = (await listFolder(root)).find((entry) => entry === 'classes.txt' || entry.endsWith('.names'));
  return name === undefined ? undefined : readClassNames(join(root, name));
}

/** Numbers become the names of their places; names stay as they are. */
function withNames(picture: ReadPicture, names: readonly string[], findings: Findings): ReadPicture {
  const objects = picture.objects.flatMap((object): ReadObject[] => {
    const number = /^\d+$/.test(object.className) ? Number(object.className) : names.indexOf(object.className);
    const className = names[number];
    if (className !== undefined && className !== 'background') return [{ ...object, className }];
    const what = `class ${object.className} is not among the ${names.length} classes that are named`;
    refuse(findings, 'unknown class', { file: picture.file, line: object.line }, what, 'correct the line or name it');
    return [];
  });
  return { ...picture, objects };
}

async function readList(
  path: string,
  file: string,
  order: 'xyxy' | 'yxyx',
  find: (name: string) => Promise<string | undefined>,
  findings: Findings,
): Promise<ReadPicture[]> {
  const pictures: ReadPicture[] = [];
  const lines = (await readText(path, { what: 'the list' })).split(/\r?\n/);
  for (const [i, content] of lines.entries()) {
    const line = content.trim();
    if (line === '') continue;
    const [, name, rest = ''] = lineForm.exec(line) ?? [];
    if (name === undefined) {
      const what = `'${line.slice(0, 40)}' begins with no picture's path`;
      refuse(findings, 'unusable', { file, line: i + 1 }, what, "write 'path x1,y1,x2,y2,class …'");
      continue;
    }
    const objects = objectsOf(rest, { file, line: i + 1 }, order, findings);
    pictures.push({ name, path: await find(name), file, objects });
  }
  return pictures;
}

/** Groups of five values: a group a word, its values apart by commas; or all apart by blanks. */
function objectsOf(
  rest: string,
  place: { readonly file: string; readonly line: number },
  order: 'xyxy' | 'yxyx',
  findings: Findings,
): ReadObject[] {
  const words = rest.split(/\s+/).filter((word) => word !== '');
  const groups = rest.includes(',') ? words.map((word) => word.split(',')) : inFives(words);
  return groups.flatMap((values, i): ReadObject[] => {
    if (values.length !== 5 || values.some((value) => value === '')) {
      const what = `box ${i} is '${values.join(',')}', which is not four numbers and a class`;
      refuse(findings, 'unusable', place, what, 'correct the line');
      return [];
    }
    const written = values.slice(0, 4).map(Number);
    const [a, b, c, d] = written;
    return [{ className: values[4], edges: order === 'xyxy' ? written : [b, a, d, c], written, line: place.line }];
  });
}

function inFives(words: readonly string[]): string[][] {
  const groups: string[][] = [];
  for (let at = 0; at < words.length; at += 5) groups.push(words.slice(at, at + 5));
  return groups;
}
