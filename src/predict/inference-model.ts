import { BoxwrightError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import type { Target } from '../lowering/index.js';
import { writeLowered } from '../lowering/write.js';
import { type DetectorRecipe, inferenceGraph, modelRecipe } from '../models/model.js';
import type { ParameterSpec } from '../nn/parameters.js';
import { type Checkpoint, weightsToUse } from '../weights/checkpoint.js';

/**
 * A checkpoint's inference graph as an ONNX model that carries its weights, for the runtime of this process.
 *
 * @param recipe one that its weights fit, such as another size's; by default the checkpoint's own
 */
export function inferenceModel(
  path: string,
  checkpoint: Checkpoint,
  provider: Target['provider'],
  recipe: DetectorRecipe = modelRecipe(checkpoint.model, checkpoint.classes.length),
): Uint8Array {
  const { p, outputs } = inferenceGraph(recipe);
  const weights = requireWeights(path, checkpoint.model, p.specs, weightsToUse(checkpoint));
  const graph = { name: checkpoint.model, outputs: { ...outputs }, initializers: weights };
  const { bytes, external } = writeLowered(graph, { provider, form: 'reference' }); // fast forms are for gradients
  if (external) throw new BoxwrightError('weights', `${path}: over 2 GB of weights do not run from memory.`);
  return bytes;
}

/**
 * The weights that a model needs, as they are.
 *
 * @throws BoxwrightError `weights` naming the first ones that are missing or of another shape or type.
 */
export function requireWeights(
  path: string,
  model: string,
  specs: ReadonlyMap<string, ParameterSpec>,
  weights: ReadonlyMap<string, Tensor>,
): ReadonlyMap<string, Tensor> {
  const missing = [...specs.keys()].filter((name) => !weights.has(name));
  if (missing.length > 0) {
    const named = `${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ', …' : ''}`;
    const found = `lacks ${missing.length} of the ${specs.size} parameters of ${model} (${named})`;
    throw new BoxwrightError('weights', `${path}: the file ${found}; it was written for another model or version.`);
  }
  for (const [name, { shape }] of specs) {
    const { dtype, shape: found } = weights.get(name)!;
    if (dtype === 'float32' && found.join() === shape.join()) continue;
    const expected = `${model} needs float32[${shape.join(', ')}]`;
    throw new BoxwrightError('weights', `${path}: parameter "${name}" is ${dtype}[${found.join(', ')}], ${expected}.`);
  }
  return weights;
}
