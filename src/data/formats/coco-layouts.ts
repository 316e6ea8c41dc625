import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Dataset } from '../dataset.js';
import type { DatasetLayout, FoundDataset, OpenOptions } from '../layout.js';
import { findPart, noSuchPart } from '../parts.js';
import { listFolder } from '../picture-files.js';
import { type CocoSource, pictureFolders, readCoco } from './coco.js';

/** Annotation files by part. */
type PartFiles = ReadonlyMap<string, string>;

/** Larger annotation files of other parts are not read for their categories: COCO's own takes 450 MB and many seconds. */
const SIBLING_BYTES = 64 * 2 ** 20;

const EXPORTED = '_annotations.coco.json';

/** COCO's own folders: `annotations/instances_train2017.json` with `train2017/`. */
export const cocoLayout: DatasetLayout = {
  format: 'coco',
  description: 'COCO: annotations/instances_<part>.json with pictures in <part>/ or images/',
  async find(root) {
    const folder = join(root, 'annotations');
    const parts = new Map<string, string>();
    for (const name of await listFolder(folder)) {
      const part = /^instances_(.+)\.json$/.exec(name)?.[1];
      if (part !== undefined) parts.set(part, join(folder, name));
    }
    return parts.size > 0 ? foundParts(root, parts, 'annotations/instances_*.json') : undefined;
  },
};

/** A folder for each part, each with its own file, as labelling services export COCO; or one such folder alone. */
export const cocoExportLayout: DatasetLayout = {
  format: 'coco',
  description: `COCO export: <part>/${EXPORTED} beside the pictures, for instance train/ and valid/`,
  async find(root) {
    const entries = await listFolder(root);
    if (entries.includes(EXPORTED)) {
      const parts = new Map([[basename(root), join(root, EXPORTED)]]);
      return foundParts(root, parts, EXPORTED);
    }
    const parts = new Map<string, string>();
    for (const name of entries) {
      if ((await listFolder(join(root, name))).includes(EXPORTED)) parts.set(name, join(root, name, EXPORTED));
    }
    return parts.size > 0 ? foundParts(root, parts, `<part>/${EXPORTED}`) : undefined;
  },
};

/** A path to one COCO file. */
export const cocoFileLayout: DatasetLayout = {
  format: 'coco',
  description: 'COCO: the path of one .json file, pictures beside it or in images/',
  async find(path) {
    if (!path.toLowerCase().endsWith('.json')) return undefined;
    const part = basename(path, '.json').replace(/^instances_/, '');
    const root = basename(dirname(path)) === 'annotations' ? dirname(dirname(path)) : dirname(path);
    const source = { root, file: path, folders: pictureFolders(root, path, part), siblings: [] };
    return { note: 'a .json file', parts: [], read: (options) => readCoco(source, options, options.part) };
  },
};

function foundParts(root: string, parts: PartFiles, what: string): FoundDataset {
  const names = [...parts.keys()];
  return { note: `${what} (${names.join(', ')})`, parts: names, read: (options) => readPart(root, parts, options) };
}

async function readPart(root: string, parts: PartFiles, options: OpenOptions): Promise<Dataset> {
  const names = [...parts.keys()];
  if (options.part === undefined) {
    if (names.length === 1) return readCoco(sourceOf(root, parts, names[0], []), options);
    throw noSuchPart(undefined, names, root);
  }
  const found = findPart(names, options.part, root);
  if (found !== undefined) return readCoco(sourceOf(root, parts, found, await smallSiblings(parts, found)), options);
  // One file without a part in its name, such as instances_default.json, is split; one that is a part is not.
  const single = names.length === 1 && !/^(train|val|test)/.test(names[0]);
  if (!single) throw noSuchPart(options.part, names, root);
  return readCoco(sourceOf(root, parts, names[0], []), options, options.part);
}

function sourceOf(root: string, parts: PartFiles, part: string, siblings: readonly string[]): CocoSource {
  const file = parts.get(part) as string;
  return { root, file, folders: pictureFolders(root, file, part), siblings };
}

async function smallSiblings(parts: PartFiles, part: string): Promise<string[]> {
  const others = [...parts].filter(([name]) => name !== part).map(([, file]) => file);
  const sizes = await Promise.all(others.map(async (file) => (await stat(file)).size));
  return others.filter((_, i) => sizes[i] <= SIBLING_BYTES);
}
