import { elementCount } from '../graph/tensor.js';

/** Draws of a parameter's first value: a stream of uniform numbers in [0, 1). */
export type Uniform = () => number;

/** Fills a new parameter. Plain data would do for most, but a function lets a layer say what it needs. */
export type Initializer = (shape: readonly number[], uniform: Uniform) => Float32Array;

export const zeros: Initializer = (shape) => new Float32Array(elementCount(shape));

export const ones: Initializer = (shape) => filledWith(1)(shape, Math.random);

/** One value everywhere. */
export function filledWith(value: number): Initializer {
  return (shape) => new Float32Array(elementCount(shape)).fill(value);
}

/** Gaussian numbers by Box and Muller. */
export function gaussian(deviation: number): Initializer {
  return (shape, uniform) => drawn(shape, () => deviation * standardNormal(uniform));
}

/** Gaussian numbers without those beyond two deviations. */
export function truncatedGaussian(deviation: number): Initializer {
  const draw = (uniform: Uniform): number => {
    const value = standardNormal(uniform);
    return Math.abs(value) <= 2 ? value : draw(uniform);
  };
  return (shape, uniform) => drawn(shape, () => deviation * draw(uniform));
}

/** A plain loop: a model has tens of millions of weights, and `Float32Array.from` takes seconds for them. */
function drawn(shape: readonly number[], draw: () => number): Float32Array {
  const values = new Float32Array(elementCount(shape));
  for (let i = 0; i < values.length; i++) values[i] = draw();
  return values;
}

function standardNormal(uniform: Uniform): number {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** He et al. 2015, equation 10: deviation √(2 / fan), fan out (as ResNet's authors) or in. */
export function heNormal(fan: 'in' | 'out' = 'out'): Initializer {
  return (shape, uniform) => gaussian(Math.sqrt(2 / fanOf(shape, fan)))(shape, uniform);
}

/** Glorot and Bengio 2010, equation 16: uniform within ±√(6 / (fan in + fan out)); Caffe's and SSD's xavier for heads. */
export const xavierUniform: Initializer = (shape, uniform) => {
  const bound = Math.sqrt(6 / (fanOf(shape, 'in') + fanOf(shape, 'out')));
  return drawn(shape, () => bound * (2 * uniform() - 1));
};

/** Connections of one unit for weights [out, in/groups, kh, kw]. */
function fanOf(shape: readonly number[], fan: 'in' | 'out'): number {
  const [out, into, ...kernel] = shape;
  return (fan === 'in' ? into : out) * elementCount(kernel);
}

/** Another initializer's values times a factor. */
export function scaled(initial: Initializer, factor: number): Initializer {
  return (shape, uniform) => initial(shape, uniform).map((value) => value * factor);
}
