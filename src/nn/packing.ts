import { concat, split, type Value } from '../graph/index.js';
import type { ParameterSpec } from './parameters.js';

/**
 * Parameters that are updated together. A network has a hundred small vectors (biases, batch norm's), and an optimizer's
 * dozen operators on each of them cost more than the numbers in them: laid one behind the other they are one vector, whose
 * elements are updated as they would be apart.
 */
export type Pack = readonly ParameterSpec[];

/** Vectors of equal treatment in one pack, everything else in a pack of its own; the order of first appearance. */
export function packsOf(specs: readonly ParameterSpec[]): Pack[] {
  const packs = new Map<string, ParameterSpec[]>();
  for (const spec of specs) {
    const { name, shape, rate, decay } = spec;
    const key = shape.length === 1 ? `vectors ${rate} ${decay}` : name;
    const pack = packs.get(key);
    if (pack) pack.push(spec);
    else packs.set(key, [spec]);
  }
  return [...packs.values()];
}

/** One value for a pack from the values of its parameters. */
export function packed(values: readonly Value[]): Value {
  return concat(values, 0);
}

/** The values of a pack's parameters. */
export function unpacked(value: Value, pack: Pack): readonly Value[] {
  if (pack.length === 1) return [value];
  return split(
    value,
    pack.map(({ shape }) => shape[0]),
    0,
  );
}
