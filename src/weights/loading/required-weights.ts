import { BoxwrightError } from '../../errors.js';
import type { Tensor } from '../../graph/tensor.js';
import type { ParameterSpec } from '../../nn/parameters.js';

/**
 * Of some weights, those that a model needs.
 *
 * @param path the file they came from, for errors.
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
  return new Map([...specs.keys()].map((name) => [name, weights.get(name)!]));
}
