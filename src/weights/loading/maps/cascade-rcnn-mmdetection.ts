import { imageNetNormalisation } from '../../../models/pictures.js';
import type { NameMap } from './name-map.js';

/** Names of a stage's layers. */
const headLayers: Readonly<Record<string, string>> = {
  fc1: 'shared_fcs.0',
  fc2: 'shared_fcs.1',
  cls: 'fc_cls',
  reg: 'fc_reg',
};

/** mmdetection 2.x and 3.x: `cascade-rcnn_r50_fpn_*` and its ResNet-101 twin. The backbone's names are torchvision's. */
export const cascadeRcnnMmdetection: NameMap = {
  source: "mmdetection's Cascade R-CNN",
  models: /^cascade-rcnn-resnet(50|101)$/,
  normalisation: imageNetNormalisation,
  background: 'last',
  stageStds: [
    [0.1, 0.1, 0.2, 0.2],
    [0.05, 0.05, 0.1, 0.1],
    [0.033, 0.033, 0.067, 0.067],
  ],
  rules: [
    { parameter: /^(backbone\.(?:conv1|bn1|layer[1-4])\..+)$/, name: (name) => name },
    {
      parameter: /^fpn\.(lateral|output)\.([0-3])\.(weight|bias)$/,
      name: (kind, level, part) => `neck.${kind === 'lateral' ? 'lateral' : 'fpn'}_convs.${level}.conv.${part}`,
    },
    { parameter: /^rpn\.(conv|cls|reg)\.(weight|bias)$/, name: (layer, part) => `rpn_head.rpn_${layer}.${part}` },
    {
      parameter: /^stages\.([0-2])\.(fc1|fc2|cls|reg)\.(weight|bias)$/,
      name: (stage, layer, part) => `roi_head.bbox_head.${stage}.${headLayers[layer]}.${part}`,
    },
  ],
  // Version 3 may keep the pixels' mean and deviation, training with averages a flat copy of all weights.
  unused: /\.num_batches_tracked$|^data_preprocessor\.|^ema_/,
};
