import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BoxwrightError } from '../errors.js';
import { cocoExportLayout, cocoFileLayout, cocoLayout } from './coco-layouts.js';
import type { Dataset } from './dataset.js';
import type { DatasetLayout, OpenOptions } from './layout.js';
import { vocFlatLayout, vocLayout } from './voc.js';

/** The layouts that are looked for, in this order; a new format is one more entry. */
const layouts: readonly DatasetLayout[] = [cocoFileLayout, vocLayout, cocoLayout, cocoExportLayout, vocFlatLayout];

/**
 * Opens a labelled data set: recognises how it lies on disk and reads the annotations (not the pictures). The class order
 * is the same for every part: sorted by name for Pascal VOC, by category id for COCO.
 *
 * What can be survived (a box of zero size, one that reaches beyond its picture) is in the result's `problems`.
 *
 * @throws BoxwrightError `data` if no layout fits (the message lists them), the part does not exist, pictures are missing,
 *   or an annotation is unusable (named by file and index); `io` if a file cannot be read.
 */
export async function openDataset(path: string, options: OpenOptions = {}): Promise<Dataset> {
  const root = resolve(path);
  await stat(root).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT')
      throw new BoxwrightError('io', `${path}: it cannot be read (${cause.message})`, { cause });
    throw new BoxwrightError('data', `${path}: there is no such folder or file; give the folder of a data set`, {
      cause,
    });
  });
  for (const layout of layouts) {
    const found = await layout.find(root);
    if (found) return requireImages(await found.read(options), path);
  }
  const known = layouts.map(({ description }) => `\n  - ${description}`).join('');
  throw new BoxwrightError('data', `${path}: no annotations found. These layouts were looked for:${known}`);
}

function requireImages(dataset: Dataset, path: string): Dataset {
  if (dataset.images.length === 0)
    throw new BoxwrightError('data', `${path}: the data set '${dataset.name}' has no picture`);
  return dataset;
}
