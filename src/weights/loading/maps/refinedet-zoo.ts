import { imageNetNormalisation } from '../../../models/pictures.js';
import { normNames } from './mindspore-norm.js';
import type { NameMap, NameRule } from './name-map.js';

/** Levels whose TCB branch starts with L2Norm, which takes place 0 there. */
const normalizedLevels = ['0', '1'];

/** Transfer connections and heads, which both backbones share. */
const shared: readonly NameRule[] = [
  { parameter: /^source_norm\.(\d)\.weight$/, name: (level) => `network.tcb.tcb${level}.0.weight` },
  {
    parameter: /^tcb\.(\d)\.lateral\.(\d)\.weight$/,
    name: (level, index) =>
      `network.tcb.tcb${level}.${2 * Number(index) + (normalizedLevels.includes(level) ? 1 : 0)}.weight`,
  },
  { parameter: /^tcb\.(\d)\.up\.weight$/, name: (level) => `network.tcb.deconv${level}.0.weight` },
  {
    parameter: /^tcb\.(\d)\.output\.(\d)\.weight$/,
    name: (level, index) => `network.tcb.p${level}.${2 * Number(index)}.weight`,
  },
  {
    parameter: /^(arm|odm)\.(loc|conf)\.(\d)\.depthwise\.weight$/,
    name: (module, head, level) => `${headLayers(module, head, level)}.0.weight`,
  },
  {
    parameter: /^(arm|odm)\.(loc|conf)\.(\d)\.bn\.(\w+)$/,
    name: (module, head, level, vector) => `${headLayers(module, head, level)}.1.${normNames[vector]}`,
  },
  {
    parameter: /^(arm|odm)\.(loc|conf)\.(\d)\.pointwise\.(weight|bias)$/,
    name: (module, head, level, kind) => `${headLayers(module, head, level)}.3.${kind}`,
  },
];

function headLayers(module: string, head: string, level: string): string {
  return `network.${module}.multi_box.multi_${head === 'conf' ? 'cls' : 'loc'}_layers.${level}`;
}

/** Optimizer state in training checkpoints. */
const unused = /^(moments\.|accum\.|global_step$|learning_rate$|momentum$)/;

const sections = ['backbone', 'arm', 'odm', 'tcb'];

/** Layer order of the network for evaluation: backbone, heads, transfer connections from the finest level on. */
function order(parameter: string): number[] {
  const [, level] = /^(?:tcb|source_norm)\.(\d)/.exec(parameter) ?? [];
  if (level === undefined) return [sections.indexOf(parameter.slice(0, parameter.indexOf('.')))];
  return [sections.indexOf('tcb'), Number(level)];
}

const writing = { format: 'mindspore', order } as const;

/** MindSpore model zoo, `research/cv/RefineDet` r1.7, VGG-16. */
export const refineDetZooVgg16: NameMap = {
  source: "the MindSpore zoo's RefineDet, VGG-16",
  models: /^refinedet-vgg16-\d+-zoo$/,
  normalisation: imageNetNormalisation,
  rules: [
    {
      parameter: /^backbone\.conv([1-5])_(\d)\.weight$/,
      name: (stage, index) => `network.backbone.b${stage}.${2 * (Number(index) - 1)}.weight`,
    },
    { parameter: /^backbone\.(fc[67])\.weight$/, name: (layer) => `network.backbone.${layer}.weight` },
    { parameter: /^backbone\.conv6_([12])\.weight$/, name: (index) => `network.backbone.b6_${index}.0.weight` },
    ...shared,
  ],
  unused,
  writing,
};

/** MindSpore model zoo, `research/cv/RefineDet` r1.7, ResNet-101. */
export const refineDetZooResNet101: NameMap = {
  source: "the MindSpore zoo's RefineDet, ResNet-101",
  models: /^refinedet-resnet101-\d+-zoo$/,
  normalisation: imageNetNormalisation,
  rules: [
    {
      parameter: /^backbone\.(.*(?:bn\d|downsample\.1))\.(\w+)$/,
      name: (layer, vector) => `${resNetLayer(layer)}.${normNames[vector]}`,
    },
    { parameter: /^backbone\.(.*(?:conv\d|downsample\.0))\.weight$/, name: (layer) => `${resNetLayer(layer)}.weight` },
    ...shared,
  ],
  unused,
  writing,
};

function resNetLayer(layer: string): string {
  const own = layer.replace('downsample', 'down_sample_layer');
  return own.startsWith('extra.') ? `network.backbone.${own}` : `network.backbone.base.${own}`;
}
