import type { Normalisation } from '../../models/pictures.js';

/**
 * How the parameters of a boxwright model are called in another project's weight files. Where a map has a name, shape
 * and layout are the same on both sides.
 */
export interface NameMap {
  /** Whose names these are, for messages. */
  readonly source: string;
  /** What the source's networks see. Weights of the first convolution fit only pictures normalised so. */
  readonly normalisation: Normalisation;
  /** Tried in order; the first pattern that fits a parameter's whole name says what the source calls it. */
  readonly rules: readonly NameRule[];
  /** Tensors of the source that no model of ours has, such as optimizer state or a classifier. */
  readonly unused: RegExp;
}

export interface NameRule {
  readonly parameter: RegExp;
  /** Gets the pattern's groups. */
  readonly name: (...groups: string[]) => string;
}

/** The source's name of one of our parameters, or undefined where the source has no such tensor. */
export function sourceName(map: NameMap, parameter: string): string | undefined {
  for (const rule of map.rules) {
    const match = rule.parameter.exec(parameter);
    if (match) return rule.name(...match.slice(1));
  }
  return undefined;
}

/** Parameter name → source name for all parameters that the source has. */
export function sourceNames(map: NameMap, parameters: Iterable<string>): Map<string, string> {
  const names = new Map<string, string>();
  for (const parameter of parameters) {
    const name = sourceName(map, parameter);
    if (name !== undefined) names.set(parameter, name);
  }
  return names;
}
