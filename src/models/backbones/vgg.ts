import { maxPool2d, relu, type Value } from '../../graph/index.js';
import type { Initializer } from '../../nn/initializers.js';
import { heNormal, scaled } from '../../nn/initializers.js';
import { type BiasRule, conv } from '../../nn/layers.js';
import type { Parameters } from '../../nn/parameters.js';
import type { Sources } from './sources.js';

/** VGG-16 with fc6 and fc7 as convolutions (Liu et al. 2016, SSD, section 3.1) and RefineDet's conv6. */
export interface VggRecipe {
  readonly kind: 'vgg16';
  readonly bias: boolean;
  readonly biasRule?: BiasRule;
  /** Whether fc7 is a source after its ReLU (published) or before it (MindSpore zoo). */
  readonly fc7Source: 'relu' | 'linear';
  /**
   * Standard deviation of the pixels that the network sees. Without batch norm nothing else brings what follows to unit
   * size, so that the first convolution starts with its weights divided by it; 1 if left out.
   */
  readonly pixelDeviation?: number;
  /** Default: He et al. 2015 with fan in, which keeps a network without batch norm alive from scratch. */
  readonly initial?: Initializer;
}

const stages: readonly (readonly [name: string, out: number, convolutions: number])[] = [
  ['conv1', 64, 2],
  ['conv2', 128, 2],
  ['conv3', 256, 3],
  ['conv4', 512, 3],
  ['conv5', 512, 3],
];

/** Sources conv4_3, conv5_3, fc7 and conv6_2, at strides 8, 16, 32 and 64. */
export function vgg16(
  p: Parameters,
  { bias, biasRule, fc7Source, pixelDeviation = 1, initial = heNormal('in') }: VggRecipe,
  pictures: Value,
): Sources {
  const common = { bias, biasRule, initial };
  const maps: Value[] = [];
  let x = pictures;
  stages.forEach(([name, out, convolutions], stage) => {
    if (stage) x = maxPool2d(x, { kernel: 2 });
    for (let i = 1; i <= convolutions; i++) {
      const first = stage === 0 && i === 1 ? { initial: scaled(initial, 1 / pixelDeviation) } : {};
      x = relu(conv(p, `backbone.${name}_${i}`, x, { ...common, ...first, out, kernel: 3, padding: 1 }));
    }
    maps.push(x);
  });
  const pooled = maxPool2d(x, { kernel: 2 });
  const fc6 = relu(conv(p, 'backbone.fc6', pooled, { ...common, out: 1024, kernel: 3, padding: 3, dilation: 3 }));
  const fc7 = conv(p, 'backbone.fc7', fc6, { ...common, out: 1024, kernel: 1 });
  const fc7Relu = relu(fc7);
  const conv6 = relu(conv(p, 'backbone.conv6_1', fc7Relu, { ...common, out: 256, kernel: 1 }));
  const last = relu(conv(p, 'backbone.conv6_2', conv6, { ...common, out: 512, kernel: 3, stride: 2, padding: 1 }));
  return [maps[3], maps[4], fc7Source === 'relu' ? fc7Relu : fc7, last];
}
