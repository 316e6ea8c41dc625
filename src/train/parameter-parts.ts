import { BoxwrightError } from '../errors.js';
import { nearestName } from '../models/nearest-name.js';

/** Whether a parameter is the one of that name or belongs to the part of that name, such as `backbone.layer1`. */
export function isWithin(parameter: string, part: string): boolean {
  return parameter === part || parameter.startsWith(`${part}.`);
}

/** The factor of the longest part that a parameter belongs to, or 1. */
export function rateFactor(rates: Readonly<Record<string, number>>, parameter: string): number {
  const parts = Object.keys(rates).filter((part) => isWithin(parameter, part));
  const longest = parts.reduce((best, part) => (part.length > best.length ? part : best), '');
  return rates[longest] ?? 1;
}

/** @throws BoxwrightError `config` for a part that no parameter belongs to, with the nearest one. */
export function requireParts(parts: readonly string[], parameters: Iterable<string>): void {
  const names = [...parameters];
  for (const part of parts) {
    if (names.some((name) => isWithin(name, part))) continue;
    const known = new Set(
      names.flatMap((name) => name.split('.').map((_, i, words) => words.slice(0, i + 1).join('.'))),
    );
    throw new BoxwrightError(
      'config',
      `No parameter of the model begins with "${part}". Did you mean "${nearestName(part, [...known])}"?`,
    );
  }
}
