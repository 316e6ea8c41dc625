import type { Tensor } from '../../graph/tensor.js';
import { elementCount } from '../../graph/tensor.js';
import type { DetectorRecipe } from '../../models/model.js';

/** How the rows of a layer that tells classes apart are laid out: groups × (classes + background) × values. */
export interface ClassRows {
  /** Times that the list of classes repeats, such as the anchors of a cell. */
  readonly groups: number;
  /** Rows that belong together to one class. */
  readonly values: number;
  readonly background: 'first' | 'last';
}

const anchorsPerCell = 3;

/** The layout of a parameter's rows, or undefined if they belong to no class. */
export function classRows(recipe: DetectorRecipe, parameter: string): ClassRows | undefined {
  if (recipe.kind === 'refinedet') {
    const tells = /^odm\.conf\.\d\.(pointwise\.)?(weight|bias)$/.test(parameter);
    return tells ? { groups: anchorsPerCell, values: 1, background: 'first' } : undefined;
  }
  const { regression, background } = recipe.head;
  const [, layer] = /^stages\.\d\.(cls|reg)\.(weight|bias)$/.exec(parameter) ?? [];
  if (layer === 'cls') return { groups: 1, values: 1, background };
  return layer === 'reg' && regression === 'by-class' ? { groups: 1, values: 4, background } : undefined;
}

/** Classes that a layer of so many rows tells apart, background not counted; undefined if the rows do not come out even. */
export function classCount({ groups, values }: ClassRows, rows: number): number | undefined {
  const count = rows / (groups * values) - 1;
  return Number.isInteger(count) && count > 0 ? count : undefined;
}

/** For each class of a list its place in another, or undefined; background is not in the lists. */
export type ClassPlaces = readonly (number | undefined)[];

/**
 * Rows of a layer put into the order of another list of classes.
 *
 * @param from a layer [rows, …] as the source has it
 * @param background where the background stands in it
 * @param places for every class wanted its place in the source
 * @param fresh a layer of the wanted shape, whose rows stay for classes that the source lacks
 */
export function rearranged(
  from: Tensor<'float32'>,
  rows: ClassRows,
  background: ClassRows['background'],
  places: ClassPlaces,
  fresh?: Tensor<'float32'>,
): Tensor<'float32'> {
  const { groups, values } = rows;
  const [total, ...rest] = from.shape;
  const width = elementCount(rest) * values;
  const sourceClasses = total / (groups * values) - 1;
  const shape = [groups * values * (places.length + 1), ...rest];
  const data = fresh ? fresh.data.slice() : new Float32Array(elementCount(shape));
  for (let group = 0; group < groups; group++) {
    const start = group * (places.length + 1);
    const sourceStart = group * (sourceClasses + 1);
    const copy = (to: number, at: number) =>
      data.set(from.data.subarray((sourceStart + at) * width, (sourceStart + at + 1) * width), (start + to) * width);
    copy(placeOfBackground(rows.background, places.length), placeOfBackground(background, sourceClasses));
    places.forEach((place, label) => {
      if (place !== undefined)
        copy(label + (rows.background === 'first' ? 1 : 0), place + (background === 'first' ? 1 : 0));
    });
  }
  return { dtype: 'float32', shape, data };
}

function placeOfBackground(background: ClassRows['background'], classes: number): number {
  return background === 'first' ? 0 : classes;
}
