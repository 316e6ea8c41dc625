import { add, maxPool2d, relu, type Value } from '../../graph/index.js';
import { heNormal, type Initializer } from '../../nn/initializers.js';
import { type BatchNormLayer, batchNorm, channelsOf, conv } from '../../nn/layers.js';
import type { Parameters } from '../../nn/parameters.js';
import type { Sources } from './sources.js';

/** What residual blocks of one network share. */
export interface BlockRecipe {
  /** Which convolution of a bottleneck has the stride: the 1×1 (Caffe, He et al.) or the 3×3 (torchvision). */
  readonly strideOn: '1x1' | '3x3';
  /** Padding of strided convolutions and the pool: PyTorch's symmetric, or TensorFlow's "same" (more after than before). */
  readonly padding: 'symmetric' | 'same';
  readonly norm: BatchNormLayer;
  readonly initial?: Initializer;
}

/** A residual network (He et al. 2016) as plain data; parameter names are torchvision's after `backbone.`. */
export interface ResNetRecipe extends BlockRecipe {
  readonly kind: 'resnet';
  readonly block: 'basic' | 'bottleneck';
  /** Blocks of layer1 … layer4. */
  readonly blocks: readonly [number, number, number, number];
  /** Channels of the stem and of layer1 … layer4 inside their blocks (a bottleneck puts out four times as many). */
  readonly widths: readonly [number, number, number, number, number];
  /** Stem: one 7×7 of stride 2, or one 3×3 of stride 2 for small networks; a max pool of stride 2 follows. */
  readonly stem: 7 | 3;
  /** Caffe's first pool has no padding and rounds up; `end` pads one row and column at the bottom and right. */
  readonly pool: 'padded' | 'ceil' | 'end';
  /** The extra residual block of stride 2 that gives the last source: inner and outer channels. */
  readonly extra?: { readonly width: number; readonly out: number };
}

/** Height and width, which a detector fixes even where the batch is free. */
function spatialSize(x: Value): number[] {
  return x.shape.slice(2).map((dim) => (typeof dim === 'number' ? dim : Number.NaN));
}

type Padding = readonly [number, number, number, number];
const endPadding: Padding = [0, 0, 1, 1];

/** Padding of a kernel: half of it on each side, or with "same" at stride 2 the odd pixel after. */
function paddingOf(kernel: number, stride: number, rule: BlockRecipe['padding'], size: readonly number[]): Padding {
  if (rule === 'symmetric' || stride === 1) {
    const half = (kernel - 1) / 2;
    return [half, half, half, half];
  }
  const [top, left] = size.map((length) => Math.max((Math.ceil(length / stride) - 1) * stride + kernel - length, 0));
  return [Math.floor(top / 2), Math.floor(left / 2), Math.ceil(top / 2), Math.ceil(left / 2)];
}

function convNorm(
  p: Parameters,
  recipe: BlockRecipe,
  x: Value,
  names: readonly [conv: string, norm: string],
  layer: { out: number; kernel: number; stride: number },
): Value {
  const { out, kernel, stride } = layer;
  const padding = paddingOf(kernel, stride, recipe.padding, spatialSize(x));
  const y = conv(p, names[0], x, {
    out,
    kernel,
    stride,
    padding,
    bias: false,
    initial: recipe.initial ?? heNormal('out'),
  });
  return batchNorm(p, names[1], y, recipe.norm);
}

/** One residual block; the shortcut is a projection where shape or stride change, or always if the block says so. */
export function residualBlock(
  p: Parameters,
  recipe: BlockRecipe,
  name: string,
  x: Value,
  layers: {
    readonly width: number;
    readonly out: number;
    readonly stride: number;
    readonly block: ResNetRecipe['block'];
    readonly projection?: 'needed' | 'always';
  },
): Value {
  const { width, out, stride, block, projection = 'needed' } = layers;
  const part = (index: number, input: Value, layer: { out: number; kernel: number; stride: number }) =>
    convNorm(p, recipe, input, [`${name}.conv${index}`, `${name}.bn${index}`], layer);
  const branch = block === 'basic' ? basicBranch : bottleneckBranch;
  const y = branch(part, x, { width, out, stride, strideOn: recipe.strideOn });
  const projected = projection === 'always' || stride !== 1 || channelsOf(x) !== out;
  const shortcut = projected
    ? convNorm(p, recipe, x, [`${name}.downsample.0`, `${name}.downsample.1`], { out, kernel: 1, stride })
    : x;
  return relu(add(y, shortcut));
}

type Part = (index: number, input: Value, layer: { out: number; kernel: number; stride: number }) => Value;
interface Branch {
  readonly width: number;
  readonly out: number;
  readonly stride: number;
  readonly strideOn: BlockRecipe['strideOn'];
}

function basicBranch(part: Part, x: Value, { width, stride, out }: Branch): Value {
  const y = relu(part(1, x, { out: width, kernel: 3, stride }));
  return part(2, y, { out, kernel: 3, stride: 1 });
}

function bottleneckBranch(part: Part, x: Value, { width, out, stride, strideOn }: Branch): Value {
  const first = relu(part(1, x, { out: width, kernel: 1, stride: strideOn === '1x1' ? stride : 1 }));
  const second = relu(part(2, first, { out: width, kernel: 3, stride: strideOn === '3x3' ? stride : 1 }));
  return part(3, second, { out, kernel: 1, stride: 1 });
}

/** Stem and pool: stride 4. */
function stem(p: Parameters, recipe: ResNetRecipe, pictures: Value): Value {
  const x = relu(
    convNorm(p, recipe, pictures, ['backbone.conv1', 'backbone.bn1'], {
      out: recipe.widths[0],
      kernel: recipe.stem,
      stride: 2,
    }),
  );
  if (recipe.pool === 'ceil') return maxPool2d(x, { kernel: 3, stride: 2, ceil: true });
  const padding = recipe.pool === 'end' ? endPadding : paddingOf(3, 2, recipe.padding, spatialSize(x));
  return maxPool2d(x, { kernel: 3, stride: 2, padding });
}

/** Outputs of layer1 … layer4 (C2 … C5), at strides 4, 8, 16 and 32. */
export function resNetStages(p: Parameters, recipe: ResNetRecipe, pictures: Value): { stem: Value; stages: Value[] } {
  const first = stem(p, recipe, pictures);
  const stages: Value[] = [];
  let x = first;
  recipe.blocks.forEach((count, stage) => {
    const width = recipe.widths[stage + 1];
    const out = recipe.block === 'bottleneck' ? 4 * width : width;
    for (let i = 0; i < count; i++) {
      const stride = i === 0 && stage > 0 ? 2 : 1;
      x = residualBlock(p, recipe, `backbone.layer${stage + 1}.${i}`, x, { width, out, stride, block: recipe.block });
    }
    stages.push(x);
  });
  return { stem: first, stages };
}

/** Sources C3, C4, C5 and the extra block's output, at strides 8, 16, 32 and 64. */
export function resNet(p: Parameters, recipe: ResNetRecipe, pictures: Value): Sources {
  const { stages } = resNetStages(p, recipe, pictures);
  const [, c3, c4, c5] = stages;
  const { width, out } = recipe.extra ?? { width: 128, out: 512 };
  const last = residualBlock(p, recipe, 'backbone.extra', c5, { width, out, stride: 2, block: 'bottleneck' });
  return [c3, c4, c5, last];
}
