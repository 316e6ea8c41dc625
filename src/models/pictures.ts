import { add, cast, concat, constant, mul, slice, transpose, type Value } from '../graph/index.js';

/** How pixels become the network's input, in units of 0 … 255. */
export interface Normalisation {
  /** Order of the channels that the network sees; pictures come in RGB. */
  readonly order: 'rgb' | 'bgr';
  /** Per channel in the network's order. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** torchvision's and the zoo's: ImageNet's mean and deviation. */
export const imageNetNormalisation: Normalisation = {
  order: 'rgb',
  mean: [0.485 * 255, 0.456 * 255, 0.406 * 255],
  std: [0.229 * 255, 0.224 * 255, 0.225 * 255],
};

/** Caffe's: BGR, mean subtracted. */
export const caffeNormalisation: Normalisation = { order: 'bgr', mean: [104, 117, 123], std: [1, 1, 1] };

/** luuuyi/RefineDet.PyTorch's: the same mean, written down as BGR, but the network sees RGB. */
export const luuuyiNormalisation: Normalisation = { order: 'rgb', mean: [123, 117, 104], std: [1, 1, 1] };

/** uint8 or float32 pixels [batch, height, width, 3] (RGB) to the network's input [batch, 3, height, width]. */
export function normalizePictures(pixels: Value, { order, mean, std }: Normalisation): Value {
  const planes = transpose(cast(pixels, 'float32'), [0, 3, 1, 2]);
  const ordered =
    order === 'rgb'
      ? planes
      : concat(
          [2, 1, 0].map((channel) => slice(planes, [channel], [channel + 1], [1])),
          1,
        );
  const vector = (values: readonly number[]) => constant('float32', [1, 3, 1, 1], Float32Array.from(values));
  const shifted = add(ordered, vector(mean.map((value) => -value)));
  return std.every((value) => value === 1) ? shifted : mul(shifted, vector(std.map((value) => 1 / value)));
}
