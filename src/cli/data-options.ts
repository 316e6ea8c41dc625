import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { datasetFormats } from '../data/dataset.js';
import type { OpenOptions } from '../data/layout.js';
import { BoxwrightError } from '../errors.js';

/** Options of every command that opens a data set. */
export const dataOptions = {
  format: { choices: datasetFormats, describe: 'Format of the data, where it is not recognised as it should be' },
  pictures: { type: 'string', describe: 'Folder of the pictures, where they are not beside the annotations' },
  'first-pixel': {
    choices: [0, 1] as const,
    describe: 'What Pascal VOC files call the first pixel: 1 as VOC does, 0 as some tools do',
  },
  'box-order': {
    choices: ['xyxy', 'yxyx'] as const,
    describe: "Order of a text list's numbers; yxyx is what the zoo's code reads",
  },
} as const;

interface DataArguments {
  readonly format?: OpenOptions['format'];
  readonly pictures?: string;
  readonly 'first-pixel'?: number;
  readonly 'box-order'?: OpenOptions['boxOrder'];
}

/** The given options as `openDataset` takes them. */
export function openOptionsOf(args: DataArguments): OpenOptions {
  const { format, pictures, 'first-pixel': firstPixel, 'box-order': boxOrder } = args;
  return { format, pictures, firstPixel: firstPixel === undefined ? undefined : firstPixel === 0 ? 0 : 1, boxOrder };
}

/** The same for settings that are kept: a path that holds from everywhere, and undefined if nothing is given. */
export function givenOpenOptions(args: DataArguments): OpenOptions | undefined {
  const options = openOptionsOf(args);
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  if (given.length === 0) return undefined;
  const { pictures } = options;
  return { ...Object.fromEntries(given), ...(pictures === undefined ? {} : { pictures: resolve(pictures) }) };
}

/** @throws BoxwrightError `io` unless `folder` is one, or undefined. */
export async function requireFolder(folder: string | undefined): Promise<void> {
  if (folder === undefined) return;
  const about = await stat(folder).catch(() => undefined);
  if (!about?.isDirectory()) throw new BoxwrightError('io', `${folder}: there is no such folder of pictures.`);
}
