import { imageNetNormalisation } from '../../../models/pictures.js';
import { normNames } from './mindspore-norm.js';
import type { NameMap } from './name-map.js';

/** Names of a head's layers. The heads of the three stages are `rcnn`, `rcnn1` and `rcnn2`. */
const headLayers: Readonly<Record<string, string>> = {
  fc1: 'shared_fc_0',
  fc2: 'shared_fc_1',
  cls: 'cls_scores',
  reg: 'reg_scores',
};

const stds = [0.1, 0.1, 0.2, 0.2] as const;

/**
 * MindSpore model zoo, `research/cv/CascadeRCNN` r1.8. The RPN's weights appear once, under its first level. The first two
 * heads have a class-agnostic regressor besides, `reg_scores_class_ang`, that nothing reads.
 */
export const cascadeRcnnZoo: NameMap = {
  source: "the MindSpore zoo's Cascade R-CNN",
  models: /^cascade-rcnn-resnet101-zoo$/,
  normalisation: imageNetNormalisation,
  background: 'first',
  stageStds: [stds, stds, stds],
  rules: [
    {
      parameter: /^backbone\.(.*)downsample\.1\.(\w+)$/,
      name: (block, vector) => `backbone.${block}bn_down_sample.${normNames[vector]}`,
    },
    { parameter: /^backbone\.(.*)downsample\.0\.weight$/, name: (block) => `backbone.${block}conv_down_sample.weight` },
    { parameter: /^backbone\.(.*bn\d)\.(\w+)$/, name: (layer, vector) => `backbone.${layer}.${normNames[vector]}` },
    { parameter: /^(backbone\..*conv\d\.weight)$/, name: (name) => name },
    {
      parameter: /^fpn\.lateral\.(\d)\.(weight|bias)$/,
      name: (level, kind) => `fpn_ncek.lateral_convs_list.${level}.${kind}`,
    },
    {
      parameter: /^fpn\.output\.(\d)\.(weight|bias)$/,
      name: (level, kind) => `fpn_ncek.fpn_convs_list.${level}.${kind}`,
    },
    {
      parameter: /^rpn\.(conv|cls|reg)\.(weight|bias)$/,
      name: (layer, kind) => `rpn_with_loss.rpn_convs_list.0.rpn_${layer}.${kind}`,
    },
    {
      parameter: /^stages\.([012])\.(fc1|fc2|cls|reg)\.(weight|bias)$/,
      name: (stage, layer, kind) => `rcnn${stage === '0' ? '' : stage}.${headLayers[layer]}.${kind}`,
    },
  ],
  transposed: /^stages\.\d\.\w+\.weight$/,
  unused: /^(accum\.|stat\.|(global_step|learning_rate|momentum)$|rcnn1?\.reg_scores_class_ang\.)/,
  writing: {
    format: 'mindspore',
    order: () => [],
    spare: ['rcnn', 'rcnn1'].flatMap((head) => [
      { after: `${head}.reg_scores.bias`, name: `${head}.reg_scores_class_ang.weight`, shape: [1024, 4] },
      { after: `${head}.reg_scores_class_ang.weight`, name: `${head}.reg_scores_class_ang.bias`, shape: [4] },
    ]),
  },
};
