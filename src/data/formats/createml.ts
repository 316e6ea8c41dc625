import { basename, dirname, join } from 'node:path';
import { BoxwrightError } from '../../errors.js';
import { assembleDataset, type ReadObject, type ReadPicture, sortedClasses } from '../assemble.js';
import type { Dataset } from '../dataset.js';
import { type Findings, refuse } from '../ground-truth.js';
import type { DatasetLayout, FoundDataset, OpenOptions } from '../layout.js';
import { chooseParts, isPartName, splitBySeed, WHOLE } from '../parts.js';
import { listFolder, pictureFinder, usualFolders } from '../picture-files.js';
import { asNumber, fieldsOf, parseJson } from './json-file.js';
import { readHead, readText } from './text-file.js';

/** Annotation files by part. */
type PartFiles = ReadonlyMap<string, string>;

const EXPORTED = '_annotations.createml.json';

/** A path to one CreateML file: a json list, where COCO's is an object. */
export const createMlFileLayout: DatasetLayout = {
  format: 'createml',
  description: 'CreateML: the path of one .json file that is a list of pictures with annotations',
  async find(path) {
    if (!path.toLowerCase().endsWith('.json') || !(await isList(path))) return undefined;
    return found(dirname(path), new Map([[WHOLE, path]]), 'a .json file that is a list');
  },
};

/** CreateML files in a folder, or in a folder of each part. */
export const createMlLayout: DatasetLayout = {
  format: 'createml',
  description: `CreateML: ${EXPORTED} (or another list) beside the pictures, also in train/, val/, test/`,
  async find(root) {
    const own = await findFile(root);
    if (own !== undefined) return found(root, new Map([[WHOLE, own]]), basename(own));
    const parts = new Map<string, string>();
    for (const name of (await listFolder(root)).filter(isPartName)) {
      const file = await findFile(join(root, name));
      if (file !== undefined) parts.set(name, file);
    }
    return parts.size > 0 ? found(root, parts, `lists in ${[...parts.keys()].join(', ')}`) : undefined;
  },
};

function found(root: string, parts: PartFiles, note: string): FoundDataset {
  const names = [...parts.keys()].filter((part) => part !== WHOLE);
  return { note, parts: names, read: (options) => readCreateMl(root, parts, options) };
}

async function findFile(folder: string): Promise<string | undefined> {
  const names = (await listFolder(folder)).filter((name) => name.endsWith('.json'));
  if (names.includes(EXPORTED)) return join(folder, EXPORTED);
  // One json among pictures; many are a format of one file a picture.
  return names.length === 1 && (await isList(join(folder, names[0]))) ? join(folder, names[0]) : undefined;
}

/** Whether the file's JSON is a list of objects that name pictures, judged by its beginning. */
async function isList(path: string): Promise<boolean> {
  const head = await readHead(path, 65536);
  return /^\s*\[\s*(\{|\])/.test(head) && /"(image|imagefilename)"\s*:/.test(head);
}

async function readCreateMl(root: string, parts: PartFiles, options: OpenOptions): Promise<Dataset> {
  const findings: Findings = { problems: [], tolerant: options.tolerant ?? false };
  const { names, split } = chooseParts([...parts.keys()], options.part, root);
  const read = new Map<string, ReadPicture[]>();
  for (const [part, file] of parts) {
    const into: Findings = names.includes(part) ? findings : { problems: [], tolerant: true };
    read.set(part, await readFile(file, part, options, into));
  }
  const classes = sortedClasses([...read.values()].flat().flatMap(({ objects }) => objects));
  const all = names.flatMap((name) => read.get(name) as ReadPicture[]);
  const pictures = split === undefined ? all : splitBySeed(all, split, options.seed ?? 0, root);
  const searched = names.flatMap((name) => searchedFolders(parts.get(name) as string, name, options));
  return assembleDataset(pictures, { root, format: 'createml', classes, searched }, options, findings);
}

function searchedFolders(file: string, part: string, { pictures }: OpenOptions): string[] {
  return pictures ? [pictures] : usualFolders(dirname(file), part || undefined);
}

async function readFile(path: string, part: string, options: OpenOptions, findings: Findings): Promise<ReadPicture[]> {
  const file = part === WHOLE ? basename(path) : join(part, basename(path));
  const parsed = parseJson(await readText(path, options), file);
  if (!Array.isArray(parsed))
    throw new BoxwrightError('data', `${file}: it is no list of pictures, so this is no CreateML file`);
  const find = pictureFinder(searchedFolders(path, part, options));
  const pictures: ReadPicture[] = [];
  for (const [i, entry] of parsed.entries()) {
    const place = `${file}, picture ${i}`;
    const fields = fieldsOf(entry) ?? {};
    const name = fields.image ?? fields.imagefilename;
    const listed = fields.annotations ?? fields.annotation ?? [];
    if (typeof name !== 'string' || name === '') {
      refuse(findings, 'unusable', { file: place }, "it has no 'image'", 'name its file there');
      continue;
    }
    if (!Array.isArray(listed)) {
      refuse(findings, 'unusable', { file: place }, "its 'annotations' are no list", 'correct the entry');
      continue;
    }
    const where = `${place} (${name})`;
    const objects = listed.flatMap((annotation, index) => readObject(annotation, where, index, findings) ?? []);
    pictures.push({ name, path: await find(name), file: where, objects });
  }
  return pictures;
}

/** `coordinates` are the centre and the size, in pixels. */
function readObject(annotation: unknown, file: string, index: number, findings: Findings): ReadObject | undefined {
  const { label, coordinates } = fieldsOf(annotation) ?? {};
  if (typeof label !== 'string' || label === '')
    return refuse(findings, 'unusable', { file, index }, 'it has no label', 'name or remove it');
  const fields = fieldsOf(coordinates) ?? {};
  const written = ['x', 'y', 'width', 'height'].map((name) => asNumber(fields[name]));
  const [x, y, width, height] = written;
  const edges = [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
  return { className: label, edges, written, index };
}
