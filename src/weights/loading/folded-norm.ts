import type { Tensor } from '../../graph/tensor.js';
import type { DetectorRecipe } from '../../models/model.js';

type Names = Pick<ReadonlyMap<string, unknown>, 'has'>;

/** The batch norm that a running variance belongs to. */
export function normOfVariance(parameter: string): string | undefined {
  return parameter.endsWith('.running_var') ? parameter.slice(0, -'.running_var'.length) : undefined;
}

/** The convolution before a batch norm, by how we name the two. */
export function foldedConvolution(norm: string, parameters: Names): string | undefined {
  const places = [
    norm.replace(/bn(\d)$/, 'conv$1'),
    norm.replace(/downsample\.1$/, 'downsample.0'),
    norm.replace(/\.bn$/, ''),
    norm.replace(/\.bn$/, '.depthwise'),
  ];
  return places.find((place) => place !== norm && parameters.has(`${place}.weight`));
}

/** Epsilon of a model's batch norm, which a folded layer has to cancel. */
export function epsilonOf({ backbone, ...recipe }: DetectorRecipe, norm: string): number {
  if (norm.startsWith('backbone.')) return backbone.kind === 'resnet' ? backbone.norm.epsilon : 0;
  if (recipe.kind !== 'refinedet') return 0;
  if (norm.startsWith('tcb.')) return recipe.tcb.norm?.epsilon ?? 0;
  return recipe.head.kind === 'plain' ? 0 : recipe.head.norm.epsilon;
}

/** The four vectors of a norm that adds `bias` and changes nothing else. */
export function normOfBias(bias: Tensor<'float32'>, epsilon: number): [vector: string, Tensor<'float32'>][] {
  const filled = (value: number): Tensor<'float32'> => ({
    ...bias,
    data: new Float32Array(bias.data.length).fill(value),
  });
  return [
    ['weight', filled(1)],
    ['bias', bias],
    ['running_mean', filled(0)],
    ['running_var', filled(1 - epsilon)],
  ];
}
