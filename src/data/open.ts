import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BoxwrightError } from '../errors.js';
import { type Dataset, type DatasetFormat, datasetFormats } from './dataset.js';
import { cocoExportLayout, cocoFileLayout, cocoLayout } from './formats/coco-layouts.js';
import { createMlFileLayout, createMlLayout } from './formats/createml.js';
import { csvFileLayout, csvLayout } from './formats/csv.js';
import { darknetLayout } from './formats/darknet.js';
import { labelMeLayout } from './formats/labelme.js';
import { textFileLayout, textLayout } from './formats/text-list.js';
import { vocFlatLayout, vocLayout } from './formats/voc.js';
import { vocYearsLayout } from './formats/voc-years.js';
import { yoloLayout } from './formats/yolo.js';
import type { DatasetLayout, FoundDataset, OpenOptions } from './layout.js';

/** The layouts that are looked for, in this order; a new format is one more entry. */
const layouts: readonly DatasetLayout[] = [
  createMlFileLayout,
  cocoFileLayout,
  csvFileLayout,
  textFileLayout,
  vocLayout,
  vocYearsLayout,
  cocoLayout,
  cocoExportLayout,
  createMlLayout,
  yoloLayout,
  darknetLayout,
  labelMeLayout,
  csvLayout,
  textLayout,
  vocFlatLayout,
];

/** A data set that was recognised. */
export interface RecognisedDataset extends FoundDataset {
  readonly format: DatasetFormat;
}

/**
 * Opens a labelled data set: recognises how it lies on disk and reads the annotations (not the pictures). The class order
 * is the same for every part: the file's own where it has one, by category id for COCO, else sorted by name.
 *
 * What can be survived (a box of zero size, one that reaches beyond its picture) is in the result's `problems`.
 *
 * @throws BoxwrightError `data` if no layout fits (the message lists them), the part does not exist, pictures are missing,
 *   or an annotation is unusable (named by file and line or index); `config` for options that are for another format;
 *   `io` if a file cannot be read; `aborted` when the signal stops it.
 */
export async function openDataset(path: string, options: OpenOptions = {}): Promise<Dataset> {
  const found = await findDataset(path, options.format);
  return requireImages(await found.read(options), path);
}

/**
 * Recognises a data set without reading its annotations: its format, why, and its parts.
 *
 * @throws BoxwrightError `data` if no layout fits, or none of the format asked for.
 */
export async function findDataset(path: string, format?: DatasetFormat): Promise<RecognisedDataset> {
  const root = resolve(path);
  await stat(root).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT')
      throw new BoxwrightError('io', `${path}: it cannot be read (${cause.message})`, { cause });
    throw new BoxwrightError('data', `${path}: there is no such folder or file; give the folder of a data set`, {
      cause,
    });
  });
  requireFormat(format);
  const candidates = layouts.filter((layout) => format === undefined || layout.format === format);
  for (const [i, layout] of candidates.entries()) {
    const found = await layout.find(root);
    if (!found) continue;
    const others = format === undefined ? await alsoFound(candidates.slice(i + 1), layout.format, root) : '';
    const { note, parts } = found;
    const whole = `${format === undefined ? 'recognised as' : 'read as'} ${layout.format}: ${note}${others}`;
    const read = async (options: OpenOptions) => {
      requireUse(options, layout.format, path);
      const dataset = await found.read(options);
      return { ...dataset, note: dataset.note === undefined ? whole : `${whole}; ${dataset.note}` };
    };
    return { format: layout.format, note: whole, parts, read };
  }
  const known = candidates.map(({ description }) => `\n  - ${description}`).join('');
  const what = format === undefined ? 'no annotations found' : `no annotations of format '${format}' found`;
  throw new BoxwrightError('data', `${path}: ${what}. These layouts were looked for:${known}`);
}

/** Formats that would fit too, so that a person can overrule the choice. */
async function alsoFound(rest: readonly DatasetLayout[], chosen: DatasetFormat, root: string): Promise<string> {
  const others = new Set<DatasetFormat>();
  for (const layout of rest) {
    // What does not matter must not stop anything either.
    if (layout.format !== chosen && (await layout.find(root).catch(() => undefined))) others.add(layout.format);
  }
  return others.size === 0 ? '' : ` (${[...others].join(', ')} would fit too)`;
}

/** What another format would ignore is refused: somebody expects that it does something. */
function requireUse({ firstPixel, boxOrder }: OpenOptions, format: DatasetFormat, path: string): void {
  const problem = (what: string, only: string) =>
    new BoxwrightError('config', `${path}: ${what} is for ${only}, and this is read as ${format}; leave it out`);
  if (firstPixel !== undefined && format !== 'voc') throw problem('what the first pixel is called', 'Pascal VOC');
  if (boxOrder !== undefined && format !== 'text') throw problem("the order of a box's numbers", 'text lists');
}

function requireFormat(format: string | undefined): void {
  if (format === undefined || (datasetFormats as readonly string[]).includes(format)) return;
  throw new BoxwrightError(
    'config',
    `There is no data format '${format}'; those that are read: ${datasetFormats.join(', ')}`,
  );
}

function requireImages(dataset: Dataset, path: string): Dataset {
  if (dataset.images.length === 0)
    throw new BoxwrightError('data', `${path}: the data set '${dataset.name}' has no picture`);
  return dataset;
}
