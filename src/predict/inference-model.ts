import { BoxwrightError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import type { Target } from '../lowering/index.js';
import { writeLowered } from '../lowering/write.js';
import { type DetectorRecipe, inferenceGraph } from '../models/model.js';
import { requireWeights } from '../weights/loading/required-weights.js';

/** A detector's weights, and for errors their file and the model they are of. */
export interface ModelWeights {
  readonly path: string;
  readonly model: string;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/**
 * A detector's inference graph as an ONNX model that carries its weights, for the runtime of this process.
 *
 * @param batch pictures in a run; a number leaves room for forms that are made for fixed shapes
 * @throws BoxwrightError `weights` if some are missing or misshapen, or too large together.
 */
export function inferenceModel(
  recipe: DetectorRecipe,
  { path, model, tensors }: ModelWeights,
  provider: Target['provider'],
  batch: number | 'batch',
): Uint8Array {
  const { p, outputs } = inferenceGraph(recipe, batch);
  const initializers = requireWeights(path, model, p.specs, tensors);
  const graph = { name: model, outputs: { ...outputs }, initializers };
  const { bytes, external } = writeLowered(graph, { provider, form: 'fast' });
  if (external) throw new BoxwrightError('weights', `${path}: over 2 GB of weights do not run from memory.`);
  return bytes;
}
