import type { NameMap } from './name-map.js';

/** Names of a stage's layers. */
const headLayers: Readonly<Record<string, string>> = {
  fc1: 'box_head.STAGE.fc1',
  fc2: 'box_head.STAGE.fc2',
  cls: 'box_predictor.STAGE.cls_score',
  reg: 'box_predictor.STAGE.bbox_pred',
};
const rpnLayers: Readonly<Record<string, string>> = {
  conv: 'conv',
  cls: 'objectness_logits',
  reg: 'anchor_deltas',
};

/** Standard deviations are the inverse of detectron2's weights. */
const inverse = (x: number, w: number) => [1 / x, 1 / x, 1 / w, 1 / w] as const;

/**
 * detectron2's Cascade R-CNN with FPN, as `configs/Misc/cascade_mask_rcnn_R_50_FPN_*` build it; its model zoo has it only
 * with a mask head beside, which detection of boxes does not need. The residual stages are called res2 to res5.
 */
export const cascadeRcnnDetectron2: NameMap = {
  source: "detectron2's Cascade R-CNN",
  models: /^cascade-rcnn-resnet(50|101)-detectron2$/,
  normalisation: { order: 'bgr', mean: [103.53, 116.28, 123.675], std: [1, 1, 1] },
  background: 'last',
  stageStds: [inverse(10, 5), inverse(20, 10), inverse(30, 15)],
  rules: [
    { parameter: /^backbone\.conv1\.weight$/, name: () => 'backbone.bottom_up.stem.conv1.weight' },
    { parameter: /^backbone\.bn1\.(\w+)$/, name: (vector) => `backbone.bottom_up.stem.conv1.norm.${vector}` },
    {
      parameter: /^backbone\.layer([1-4])\.(\d+)\.conv(\d)\.weight$/,
      name: (stage, block, index) => `${blockName(stage, block)}.conv${index}.weight`,
    },
    {
      parameter: /^backbone\.layer([1-4])\.(\d+)\.bn(\d)\.(\w+)$/,
      name: (stage, block, index, vector) => `${blockName(stage, block)}.conv${index}.norm.${vector}`,
    },
    {
      parameter: /^backbone\.layer([1-4])\.(\d+)\.downsample\.0\.weight$/,
      name: (stage, block) => `${blockName(stage, block)}.shortcut.weight`,
    },
    {
      parameter: /^backbone\.layer([1-4])\.(\d+)\.downsample\.1\.(\w+)$/,
      name: (stage, block, vector) => `${blockName(stage, block)}.shortcut.norm.${vector}`,
    },
    {
      parameter: /^fpn\.(lateral|output)\.([0-3])\.(weight|bias)$/,
      name: (kind, level, part) => `backbone.fpn_${kind}${Number(level) + 2}.${part}`,
    },
    {
      parameter: /^rpn\.(conv|cls|reg)\.(weight|bias)$/,
      name: (layer, part) => `proposal_generator.rpn_head.${rpnLayers[layer]}.${part}`,
    },
    {
      parameter: /^stages\.([0-2])\.(fc1|fc2|cls|reg)\.(weight|bias)$/,
      name: (stage, layer, part) => `roi_heads.${headLayers[layer].replace('STAGE', stage)}.${part}`,
    },
  ],
  unused:
    /^(pixel_(mean|std)$|proposal_generator\.anchor_generator\.|roi_heads\.(mask|keypoint)_)|\.num_batches_tracked$/,
};

function blockName(stage: string, block: string): string {
  return `backbone.bottom_up.res${Number(stage) + 1}.${block}`;
}
