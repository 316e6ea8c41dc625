import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { similarName } from '../models/nearest-name.js';
import type { Card } from './card.js';
import { cards } from './cards.js';
import { cardNamed, isCardFile } from './find-card.js';
import { type PullOptions, pull } from './pull.js';
import { readCard } from './read-card.js';

/** What can be given for weights: a path, a file URL, a card's name, a card's file, or a card. */
export type WeightsSource = string | URL | Card;

/** A file of weights on this machine, and the card that it came by. */
export interface WeightsFile {
  readonly path: string;
  readonly card?: Card;
}

/** Whether a text is a card's name and nothing else: a file or folder of that name comes first. */
function isCardName(source: string): boolean {
  return cardNamed(source) !== undefined && !existsSync(source);
}

/**
 * The file that weights are in, downloaded if a card is given and its file is not there. Other paths stay as they are.
 *
 * @throws BoxwrightError as `pull` for a card.
 */
export async function weightsFile(source: WeightsSource, options: PullOptions = {}): Promise<WeightsFile> {
  const card = await cardOf(source);
  if (card) return { path: (await pull(card, options)).path, card };
  return { path: source instanceof URL ? fileURLToPath(source) : (source as string) };
}

async function cardOf(source: WeightsSource): Promise<Card | undefined> {
  if (typeof source !== 'string' && !(source instanceof URL)) return source;
  const path = typeof source === 'string' ? source : fileURLToPath(source);
  if (isCardFile(path)) return readCard(path);
  return isCardName(path) ? cardNamed(path) : undefined;
}

/** As `weightsFile` names it from every folder: a card by its name, a file by its whole path. */
export function lastingSource(source: string): string {
  return isCardName(source) ? source : resolve(source);
}

/** The card that was probably meant by what is no file, in words to be put behind an error; else nothing. */
export function cardHint(source: string): string {
  if (/[\\/]/.test(source)) return '';
  const similar = similarName(
    source,
    cards().map(({ name }) => name),
  );
  return similar === undefined ? '' : ` Did you mean the card ${similar}?`;
}
