import { fileURLToPath } from 'node:url';
import { BoxwrightError } from '../errors.js';
import { similarName } from '../models/nearest-name.js';
import type { Card } from './card.js';
import { cards } from './cards.js';
import { readCard } from './read-card.js';

/** A card by its name, or undefined. */
export function cardNamed(name: string): Card | undefined {
  return cards().find((card) => card.name === name);
}

/** Whether a path looks like that of a card's file. */
export const isCardFile = (path: string) => /\.md$/i.test(path);

/**
 * A card that boxwright knows by name, or the one in a markdown file of MindSpore Hub.
 *
 * @throws BoxwrightError `model` for an unknown name, with the nearest one; as `readCard` for a file.
 */
export async function findCard(source: string | URL): Promise<Card> {
  if (typeof source !== 'string') return readCard(fileURLToPath(source));
  if (isCardFile(source)) return readCard(source);
  const card = cardNamed(source);
  if (card) return card;
  const names = cards().map(({ name }) => name);
  const similar = similarName(source, names);
  const hint = similar === undefined ? '' : ` Did you mean "${similar}"?`;
  const known = `Known: ${names.join(', ')}; or give a card's file (.md).`;
  throw new BoxwrightError('model', `There is no card "${source}".${hint} ${known}`);
}
