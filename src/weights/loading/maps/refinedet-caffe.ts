// A tensor of a Caffe file is called `layer/i`, i counting the layer's blobs.
import { caffeNormalisation } from '../../../models/pictures.js';
import type { NameMap, NameRule } from './name-map.js';

/** Blobs of a convolution. */
const blobs: Readonly<Record<string, number>> = { weight: 0, bias: 1 };
const blob = (layer: string, part: string) => `${layer}/${blobs[part]}`;

/**
 * Batch norm is two layers there: `BatchNorm` with sums of mean and variance and a third blob, what to divide them by, and
 * `Scale`.
 */
function norm(label: string, vector: string, names: { readonly norm: string; readonly scale: string }): string {
  if (vector === 'running_mean') return `${names.norm}${label}/0`;
  if (vector === 'running_var') return `${names.norm}${label}/1`;
  return blob(`${names.scale}${label}`, vector);
}

function divisor(source: string): string | undefined {
  const [, layer] = /^((?:bn.*|.*_bn))\/[01]$/.exec(source) ?? [];
  return layer === undefined ? undefined : `${layer}/2`;
}

const level = (index: string) => Number(index) + 3;

/** Transfer connections, which both backbones share but for the batch norm. */
const transfer: readonly NameRule[] = [
  {
    parameter: /^tcb\.(\d)\.lateral\.([01])\.(weight|bias)$/,
    name: (index, layer, part) => blob(`TL${level(index)}_${Number(layer) + 1}`, part),
  },
  { parameter: /^tcb\.(\d)\.up\.(weight|bias)$/, name: (index, part) => blob(`P${level(index) + 1}-up`, part) },
  { parameter: /^tcb\.(\d)\.output\.0\.(weight|bias)$/, name: (index, part) => blob(`P${level(index)}`, part) },
];

const vggMaps = ['conv4_3_norm', 'conv5_3_norm', 'fc7', 'conv6_2'];

/** The authors' Caffe models, VGG-16 (sfzhang15/RefineDet). */
export const refineDetCaffeVgg16: NameMap = {
  source: "the authors' Caffe RefineDet, VGG-16",
  models: /^refinedet-vgg16-\d+$/,
  normalisation: caffeNormalisation,
  rules: [
    { parameter: /^backbone\.(\w+)\.(weight|bias)$/, name: blob },
    { parameter: /^source_norm\.([01])\.weight$/, name: (index) => `conv${Number(index) + 4}_3_norm/0` },
    ...transfer,
    {
      parameter: /^arm\.(loc|conf)\.(\d)\.(weight|bias)$/,
      name: (head, index, part) => blob(`${vggMaps[Number(index)]}_mbox_${head}`, part),
    },
    {
      parameter: /^odm\.(loc|conf)\.(\d)\.(weight|bias)$/,
      name: (head, index, part) => blob(`P${level(index)}_mbox_${head}`, part),
    },
  ],
  unused: /^$/,
};

/** Caffe's names of a stage's blocks: a, b1 … b3 in stage 3, a, b1 … b22 in stage 4, a, b, c in 2 and 5. */
function blockLabel(layer: string, index: string): string {
  const stage = Number(layer) + 1;
  if (index === '0') return `${stage}a`;
  return stage === 3 || stage === 4 ? `${stage}b${index}` : `${stage}${'abc'[Number(index)]}`;
}

const branches: Readonly<Record<string, string>> = { '1': '2a', '2': '2b', '3': '2c' };
const blockNames = { norm: 'bn', scale: 'scale' };

/** Rules of a residual block whose parameters start with `start`; its groups give the block's label. */
function blockRules(start: string, labelOf: (...groups: string[]) => string, groups: number): readonly NameRule[] {
  const rule = (rest: string, name: (label: string, rest: readonly string[]) => string): NameRule => ({
    parameter: new RegExp(`^${start}\\.${rest}$`),
    name: (...all) => name(labelOf(...all.slice(0, groups)), all.slice(groups)),
  });
  return [
    rule('conv(\\d)\\.weight', (label, [index]) => `res${label}_branch${branches[index]}/0`),
    rule('bn(\\d)\\.(\\w+)', (label, [index, vector]) => norm(`${label}_branch${branches[index]}`, vector, blockNames)),
    rule('downsample\\.0\\.weight', (label) => `res${label}_branch1/0`),
    rule('downsample\\.1\\.(\\w+)', (label, [vector]) => norm(`${label}_branch1`, vector, blockNames)),
  ];
}

const armMaps = ['res3b3_relu', 'res4b22_relu', 'res5c_relu', 'res6_relu'];
/** The map that a head reads, which names the block before it and its layers. */
const headMap = (module: string, index: string) => (module === 'arm' ? armMaps[Number(index)] : `P${level(index)}`);

/** The authors' Caffe models, ResNet-101. */
export const refineDetCaffeResNet101: NameMap = {
  source: "the authors' Caffe RefineDet, ResNet-101",
  models: /^refinedet-resnet101-\d+$/,
  normalisation: caffeNormalisation,
  rules: [
    { parameter: /^backbone\.conv1\.weight$/, name: () => 'conv1/0' },
    { parameter: /^backbone\.bn1\.(\w+)$/, name: (vector) => norm('_conv1', vector, blockNames) },
    ...blockRules('backbone\\.layer(\\d)\\.(\\d+)', blockLabel, 2),
    ...blockRules('backbone\\.extra', () => '6', 0),
    ...transfer,
    {
      parameter: /^tcb\.(\d)\.lateral\.([01])\.bn\.(\w+)$/,
      name: (index, layer, vector) => transferNorm(`TL${level(index)}_${Number(layer) + 1}`, vector),
    },
    {
      parameter: /^tcb\.(\d)\.up\.bn\.(\w+)$/,
      name: (index, vector) => transferNorm(`P${level(index) + 1}-up`, vector),
    },
    {
      parameter: /^tcb\.(\d)\.output\.0\.bn\.(\w+)$/,
      name: (index, vector) => transferNorm(`P${level(index)}`, vector),
    },
    ...blockRules('(arm|odm)\\.block\\.(\\d)', (module, index) => `${headMap(module, index)}_inter`, 2),
    {
      parameter: /^(arm|odm)\.(loc|conf)\.(\d)\.(weight|bias)$/,
      name: (module, head, index, part) => blob(`res${headMap(module, index)}_inter_mbox_${head}`, part),
    },
  ],
  divisor,
  // What batch norm's sums are divided by.
  unused: /^(bn.*|.*_bn)\/2$/,
};

function transferNorm(layer: string, vector: string): string {
  return norm('', vector, { norm: `${layer}_bn`, scale: `${layer}_scale` });
}
