import { basename } from 'node:path';
import { classIndex, requireKnownClasses } from './classes.js';
import type { Dataset, DatasetFormat, DatasetImage, GroundTruth } from './dataset.js';
import { pictureSize } from './decode.js';
import { annotatedBox, checkBox, checkSize, type Findings, originOf, refuse, survive } from './ground-truth.js';
import type { OpenOptions } from './layout.js';
import { refusePictures } from './picture-files.js';

/** An object as a reader found it, not checked yet. */
export interface ReadObject {
  readonly className: string;
  /** x1, y1, x2, y2 in pixels, or in shares of width and height; NaN where a number is missing or none. */
  readonly edges: readonly number[];
  /** The numbers as the file has them, for messages. */
  readonly written?: readonly number[];
  /** Line in the picture's annotation file, or index from 0 where the file has no lines that say anything. */
  readonly line?: number;
  readonly index?: number;
  readonly difficult?: boolean;
  readonly truncated?: boolean;
  readonly crowd?: boolean;
}

/** A picture as a reader found it. */
export interface ReadPicture {
  /** The name that the annotations give it. */
  readonly name: string;
  /** Undefined if it is not there. */
  readonly path: string | undefined;
  /** The file that annotates it, as messages name it. */
  readonly file: string;
  /** From the annotations; without it the picture's head is read. */
  readonly size?: { readonly width: number; readonly height: number };
  readonly objects: readonly ReadObject[];
}

/** What a reader found, and where. */
export interface ReadSource {
  readonly root: string;
  readonly format: DatasetFormat;
  readonly note?: string;
  /** All classes of the data set, those of other parts too, in its order. */
  readonly classes: readonly string[];
  /** Boxes are in shares of width and height, 0 to 1. */
  readonly shares?: boolean;
  /** Where pictures were looked for. */
  readonly searched: readonly string[];
}

/** Heads of pictures that are read at the same time. */
const HEADS = 16;

/**
 * Makes a data set of what a reader found: checks that pictures are there, takes sizes from their heads where the
 * annotations have none, brings boxes to pixels and checks them.
 */
export async function assembleDataset(
  pictures: readonly ReadPicture[],
  source: ReadSource,
  options: OpenOptions,
  findings: Findings,
): Promise<Dataset> {
  const { root, format, note, searched } = source;
  const missing = pictures.filter(({ path }) => path === undefined).map(({ name }) => name);
  refusePictures(findings, root, missing, pictures.length, searched);
  const classes = options.classes ?? source.classes;
  requireKnownClasses(source.classes, classes, root);
  const labels = classIndex(classes, root);
  const there = pictures.filter(({ path }) => path !== undefined);
  const sizes = await sizesOf(there, findings);
  const images: DatasetImage[] = [];
  const ids = new Set<string>();
  there.forEach((picture, i) => {
    const size = sizes[i];
    if (!size) return;
    const objects = picture.objects.flatMap((object) => place(object, picture, size, source, labels, findings) ?? []);
    const { name, path } = picture;
    const id = freeId(name, path as string, ids);
    ids.add(id);
    images.push({ id, path: path as string, name, ...size, objects });
  });
  const title = basename(root);
  const named = options.part ? `${title} ${options.part}` : title;
  return { name: named, format, ...(note ? { note } : {}), classes, images, problems: findings.problems };
}

function place(
  object: ReadObject,
  { file }: ReadPicture,
  size: { readonly width: number; readonly height: number },
  { shares }: ReadSource,
  labels: ReadonlyMap<string, number>,
  findings: Findings,
): GroundTruth | undefined {
  const { className, edges, written, line, index, difficult, truncated, crowd } = object;
  const origin = { file, line, index, written };
  if (shares && edges.some((value) => Math.abs(value) > 2)) {
    const what = `its box is [${(written ?? edges).join(', ')}], but this format has shares of width and height, 0 to 1`;
    return refuse(findings, 'unusable', origin, what, 'divide by the size of the picture, or remove the object');
  }
  const pixels = shares ? edges.map((value, i) => value * (i % 2 === 0 ? size.width : size.height)) : edges;
  const box = checkBox(pixels, size, origin, findings);
  if (!box) return undefined;
  const label = labels.get(className) as number;
  const marks = {
    ...(difficult === undefined ? {} : { difficult }),
    ...(truncated === undefined ? {} : { truncated }),
    ...(crowd === undefined ? {} : { crowd }),
  };
  // A share written with a few decimals reaches beyond the picture by nothing that anybody meant.
  return {
    box,
    ...(shares && isAlmost(box, pixels) ? {} : annotatedBox(box, pixels)),
    label,
    ...marks,
    ...originOf(findings, origin),
  };
}

function isAlmost(box: readonly number[], edges: readonly number[]): boolean {
  return box.every((side, i) => Math.abs(side - edges[i]) < 0.01);
}

/** A few heads at a time: a data set has more files than may be open at once. */
async function sizesOf(pictures: readonly ReadPicture[], findings: Findings) {
  const sizes: ({ width: number; height: number } | undefined)[] = [];
  for (let start = 0; start < pictures.length; start += HEADS) {
    const some = pictures
      .slice(start, start + HEADS)
      .map(({ size, path, name, file }) =>
        size
          ? survive(findings, file, () => checkSize(file, size.width, size.height))
          : survive(findings, name, () => pictureSize(path as string, name), 'broken picture'),
      );
    sizes.push(...(await Promise.all(some)));
  }
  return sizes;
}

/** An id of its own for each picture: a.jpg and a.png are two, and so are those of one name in two parts' folders. */
function freeId(name: string, path: string, taken: ReadonlySet<string>): string {
  return [withoutExtension(name), name].find((id) => !taken.has(id)) ?? path;
}

function withoutExtension(name: string): string {
  return name.replace(/\.[^./\\]+$/, '');
}

/** Class names that occur, sorted. */
export function sortedClasses(objects: readonly ReadObject[]): string[] {
  return [...new Set(objects.map(({ className }) => className))].sort();
}
