import type { Tensor } from '../../graph/tensor.js';
import type { Normalisation } from '../../models/pictures.js';

/** Weights [out, 3, k, k] of a first convolution for pictures that are normalised in another way, and what is left over. */
export interface AdaptedStem {
  readonly weight: Tensor<'float32'>;
  /** For each output what has to be added to it; all zero where the means are the same. */
  readonly constant: Float64Array;
}

/** Rounding in how a mean is written down is no difference. */
const negligible = 1e-5;

/** Whether two normalisations are the same but for rounding. */
export function sameNormalisation(a: Normalisation, b: Normalisation): boolean {
  const near = (x: number, y: number) => Math.abs(x - y) <= negligible * Math.max(Math.abs(x), Math.abs(y));
  const all = (x: readonly number[], y: readonly number[]) => x.every((value, i) => near(value, y[i]));
  return a.order === b.order && all(a.mean, b.mean) && all(a.std, b.std);
}

/**
 * Makes a first convolution see pictures `to` as it saw them `from`: channels in the new order, deviations taken into the
 * weights, the difference of the means into a constant. Exact inside a picture; padding, which is zero under both, then
 * stands for the new mean.
 */
export function adaptStem(weight: Tensor<'float32'>, from: Normalisation, to: Normalisation): AdaptedStem {
  const [out, channels, height, width] = weight.shape;
  const area = height * width;
  const data = new Float32Array(weight.data.length);
  const constant = new Float64Array(out);
  for (let o = 0; o < out; o++) {
    for (let target = 0; target < channels; target++) {
      const source = from.order === to.order ? target : channels - 1 - target;
      const factor = to.std[target] / from.std[source];
      const shift = (to.mean[target] - from.mean[source]) / from.std[source];
      for (let i = 0; i < area; i++) {
        const value = weight.data[(o * channels + source) * area + i];
        data[(o * channels + target) * area + i] = value * factor;
        constant[o] += value * shift;
      }
    }
  }
  return { weight: { ...weight, data }, constant };
}
