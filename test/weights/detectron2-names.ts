// What detectron2's model zoo files of Cascade R-CNN hold, worked out from the public definition of the network:
// GeneralizedRCNN of a ResNet with FPN and frozen batch norm, CascadeROIHeads with a mask head, as the configuration
// cascade_mask_rcnn_R_50_FPN builds it.
import type { Listed } from './listed-file.js';

const vectors = ['weight', 'bias', 'running_mean', 'running_var'];

function layer(name: string, out: number, ...rest: number[]): Listed[] {
  return [
    [`${name}.weight`, [out, ...rest]],
    [`${name}.bias`, [out]],
  ];
}

function normed(name: string, out: number, ...rest: number[]): Listed[] {
  return [[`${name}.weight`, [out, ...rest]], ...vectors.map((vector): Listed => [`${name}.norm.${vector}`, [out]])];
}

export function detectron2Names(blocks: readonly number[], classes: number): Listed[] {
  const list: Listed[] = [...normed('backbone.bottom_up.stem.conv1', 64, 3, 7, 7)];
  blocks.forEach((count, stage) => {
    const width = 64 * 2 ** stage;
    for (let i = 0; i < count; i++) {
      const name = `backbone.bottom_up.res${stage + 2}.${i}`;
      const into = i > 0 ? 4 * width : stage === 0 ? 64 : 2 * width;
      if (i === 0) list.push(...normed(`${name}.shortcut`, 4 * width, into, 1, 1));
      list.push(...normed(`${name}.conv1`, width, into, 1, 1));
      list.push(...normed(`${name}.conv2`, width, width, 3, 3));
      list.push(...normed(`${name}.conv3`, 4 * width, width, 1, 1));
    }
  });
  for (let level = 2; level <= 5; level++) {
    list.push(...layer(`backbone.fpn_lateral${level}`, 256, 64 * 2 ** level, 1, 1));
    list.push(...layer(`backbone.fpn_output${level}`, 256, 256, 3, 3));
  }
  const rpn = 'proposal_generator.rpn_head';
  list.push(...layer(`${rpn}.conv`, 256, 256, 3, 3));
  list.push(...layer(`${rpn}.objectness_logits`, 3, 256, 1, 1), ...layer(`${rpn}.anchor_deltas`, 12, 256, 1, 1));
  for (let level = 0; level < 5; level++)
    list.push([`proposal_generator.anchor_generator.cell_anchors.${level}`, [3, 4]]);
  for (let stage = 0; stage < 3; stage++) {
    list.push(...layer(`roi_heads.box_head.${stage}.fc1`, 1024, 12544));
    list.push(...layer(`roi_heads.box_head.${stage}.fc2`, 1024, 1024));
    list.push(...layer(`roi_heads.box_predictor.${stage}.cls_score`, classes + 1, 1024));
    list.push(...layer(`roi_heads.box_predictor.${stage}.bbox_pred`, 4, 1024));
  }
  for (let i = 1; i <= 4; i++) list.push(...layer(`roi_heads.mask_head.mask_fcn${i}`, 256, 256, 3, 3));
  list.push(...layer('roi_heads.mask_head.deconv', 256, 256, 2, 2));
  list.push(...layer('roi_heads.mask_head.predictor', classes, 256, 1, 1));
  list.push(['pixel_mean', [3, 1, 1]], ['pixel_std', [3, 1, 1]]);
  return list;
}
