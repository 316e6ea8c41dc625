import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { BoxwrightError } from '../../errors.js';
import { classIndex, requireKnownClasses } from '../classes.js';
import type { DataProblem, Dataset, DatasetImage, GroundTruth } from '../dataset.js';
import { pictureSize } from '../decode.js';
import { annotatedBox, checkBox, checkSize, type Findings, originOf, refuse, survive } from '../ground-truth.js';
import type { DatasetLayout, OpenOptions } from '../layout.js';
import { findPart, noSuchPart, splitBySeed } from '../parts.js';
import { isPictureName, listFolder, picturesByStem, refusePictures, undecodable } from '../picture-files.js';
import { readText } from './text-file.js';
import { parseVocXml, type VocAnnotation } from './voc-xml.js';

/** A folder with Pascal VOC annotations. */
export interface VocFolders {
  readonly root: string;
  readonly annotations: string;
  readonly pictures: string;
}

/** Pascal VOC's own folders: `Annotations/`, `JPEGImages/` and lists of parts in `ImageSets/Main/`. */
export const vocLayout: DatasetLayout = {
  format: 'voc',
  description: 'Pascal VOC: Annotations/*.xml with JPEGImages/ or images/, parts listed in ImageSets/Main/*.txt',
  async find(root) {
    const folders = await findVocFolders(root);
    if (!folders) return undefined;
    const parts = await listParts(root);
    const lists = parts.length > 0 ? `${parts.length} lists in ImageSets/Main` : 'no lists of parts';
    return { note: `Annotations/*.xml, ${lists}`, parts, read: (options) => readVoc(folders, options) };
  },
};

/** Pascal VOC files beside their pictures in one folder, as many labelling tools write them. */
export const vocFlatLayout: DatasetLayout = {
  format: 'voc',
  description: 'Pascal VOC xml files beside their pictures',
  async find(root) {
    if (!(await listFolder(root)).some(isXml)) return undefined;
    const folders = { root, annotations: root, pictures: root };
    return { note: 'xml files beside pictures', parts: [], read: (options) => readVoc(folders, options) };
  },
};

/** The folders of a data set in Pascal VOC's own layout, if there is one. */
export async function findVocFolders(root: string): Promise<VocFolders | undefined> {
  const annotations = join(root, 'Annotations');
  if (!(await listFolder(annotations)).some(isXml)) return undefined;
  const pictures = ['JPEGImages', 'images', 'Images']
    .map((name) => join(root, name))
    .find((folder) => existsSync(folder));
  return { root, annotations, pictures: pictures ?? annotations };
}

/** Names of the lists in `ImageSets/Main/`. */
export async function listParts(root: string): Promise<string[]> {
  const names = await listFolder(join(root, 'ImageSets', 'Main'));
  return names.filter((name) => name.endsWith('.txt')).map((name) => name.slice(0, -'.txt'.length));
}

function isXml(name: string): boolean {
  return name.endsWith('.xml');
}

/** Reads every annotation, since the class list must not depend on the part, then keeps the part's pictures. */
export async function readVoc(folders: VocFolders, options: OpenOptions): Promise<Dataset> {
  const { root } = folders;
  const findings: Findings = { problems: [], tolerant: options.tolerant ?? false };
  const stems = (await listFolder(folders.annotations)).filter(isXml).map((name) => name.slice(0, -'.xml'.length));
  const annotations = new Map<string, VocAnnotation>();
  const unread = new Map<string, readonly DataProblem[]>();
  for (const stem of stems) {
    const path = join(folders.annotations, `${stem}.xml`);
    const own: Findings = { problems: [], tolerant: findings.tolerant };
    const annotation = await survive(own, path, async () => parseVocXml(await readText(path, options), path));
    if (annotation) annotations.set(stem, annotation);
    else unread.set(stem, own.problems);
  }
  const found = [
    ...new Set([...annotations.values()].flatMap(({ objects }) => objects.map(({ name }) => name))),
  ].sort();
  const classes = options.classes ?? found;
  requireKnownClasses(found, classes, root);
  const labels = classIndex(classes, root);
  const listed = await chooseStems(folders, stems, options, findings);
  findings.problems.push(...listed.flatMap((stem) => unread.get(stem) ?? []));
  const chosen = listed.filter((stem) => annotations.has(stem));
  const places = { ...folders, pictures: options.pictures ?? folders.pictures };
  const paths = await findPictures(places, annotations, chosen, findings);
  const images: DatasetImage[] = [];
  for (const stem of chosen) {
    const path = paths.get(stem);
    if (path === undefined) continue;
    const annotation = annotations.get(stem) as VocAnnotation;
    const image = await survive(findings, `${stem}.xml`, () =>
      readImage(stem, annotation, path, labels, options.firstPixel ?? 1, findings),
    );
    if (image) images.push(image);
  }
  const name = options.part ? `${basename(root)} ${options.part}` : basename(root);
  return { name, format: 'voc', classes, images, problems: findings.problems };
}

/** Names without extension of the pictures of a part, in the order of its list. */
async function chooseStems(
  { root }: VocFolders,
  stems: readonly string[],
  options: OpenOptions,
  findings: Findings,
): Promise<readonly string[]> {
  const { part, seed = 0 } = options;
  if (part === undefined) return stems;
  const parts = await listParts(root);
  if (parts.length === 0) return splitBySeed(stems, part, seed, root);
  const found = findPart(parts, part, root);
  if (found === undefined) throw noSuchPart(part, parts, root);
  return readList(join(root, 'ImageSets', 'Main', `${found}.txt`), new Set(stems), findings);
}

async function readList(path: string, stems: ReadonlySet<string>, findings: Findings): Promise<string[]> {
  const chosen: string[] = [];
  const lines = (await readText(path, { what: 'the list' })).split(/\r?\n/);
  lines.forEach((line, i) => {
    // Lists of one class add 1, 0 or -1 behind the name.
    const stem = line.trim().replace(/\s+(-1|0|1)$/, '');
    if (stem === '') return;
    if (!stems.has(stem)) {
      const what = `'${stem}' has no annotation Annotations/${stem}.xml`;
      refuse(findings, 'unusable', { file: path, line: i + 1 }, what, 'add it or remove the line');
      return;
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
  findings: Findings,
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
  refusePictures(findings, root, missing, chosen.length, [pictures]);
  return paths;
}

async function readImage(
  stem: string,
  annotation: VocAnnotation,
  path: string,
  labels: ReadonlyMap<string, number>,
  firstPixel: number,
  findings: Findings,
): Promise<DatasetImage> {
  const file = `${stem}.xml`;
  const size = annotation.size
    ? checkSize(file, annotation.size.width, annotation.size.height)
    : await pictureSize(path, basename(path));
  const objects: GroundTruth[] = [];
  annotation.objects.forEach(({ name, box, difficult, truncated }, index) => {
    const shifted = box.map((coordinate) => coordinate - firstPixel);
    const checked = checkBox(shifted, size, { file, index, written: box }, findings);
    if (!checked) return;
    const label = labels.get(name) as number;
    objects.push({
      box: checked,
      ...annotatedBox(checked, shifted),
      label,
      difficult,
      truncated,
      ...originOf(findings, { file, index }),
    });
  });
  return { id: stem, path, name: basename(path), ...size, objects };
}
