import { cascadeRcnnDetectron2 } from './cascade-rcnn-detectron2.js';
import { cascadeRcnnMmdetection } from './cascade-rcnn-mmdetection.js';
import { cascadeRcnnZoo } from './cascade-rcnn-zoo.js';
import { mindsporeResNet } from './mindspore-resnet.js';
import type { NameMap } from './name-map.js';
import { ownNames } from './own.js';
import { refineDetCaffeResNet101, refineDetCaffeVgg16 } from './refinedet-caffe.js';
import { refineDetPytorch } from './refinedet-pytorch.js';
import { refineDetZooResNet101, refineDetZooVgg16 } from './refinedet-zoo.js';
import { torchvisionResNet, torchvisionVgg16 } from './torchvision.js';

/** Every source whose names are known; where two fit a file as well, the first counts. */
export const nameMaps: readonly NameMap[] = [
  ownNames,
  refineDetZooVgg16,
  refineDetZooResNet101,
  cascadeRcnnZoo,
  cascadeRcnnMmdetection,
  cascadeRcnnDetectron2,
  refineDetPytorch,
  refineDetCaffeVgg16,
  refineDetCaffeResNet101,
  torchvisionResNet,
  torchvisionVgg16,
  mindsporeResNet,
];
