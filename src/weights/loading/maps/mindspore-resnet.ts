import { imageNetNormalisation } from '../../../models/pictures.js';
import { normNames } from './mindspore-norm.js';
import type { NameMap } from './name-map.js';

/** The MindSpore zoo's ResNets for ImageNet, from which its detectors start. */
export const mindsporeResNet: NameMap = {
  source: "the MindSpore zoo's ResNet",
  normalisation: imageNetNormalisation,
  rules: [
    {
      parameter: /^backbone\.(layer\d\.\d+\.)downsample\.1\.(\w+)$/,
      name: (block, vector) => `${block}down_sample_layer.1.${normNames[vector]}`,
    },
    {
      parameter: /^backbone\.(layer\d\.\d+\.)downsample\.0\.weight$/,
      name: (block) => `${block}down_sample_layer.0.weight`,
    },
    {
      parameter: /^backbone\.((?:layer\d\.\d+\.)?bn\d)\.(\w+)$/,
      name: (layer, vector) => `${layer}.${normNames[vector]}`,
    },
    { parameter: /^backbone\.((?:layer\d\.\d+\.)?conv\d\.weight)$/, name: (name) => name },
  ],
  unused: /^(moments\.|accum\.|stat\.|(global_step|learning_rate|momentum|epoch_num|step_num)$|end_point\.)/,
};
