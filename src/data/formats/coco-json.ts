import { BoxwrightError } from '../../errors.js';
import { parseJson } from './json-file.js';

/** COCO's own field names, as far as boxes need them. */
export interface CocoImage {
  readonly id: number | string;
  readonly file_name: string;
  readonly width: number;
  readonly height: number;
}

/** A class of a COCO file. */
export interface CocoCategory {
  readonly id: number;
  readonly name: string;
}

/** One object; `bbox` is [x, y, width, height], not checked yet. */
export interface CocoAnnotation {
  readonly id?: number;
  readonly image_id: number | string;
  readonly category_id: number;
  readonly bbox?: unknown;
  readonly area?: number;
  readonly iscrowd?: number;
  /** Pascal VOC's marks, as converters carry them along; COCO itself has none. */
  readonly difficult?: number | boolean;
  readonly truncated?: number | boolean;
}

/** What is read of a COCO file. */
export interface CocoFile {
  readonly images: readonly CocoImage[];
  readonly categories: readonly CocoCategory[];
  readonly annotations: readonly CocoAnnotation[];
}

/**
 * Parses a COCO annotation file and checks that its three lists are there and that ids and names are usable. Throws
 * `BoxwrightError('data')` naming the file and the entry; boxes are checked where they are read.
 */
export function parseCoco(text: string, file: string): CocoFile {
  const parsed = parseJson(text, file);
  const lists = ['images', 'categories', 'annotations'] as const;
  for (const list of lists) {
    if (!Array.isArray((parsed as Record<string, unknown> | null)?.[list])) {
      throw new BoxwrightError(
        'data',
        `${file}: no list '${list}', so this is no COCO file of instances (needs ${lists.join(', ')})`,
      );
    }
  }
  const coco = parsed as CocoFile;
  checkImages(coco.images, file);
  coco.categories.forEach((category, i) => {
    if (!Number.isInteger(category?.id) || typeof category.name !== 'string' || category.name === '') {
      throw new BoxwrightError('data', `${file}, category ${i}: it needs a whole number as id and a name`);
    }
  });
  return coco;
}

function checkImages(images: readonly CocoImage[], file: string): void {
  const ids = new Set<number | string>();
  images.forEach((image, i) => {
    if (typeof image?.file_name !== 'string' || image.file_name === '') {
      throw new BoxwrightError('data', `${file}, image ${i}: it has no file_name`);
    }
    if (typeof image.id !== 'number' && typeof image.id !== 'string') {
      throw new BoxwrightError('data', `${file}, image ${i} (${image.file_name}): it has no id`);
    }
    if (ids.has(image.id)) {
      throw new BoxwrightError(
        'data',
        `${file}, image ${i} (${image.file_name}): id ${image.id} is already taken; ids must differ`,
      );
    }
    ids.add(image.id);
  });
}

/** The categories of all files by ascending id. Throws `BoxwrightError('data')` where one id has two names. */
export function mergeCategories(
  files: readonly { file: string; categories: readonly CocoCategory[] }[],
): CocoCategory[] {
  const merged = new Map<number, { name: string; file: string }>();
  for (const { file, categories } of files) {
    for (const { id, name } of categories) {
      const known = merged.get(id);
      if (known && known.name !== name) {
        throw new BoxwrightError(
          'data',
          `${file}: category ${id} is '${name}', but '${known.name}' in ${known.file}; the parts must agree`,
        );
      }
      merged.set(id, { name, file });
    }
  }
  return [...merged].sort(([a], [b]) => a - b).map(([id, { name }]) => ({ id, name }));
}
