import { BoxwrightError } from '../../errors.js';
import { elementCount, type Tensor } from '../../graph/tensor.js';
import { evaluationGraph, modelRecipe } from '../../models/model.js';
import { nameMaps } from './maps/all-maps.js';
import { fromSource, type NameMap, type SourceFile, sourceName } from './maps/name-map.js';

/** Vectors of a layer in MindSpore's order: statistics first. */
const vectorOrder = ['running_mean', 'running_var', 'weight', 'bias'];

/**
 * A model's parameters as the source of its kind has them: names, layout and order.
 *
 * @throws BoxwrightError `model` if the model comes from no source whose files boxwright writes.
 */
export function inSourceNames(
  model: string,
  format: SourceFile['format'],
  parameters: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  const { map, writing } = writtenBy(model, format);
  const tensors = new Map<string, Tensor>();
  const add = (name: string, tensor: Tensor) => {
    tensors.set(name, tensor);
    for (const spare of writing.spare ?? []) if (spare.after === name) add(spare.name, zeros(spare.shape));
  };
  // A run's checkpoint has them in an order of its own.
  const layers = [...evaluationGraph(modelRecipe(model, 1)).p.specs.keys()].filter((name) => parameters.has(name));
  for (const parameter of sorted(layers, writing)) {
    const name = sourceName(map, parameter);
    // Turned back as it was turned on its way in.
    if (name !== undefined) add(name, fromSource(map, parameter, parameters.get(parameter)!));
  }
  return tensors;
}

function writtenBy(model: string, format: SourceFile['format']): { map: NameMap; writing: SourceFile } {
  for (const map of nameMaps) {
    if (map.writing?.format === format && map.models?.test(model)) return { map, writing: map.writing };
  }
  throw new BoxwrightError(
    'model',
    `${model} is no model of MindSpore's zoo, and its weights fit nothing there; only models whose names end in -zoo go back.`,
  );
}

function sorted(parameters: readonly string[], { order }: SourceFile): string[] {
  const places = new Map<string, number>();
  for (const [i, name] of parameters.entries()) {
    const layer = layerOf(name);
    if (!places.has(layer)) places.set(layer, i);
  }
  const keys = new Map(
    parameters.map((name) => [name, [...order(name), places.get(layerOf(name))!, vectorOrder.indexOf(vectorOf(name))]]),
  );
  return [...parameters].sort((a, b) => compared(keys.get(a)!, keys.get(b)!));
}

const layerOf = (name: string) => name.slice(0, name.lastIndexOf('.'));
const vectorOf = (name: string) => name.slice(name.lastIndexOf('.') + 1);

function compared(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

function zeros(shape: readonly number[]): Tensor {
  return { dtype: 'float32', shape, data: new Float32Array(elementCount(shape)) };
}
