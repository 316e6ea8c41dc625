import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { BoxwrightError } from '../errors.js';
import { classIndex, requireKnownClasses } from './classes.js';
import type { DataProblem, Dataset, DatasetImage, GroundTruth } from './dataset.js';
import { pictureSize } from './decode.js';
import { annotatedBox, checkBox, checkSize } from './ground-truth.js';
import type { DatasetLayout, OpenOptions } from './layout.js';
import { findPart, noSuchPart, splitBySeed } from './parts.js';
import { isPictureName, listFolder, picturesByStem, requirePictures, undecodable } from './picture-files.js';
import { parseVocXml, type VocAnnotation } from './voc-xml.js';

/** A folder with Pascal VOC annotations. */
interface VocFolders {
  readonly root: string;
  readonly annotations: string;
  readonly pictures: string;
}

/** Pascal VOC's own folders: `Annotations/`, `JPEGImages/` and lists of parts in `ImageSets/Main/`. */
export const vocLayout: DatasetLayout = {
  description: 'Pascal VOC: Annotations/*.xml with JPEGImages/ or images/, parts listed in ImageSets/Main/*.txt',
  async find(root) {
    const annotations = join(root, 'Annotations');
    if (!(await listFolder(annotations)).some(isXml)) return undefined;
    const pictures = ['JPEGImages', 'images', 'Images']
      .map((name) => join(root, name))
      .find((folder) => existsSync(folder));
    const folders = { root, annotations, pictures: pictures ?? annotations };
    return { read: (options) => readVoc(folders, options) };
  },
};

/** Pascal VOC files beside their pictures in one folder, as many labelling tools write them. */
export const vocFlatLayout: DatasetLayout = {
  description: 'Pascal VOC xml files beside their pictures',
  async find(root) {
    if (!(await listFolder(root)).some(isXml)) return undefined;
    return { read: (options) => readVoc({ root, annotations: root, pictures: root }, options) };
  },
};

function isXml(name: string): boolean {
  return name.endsWith('.xml');
}

/** Reads every annotation, since the class list must not depend on the part, then keeps the part's pictures. */
async function readVoc(folders: VocFolders, options: OpenOptions): Promise<Dataset> {
  const { root } = folders;
  const stems = (await listFolder(folders.annotations)).filter(isXml).map((name) => name.slice(0, -'.xml'.length));
  const annotations = new Map<string, VocAnnotation>();
  for (const stem of stems) annotations.set(stem, await readAnnotation(folders, stem));
  const found = [
    ...new Set([...annotations.values()].flatMap(({ objects }) => objects.map(({ name }) => name))),
  ].sort();
  const classes = options.classes ?? found;
  requireKnownClasses(found, classes, root);
  const labels = classIndex(classes, root);
  const chosen = await chooseStems(folders, stems, options);
  const paths = await findPictures({ ...folders, pictures: options.pictures ?? folders.pictures }, annotations, chosen);
  const problems: DataProblem[] = [];
  const images: DatasetImage[] = [];
  for (const stem of chosen) {
    const annotation = annotations.get(stem) as VocAnnotation;
    images.push(
      await readImage(stem, annotation, paths.get(stem) as string, labels, options.firstPixel ?? 1, problems),
    );
  }
  const name = options.part ? `${basename(root)} ${options.part}` : basename(root);
  return { name, format: 'voc', classes, images, problems };
}

async function readAnnotation({ annotations }: VocFolders, stem: string): Promise<VocAnnotation> {
  const path = join(annotations, `${stem}.xml`);
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    throw new BoxwrightError('io', `${path}: the annotation cannot be read (${cause.message})`, { cause });
  });
  return parseVocXml(text, path);
}

/** Names without extension of the pictures of a part, in the order of its list. */
async function chooseStems(
  { root }: VocFolders,
  stems: readonly string[],
  options: OpenOptions,
): Promise<readonly string[]> {
  const { part, seed = 0 } = options;
  if (part === undefined) return stems;
  const lists = join(root, 'ImageSets', 'Main');
  const parts = (await listFolder(lists))
    .filter((name) => name.endsWith('.txt'))
    .map((name) => name.slice(0, -'.txt'.length));
  if (parts.length === 0) return splitBySeed(stems, part, seed, root);
  const found = findPart(parts, part, root);
  if (found === undefined) throw noSuchPart(part, parts, root);
  return readList(join(lists, `${found}.txt`), new Set(stems));
}

async function readList(path: string, stems: ReadonlySet<string>): Promise<string[]> {
  const chosen: string[] = [];
  const lines = (await readFile(path, 'utf8')).split(/\r?\n/);
  lines.forEach((line, i) => {
    // Lists of one class add 1, 0 or -1 behind the name.
    const stem = line.trim().replace(/\s+(-1|0|1)$/, '');
    if (stem === '') return;
    if (!stems.has(stem)) {
      throw new BoxwrightError(
        'data',
        `${path}, line ${i + 1}: '${stem}' has no annotation Annotations/${stem}.xml; add it or remove the line`,
      );
    }
    chosen.push(stem);
  });
  if (chosen.length === 0) throw new BoxwrightError('data', `${path}: the list names no picture`);
  return chosen;
}

/** Paths by name: the picture named like the annotation, or else the one that the annotation names. */
async function findPictures(
  { root, pictures }: VocFolders,
  annotations: ReadonlyMap<string, VocAnnotation>,
  chosen: readonly string[],
): Promise<Map<string, string>> {
  const byStem = await picturesByStem(pictures);
  const names = new Set(await listFolder(pictures));
  const paths = new Map<string, string>();
  const missing: string[] = [];
  for (const stem of chosen) {
    const stated = annotations.get(stem)?.filename;
    const name = byStem.get(stem) ?? (stated !== undefined && names.has(stated) ? stated : undefined);
    if (name === undefined) missing.push(stated ?? stem);
    else if (!isPictureName(name)) throw undecodable(join(pictures, name));
    else paths.set(stem, join(pictures, name));
  }
  requirePictures(root, missing, chosen.length, [pictures]);
  return paths;
}

async function readImage(
  stem: string,
  annotation: VocAnnotation,
  path: string,
  labels: ReadonlyMap<string, number>,
  firstPixel: number,
  problems: DataProblem[],
): Promise<DatasetImage> {
  const file = `${stem}.xml`;
  const size = annotation.size
    ? checkSize(file, annotation.size.width, annotation.size.height)
    : await pictureSize(path, basename(path));
  const objects: GroundTruth[] = [];
  annotation.objects.forEach(({ name, box, difficult, truncated }, index) => {
    const shifted = box.map((coordinate) => coordinate - firstPixel);
    const checked = checkBox(shifted, size, { file, index, written: box }, problems);
    if (!checked) return;
    const label = labels.get(name) as number;
    objects.push({ box: checked, ...annotatedBox(checked, shifted), label, difficult, truncated });
  });
  return { id: stem, path, name: basename(path), ...size, objects };
}
