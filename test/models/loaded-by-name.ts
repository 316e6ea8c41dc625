// Weights under the names of another project, loaded as a user's file is.
import assert from 'node:assert/strict';
import type { Tensor } from '../../src/graph/tensor.js';
import type { DetectorRecipe } from '../../src/models/model.js';
import type { ParameterSpec } from '../../src/nn/parameters.js';
import { startFrom } from '../../src/weights/loading/load-weights.js';
import { type NameMap, sourceName, sourceShape } from '../../src/weights/loading/maps/name-map.js';
import type { WeightFile } from '../../src/weights/weight-file.js';
import { someClasses } from '../weights/listed-file.js';

/**
 * Values of some parameters of a model, made under the names and in the layout of a source and then loaded: everything
 * that is made has to be taken.
 *
 * @param value fills a tensor of the source
 */
export function loadedByName(
  map: NameMap,
  recipe: DetectorRecipe,
  specs: Iterable<ParameterSpec>,
  value: (name: string, shape: readonly number[]) => Float32Array,
): Record<string, Tensor> {
  const wanted = [...specs];
  const tensors = new Map<string, Tensor>(
    wanted.map(({ name: own, shape }) => {
      const name = sourceName(map, own) ?? assert.fail(`${map.source} has no ${own}`);
      const stored = sourceShape(map, own, shape);
      return [name, { dtype: 'float32', shape: stored, data: value(name, stored) }];
    }),
  );
  const file: WeightFile = { format: 'safetensors', tensors, metadata: {} };
  const target = { recipe, model: 'the recorded model', classes: someClasses(recipe.classes) };
  const { taken, report } = startFrom('made by name', file, target, () => assert.fail('no classes differ'));
  assert.deepEqual([report.source, report.left, report.misfits], [map.source, [], []]);
  assert.deepEqual(report.changes, [], "the recipe is the source's");
  return Object.fromEntries(wanted.map(({ name }) => [name, taken.get(name) ?? assert.fail(`${name} was not taken`)]));
}
