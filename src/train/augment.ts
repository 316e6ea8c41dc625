import { extraNames } from '../data/augment/extras.js';
import { BoxwrightError } from '../errors.js';

/** What pictures are varied by before additions: the model family's own recipe, mirroring alone, or nothing. */
const bases = ['recipe', 'flip', 'none'] as const;

/** An `augment` setting, taken apart. */
export interface AugmentWords {
  readonly base: (typeof bases)[number];
  readonly extras: readonly string[];
}

/**
 * Reads settings such as `flip`, `mosaic,rotate90` or `none,cut-out`: at most one base (default `recipe`), and additions.
 *
 * @throws BoxwrightError `config` for a word that is neither, or two bases.
 */
export function parseAugment(augment: string): AugmentWords {
  const words = augment.split(',').map((word) => word.trim());
  const given = bases.filter((base) => words.includes(base));
  const extras = words.filter((word) => !(bases as readonly string[]).includes(word));
  const unknown = extras.find((word) => !(extraNames as readonly string[]).includes(word));
  if (unknown !== undefined) {
    const known = `${bases.join(', ')}, and on top ${extraNames.join(', ')}`;
    throw new BoxwrightError('config', `augment: there is no '${unknown}'; known are ${known}`);
  }
  if (given.length > 1) throw new BoxwrightError('config', `augment: ${given.join(' and ')} exclude each other`);
  return { base: given[0] ?? 'recipe', extras };
}
