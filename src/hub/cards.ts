import type { Card } from './card.js';
import { cocoClasses } from './coco-classes.js';

/** MindSpore Hub's own words on its weights, which its licence stands beside. */
const licence = 'Apache-2.0 (MindSpore Hub adds: for research and education)';

const known: readonly Card[] = [
  {
    name: 'refinedet_coco2017',
    model: 'refinedet-vgg16-320-zoo',
    classes: cocoClasses,
    asset: {
      url: 'https://download.mindspore.cn/models/r1.7/refinedet_ascend_v170_coco2017_research_cv_acc28.69.ckpt',
      sha256: '5df4c0602071678957f0039520cde9ebb995f7c2bbadddc817694a02582c4531',
      format: 'ckpt',
    },
    trainedOn: 'COCO 2017',
    reported: 'AP 28.69 on val2017, without the pictures that have crowds or no boxes',
    licence,
    repository: 'https://gitee.com/mindspore/models/tree/r1.7/research/cv/RefineDet',
  },
  {
    name: 'cascadercnn_coco2017',
    model: 'cascade-rcnn-resnet101-zoo',
    classes: cocoClasses,
    asset: {
      url: 'https://download.mindspore.cn/models/r1.8/cascadercnn_ascend_v180_coco2017_research_cv_map37.3_ap50acc55.5.ckpt',
      sha256: '18204a922b382758a16cd57d30481a6f5c4d06aaabfe228aa3c8804521d2a019',
      format: 'ckpt',
    },
    trainedOn: 'COCO 2017',
    reported: 'AP 37.3, AP50 55.5 on val2017',
    licence,
    repository: 'https://gitee.com/mindspore/models/tree/r1.8/research/cv/CascadeRCNN',
  },
];

/** The cards that boxwright knows by name: weights of others, which are downloaded from where their authors keep them. */
export function cards(): readonly Card[] {
  return known;
}
