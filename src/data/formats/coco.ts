import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { classIndex, requireKnownClasses } from '../classes.js';
import type { DataProblem, Dataset, DatasetImage, GroundTruth, PixelBox } from '../dataset.js';
import { annotatedBox, checkBox, checkSize, type Findings, originOf, refuse, survive } from '../ground-truth.js';
import type { OpenOptions } from '../layout.js';
import { splitBySeed } from '../parts.js';
import { locatePictures, refusePictures } from '../picture-files.js';
import { type CocoCategory, type CocoFile, mergeCategories, parseCoco } from './coco-json.js';
import { asNumber } from './json-file.js';
import { readText } from './text-file.js';

/** An annotation file and where its pictures may lie. */
export interface CocoSource {
  readonly root: string;
  readonly file: string;
  readonly folders: readonly string[];
  /** Files of the other parts, whose categories are merged so that all parts have one class list. */
  readonly siblings: readonly string[];
}

/** Reads one COCO annotation file; `split` is a part to be split off by the seed. */
export async function readCoco(source: CocoSource, options: OpenOptions, split?: string): Promise<Dataset> {
  const { file } = source;
  const coco = await readCocoFile(file, options);
  const categories = mergeCategories([
    { file, categories: coco.categories },
    ...(await Promise.all(
      source.siblings.map(async (other) => ({
        file: other,
        categories: (await readCocoFile(other, options)).categories,
      })),
    )),
  ]);
  const { classes, categoryIds, labels } = orderClasses(categories, options.classes, file);
  const findings: Findings = { problems: [], tolerant: options.tolerant ?? false };
  const { objects, sized } = await readObjects(coco, labels, file, findings);
  const listed = split === undefined ? coco.images : splitBySeed(coco.images, split, options.seed ?? 0, file);
  const folders = options.pictures ? [options.pictures] : existingFolders(source);
  const names = listed.map((image) => image.file_name);
  const { folder, missing } = await locatePictures(names, folders);
  refusePictures(findings, file, missing, names.length, folders);
  const absent = new Set(missing);
  const entries = listed.filter(({ id, file_name }) => sized.has(id) && !absent.has(file_name));
  const images = entries.map((image): DatasetImage => {
    const { id, file_name, width, height } = image;
    return { id, path: join(folder, file_name), name: file_name, width, height, objects: objects.get(id) ?? [] };
  });
  const { problems } = findings;
  const kept = split === undefined ? problems : problemsOf(problems, coco, new Set(entries.map(({ id }) => id)));
  const title = basename(source.root);
  return {
    name: options.part ? `${title} ${options.part}` : title,
    format: 'coco',
    classes,
    categoryIds,
    images,
    problems: kept,
  };
}

async function readCocoFile(path: string, options: OpenOptions): Promise<CocoFile> {
  return parseCoco(await readText(path, options), path);
}

/** Classes by ascending category id, or in the order asked for; `labels` maps a category id to its class. */
function orderClasses(categories: readonly CocoCategory[], wanted: readonly string[] | undefined, file: string) {
  const names = categories.map(({ name }) => name);
  const found = classIndex(names, file);
  const classes = wanted ?? names;
  requireKnownClasses(names, classes, file);
  const index = classIndex(classes, file);
  const labels = new Map(categories.map(({ id, name }) => [id, index.get(name) as number]));
  // A class asked for that the file lacks has no id of its own, and then ids would not fit the classes.
  const hasIds = classes.every((name) => found.has(name));
  const categoryIds = hasIds ? classes.map((name) => categories[found.get(name) as number].id) : undefined;
  return { classes, categoryIds, labels };
}

/** Checked objects by image id, and the ids of images whose size is usable. */
async function readObjects(
  coco: CocoFile,
  labels: ReadonlyMap<number, number>,
  file: string,
  findings: Findings,
): Promise<{ objects: Map<number | string, GroundTruth[]>; sized: ReadonlySet<number | string> }> {
  const images = new Map(coco.images.map((image) => [image.id, image]));
  const sized = new Set<number | string>();
  for (const { id, file_name, width, height } of images.values()) {
    const place = `${file}, image ${file_name}`;
    if (await survive(findings, place, () => checkSize(place, width, height))) sized.add(id);
  }
  const objects = new Map<number | string, GroundTruth[]>();
  for (const [index, annotation] of coco.annotations.entries()) {
    const place = () => ({ file: `${file}, annotation ${index} (id ${annotation?.id})` });
    const image = images.get(annotation?.image_id);
    if (!image) {
      const what = `image_id ${annotation?.image_id} is not among the file's images`;
      refuse(findings, 'unusable', place(), what, 'correct or remove the annotation');
      continue;
    }
    const { category_id, bbox, iscrowd, area, id, difficult, truncated } = annotation;
    const label = labels.get(category_id);
    if (label === undefined) {
      const known = [...labels.keys()].slice(0, 10).join(', ');
      const list = `${known}${labels.size > 10 ? ', …' : ''}`;
      const what = `category_id ${category_id} is not among the file's categories (${list})`;
      refuse(findings, 'unknown class', place(), what, 'correct the id or list the category');
      continue;
    }
    if (!sized.has(image.id)) continue;
    const written = Array.isArray(bbox) && bbox.length === 4 ? bbox.map(asNumber) : Array(4).fill(Number.NaN);
    const [x, y, width, height] = written;
    const origin = { file: `${basename(file)}, image ${image.file_name}`, index, written };
    const edges: PixelBox = [x, y, x + width, y + height];
    const box = checkBox(edges, image, origin, findings);
    if (!box) continue;
    const marks = { ...(difficult ? { difficult: true } : {}), ...(truncated ? { truncated: true } : {}) };
    const object: GroundTruth = {
      box,
      ...annotatedBox(box, edges),
      label,
      ...marks,
      crowd: Boolean(iscrowd),
      area,
      id,
      ...originOf(findings, origin),
    };
    const list = objects.get(image.id);
    if (list) list.push(object);
    else objects.set(image.id, [object]);
  }
  return { objects, sized };
}

function problemsOf(
  problems: readonly DataProblem[],
  coco: CocoFile,
  ids: ReadonlySet<number | string>,
): DataProblem[] {
  return problems.filter(({ index }) => index === undefined || ids.has(coco.annotations[index].image_id));
}

function existingFolders({ folders }: CocoSource): string[] {
  return [...new Set(folders)].filter((folder) => existsSync(folder));
}

/** Where pictures of an annotation file may lie: folders named after the part, then the usual ones. */
export function pictureFolders(root: string, file: string, part: string): string[] {
  const beside = dirname(file);
  return [
    join(root, part),
    join(root, 'images', part),
    join(root, part, 'images'),
    join(root, 'images'),
    join(root, 'JPEGImages'),
    join(beside, 'images'),
    beside,
    root,
  ];
}
