import type { Tensor } from '../../graph/tensor.js';
import { nameMaps } from './maps/all-maps.js';
import { type NameMap, sourceName } from './maps/name-map.js';

/** A source whose names a file has. */
export interface ChosenMap {
  readonly map: NameMap;
  /** What stands before all of its names in this file. */
  readonly prefix: string;
  /** Parameters that the file has a tensor for. */
  readonly found: number;
}

/** Modules that training scripts wrap networks into. */
const prefixes = ['', 'module.', 'model.', 'model.module.', 'network.', 'net.'];

/** The source that knows most of these parameters in a file. */
export function chooseMap(
  parameters: readonly string[],
  tensors: ReadonlyMap<string, Tensor>,
  maps: readonly NameMap[] = nameMaps,
): ChosenMap {
  let best: ChosenMap = { map: maps[0], prefix: '', found: 0 };
  for (const map of maps) {
    const names = parameters.map((parameter) => sourceName(map, parameter));
    for (const prefix of prefixes) {
      const found = names.filter((name) => name !== undefined && tensors.has(prefix + name)).length;
      if (found > best.found) best = { map, prefix, found };
    }
  }
  return best;
}
