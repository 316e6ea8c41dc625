import { BoxwrightError } from '../errors.js';
import { shuffledOrder } from './augment/random.js';

/** Share of the pictures that `train` gets where a data set comes without lists of its parts; `val` gets the rest. */
const TRAIN_SHARE = 0.8;

/** Names under which data sets keep the same part. */
const synonyms: Readonly<Record<string, readonly string[]>> = {
  val: ['valid', 'validation'],
  valid: ['val', 'validation'],
  validation: ['val', 'valid'],
};

/**
 * The one of a data set's own parts that the user means: its exact name, a synonym (`valid` for `val`), or the name with a
 * year (`train2017` for `train`). Undefined if there is none.
 *
 * @throws BoxwrightError `data` if several years fit.
 */
export function findPart(parts: readonly string[], asked: string, place: string): string | undefined {
  for (const name of [asked, ...(synonyms[asked] ?? [])]) {
    if (parts.includes(name)) return name;
    const dated = parts.filter((part) => part.startsWith(name) && /^[_-]?\d{4}$/.test(part.slice(name.length)));
    if (dated.length > 1) {
      throw new BoxwrightError(
        'data',
        `${place}: part '${asked}' could be any of ${dated.join(', ')}; name one of them`,
      );
    }
    if (dated.length === 1) return dated[0];
  }
  return undefined;
}

/** The error for a part that a data set does not have, or for none where one is needed. */
export function noSuchPart(asked: string | undefined, parts: readonly string[], place: string): BoxwrightError {
  const found = asked === undefined ? 'say which part is meant' : `there is no part '${asked}'`;
  return new BoxwrightError('data', `${place}: ${found}; its parts are ${parts.join(', ')}`);
}

/**
 * Splits a data set that has no parts of its own: 80 % `train`, 20 % `val` (at least one picture each), drawn by the seed
 * from the items in the order given; `trainval` is everything. The two never overlap and together are the whole.
 *
 * @throws BoxwrightError `data` for any other part, or for fewer than two items.
 */
export function splitBySeed<T>(items: readonly T[], asked: string, seed: number, place: string): T[] {
  if (asked === 'trainval') return [...items];
  const isVal = asked === 'val' || synonyms.val.includes(asked);
  if (asked !== 'train' && !isVal) {
    const parts = 'train, val and trainval';
    throw new BoxwrightError(
      'data',
      `${place}: it has no lists of its parts, so only ${parts} can be split off, not '${asked}'`,
    );
  }
  if (items.length < 2) {
    throw new BoxwrightError(
      'data',
      `${place}: ${items.length} annotated pictures are too few to split into train and val`,
    );
  }
  const trainCount = Math.min(Math.max(Math.round(items.length * TRAIN_SHARE), 1), items.length - 1);
  const order = shuffledOrder(items.length, seed, 0);
  // Ascending again, so that a part keeps the data set's own order.
  const chosen = (isVal ? order.slice(trainCount) : order.slice(0, trainCount)).sort();
  return Array.from(chosen, (i) => items[i]);
}

/** Which of a data set's own parts to read: their names, and the part to be split off what they hold, if any. */
export interface ChosenParts {
  readonly names: readonly string[];
  readonly split?: string;
}

/** Name of what is one whole, without parts. */
export const WHOLE = '';

/**
 * The parts that an option means: without it all of them, `trainval` also where there are `train` and `val`. A data set
 * of one whole is split by the seed.
 *
 * @throws BoxwrightError `data` if there is no such part.
 */
export function chooseParts(parts: readonly string[], asked: string | undefined, place: string): ChosenParts {
  if (asked === undefined) return { names: parts };
  if (parts.length === 1 && parts[0] === WHOLE) return { names: parts, split: asked };
  const found = findPart(parts, asked, place);
  if (found !== undefined) return { names: [found] };
  if (asked === 'trainval') {
    const both = ['train', 'val'].flatMap((name) => findPart(parts, name, place) ?? []);
    if (both.length === 2) return { names: both };
  }
  throw noSuchPart(
    asked,
    parts.filter((part) => part !== WHOLE),
    place,
  );
}

/** Folders and files that are parts by their names: `train`, `val`, `valid`, `validation`, `test`, also with a year. */
export function isPartName(name: string): boolean {
  return /^(train|val|valid|validation|test)([_-]?\d{4})?$/i.test(name);
}

/**
 * The parts that together are the data set, each picture once: `train`, `val`, `test` and their kin. Lists such as Pascal
 * VOC's of each class are none. Empty if the data set is one whole.
 */
export function mainParts(parts: readonly string[]): string[] {
  const known = parts.filter(isPartName);
  if (known.length > 0) return known.sort((a, b) => rankOf(a) - rankOf(b));
  if (parts.includes('trainval')) return ['trainval'];
  return parts.length > 1 ? [...parts] : [];
}

function rankOf(part: string): number {
  return ['train', 'val', 'test'].findIndex((name) => part.toLowerCase().startsWith(name));
}
