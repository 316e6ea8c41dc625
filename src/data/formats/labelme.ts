import { join } from 'node:path';
import { assembleDataset, type ReadObject, type ReadPicture, sortedClasses } from '../assemble.js';
import type { Dataset } from '../dataset.js';
import { type Findings, refuse, survive } from '../ground-truth.js';
import type { DatasetLayout, OpenOptions } from '../layout.js';
import { chooseParts, isPartName, splitBySeed, WHOLE } from '../parts.js';
import { listFolder, pictureFinder, usualFolders } from '../picture-files.js';
import { asNumber, fieldsOf, parseJson } from './json-file.js';
import { readText } from './text-file.js';

/** Folders of LabelMe files by part. */
type PartFolders = ReadonlyMap<string, string>;

/** Files that are looked into to see whether they are LabelMe's. */
const SAMPLED = 3;

/** LabelMe's json files, one a picture, in one folder or in a folder of each part. */
export const labelMeLayout: DatasetLayout = {
  format: 'labelme',
  description: 'LabelMe: a json file with shapes and imagePath for every picture, also in train/, val/, test/',
  async find(root) {
    const parts = new Map<string, string>();
    if (await isLabelMe(root)) parts.set(WHOLE, root);
    else {
      for (const name of (await listFolder(root)).filter(isPartName)) {
        if (await isLabelMe(join(root, name))) parts.set(name, join(root, name));
      }
    }
    if (parts.size === 0) return undefined;
    const names = [...parts.keys()].filter((name) => name !== WHOLE);
    const note = `json files with shapes${names.length > 0 ? ` in ${names.join(', ')}` : ''}`;
    return { note, parts: names, read: (options) => readLabelMe(root, parts, options) };
  },
};

async function isLabelMe(folder: string): Promise<boolean> {
  for (const name of (await listFolder(folder)).filter(isJson).slice(0, SAMPLED)) {
    const text = await readText(join(folder, name)).catch(() => '');
    // Broken files are told of when they are read; a look at the text is enough here.
    if (/"shapes"\s*:/.test(text) && /"imagePath"\s*:/.test(text)) return true;
  }
  return false;
}

function isJson(name: string): boolean {
  return name.endsWith('.json');
}

async function readLabelMe(root: string, parts: PartFolders, options: OpenOptions): Promise<Dataset> {
  const findings: Findings = { problems: [], tolerant: options.tolerant ?? false };
  const { names, split } = chooseParts([...parts.keys()], options.part, root);
  const read = new Map<string, ReadPicture[]>();
  for (const [part, folder] of parts) {
    // The other parts are read for their classes; what is odd in them is told when it is their turn.
    const own = names.includes(part);
    const into: Findings = own ? findings : { problems: [], tolerant: true };
    read.set(part, await readFolder(root, folder, part, options, into));
  }
  const classes = sortedClasses([...read.values()].flat().flatMap(({ objects }) => objects));
  const all = names.flatMap((name) => read.get(name) as ReadPicture[]);
  const pictures = split === undefined ? all : splitBySeed(all, split, options.seed ?? 0, root);
  const searched = searchedFolders(root, options);
  return assembleDataset(pictures, { root, format: 'labelme', classes, searched }, options, findings);
}

function searchedFolders(folder: string, { pictures }: OpenOptions): string[] {
  return pictures ? [pictures] : usualFolders(folder);
}

async function readFolder(
  root: string,
  folder: string,
  part: string,
  options: OpenOptions,
  findings: Findings,
): Promise<ReadPicture[]> {
  const find = pictureFinder(searchedFolders(folder, options));
  const pictures: ReadPicture[] = [];
  for (const name of (await listFolder(folder)).filter(isJson)) {
    const path = join(folder, name);
    const file = folder === root ? name : join(part, name);
    const picture = await survive(findings, file, async () => {
      const fields = fieldsOf(parseJson(await readText(path, options), file));
      if (!Array.isArray(fields?.shapes)) {
        const what = "it has no list 'shapes', so this is no LabelMe file";
        return refuse(findings, 'unusable', { file }, what, 'move it out of the folder');
      }
      if (typeof fields.imagePath !== 'string' || fields.imagePath === '')
        return refuse(findings, 'unusable', { file }, "it has no 'imagePath'", 'name its picture there');
      const { imageWidth, imageHeight, imagePath } = fields;
      const hasSize = imageWidth !== undefined && imageWidth !== null;
      const size = hasSize ? { width: asNumber(imageWidth), height: asNumber(imageHeight) } : undefined;
      return {
        name: imagePath,
        path: await find(imagePath),
        file,
        size,
        objects: objectsOf(fields.shapes, file, findings),
      };
    });
    if (picture) pictures.push(picture);
  }
  return pictures;
}

/** The boxes of shapes; polygons of one label and group are pieces of one object. */
function objectsOf(shapes: readonly unknown[], file: string, findings: Findings): ReadObject[] {
  const objects: ReadObject[] = [];
  const groups = new Map<string, number>();
  shapes.forEach((shape, index) => {
    const object = readShape(fieldsOf(shape) ?? {}, { file, index }, findings);
    if (!object) return;
    const { group_id: group, shape_type: type } = shape as Record<string, unknown>;
    const key =
      type === 'polygon' && group !== null && group !== undefined ? `${object.className}\n${group}` : undefined;
    const at = key === undefined ? undefined : groups.get(key);
    if (at !== undefined) objects[at] = { ...objects[at], edges: union(objects[at].edges, object.edges) };
    else {
      if (key !== undefined) groups.set(key, objects.length);
      objects.push(object);
    }
  });
  return objects;
}

function readShape(
  shape: Readonly<Record<string, unknown>>,
  place: { readonly file: string; readonly index: number },
  findings: Findings,
): ReadObject | undefined {
  const { label, points, shape_type: type = 'polygon' } = shape;
  if (typeof label !== 'string' || label === '')
    return refuse(findings, 'unusable', place, 'the shape has no label', 'name or remove it');
  if (!Array.isArray(points) || points.length === 0)
    return refuse(findings, 'unusable', place, `the shape (${label}) has no list of points`, 'redraw or remove it');
  const xy = points.map((point) => [0, 1].map((i) => (Array.isArray(point) ? asNumber(point[i]) : Number.NaN)));
  const edges = edgesOf(String(type), xy);
  if (!edges) {
    const what = `a shape of type '${type}' with ${xy.length} points has no box`;
    return refuse(findings, 'unusable', place, what, 'draw a rectangle, polygon or circle, or remove it');
  }
  const difficult = shape.difficult ?? fieldsOf(shape.flags)?.difficult;
  const mark = difficult === undefined ? {} : { difficult: Boolean(difficult) };
  return { className: label, edges, written: xy.flat(), index: place.index, ...mark };
}

/** The box of a shape, or undefined for shapes without one. */
function edgesOf(type: string, points: readonly (readonly number[])[]): number[] | undefined {
  if (type === 'circle') {
    if (points.length !== 2) return undefined;
    const [[x, y], [rimX, rimY]] = points;
    const radius = Math.hypot(rimX - x, rimY - y);
    return [x - radius, y - radius, x + radius, y + radius];
  }
  const needed: Readonly<Record<string, number>> = { rectangle: 2, polygon: 3, rotation: 4, mask: 2 };
  if (!Object.hasOwn(needed, type) || points.length < needed[type]) return undefined;
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

function union(a: readonly number[], b: readonly number[]): number[] {
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])];
}
