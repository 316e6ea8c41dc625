import type { BoxCoder } from '../../boxes/coder.js';
import { BoxwrightError } from '../../errors.js';
import type { BatchNormLayer } from '../../nn/layers.js';
import type { ResNetRecipe } from '../backbones/resnet.js';
import type { PyramidAnchorRecipe } from './anchors.js';
import type { CascadeRcnnRecipe, ProposalCounts, StageRecipe } from './recipe.js';

const norm: BatchNormLayer = { epsilon: 1e-5, momentum: 0.1 };
const maxLogRatio = Math.log(1000 / 16);
const strides = [4, 8, 16, 32, 64] as const;

const bottleneck = {
  kind: 'resnet',
  block: 'bottleneck',
  stem: 7,
  padding: 'symmetric',
  strideOn: '3x3',
  norm,
  widths: [64, 64, 128, 256, 512],
} as const;

/** mmdetection's backbones: weight decay moves batch norm like all else. */
const paperBottleneck = { ...bottleneck, norm: { ...norm, decay: true }, pool: 'padded' } as const;
const paperBasic = { ...paperBottleneck, block: 'basic' } as const;

/** What varies between the models of the published method. */
interface PaperVariant {
  readonly backbone: ResNetRecipe;
  readonly long: number;
  readonly short: number;
  readonly channels: number;
  readonly units: number;
  readonly training: ProposalCounts;
  readonly inference: ProposalCounts;
  /** RoIs of a picture that learn in a stage. */
  readonly samples: number;
  readonly sampling: number;
  readonly augmentation: CascadeRcnnRecipe['augmentation'];
}

/** mmdetection's `cascade-rcnn_r50_fpn_1x_coco` and its ResNet-101 twin. */
const published = {
  long: 1333,
  short: 800,
  channels: 256,
  units: 1024,
  training: { perLevel: 2000, perPicture: 2000 },
  inference: { perLevel: 1000, perPicture: 1000 },
  samples: 512,
  sampling: 0,
  augmentation: 'published',
} as const;

const paperVariants: Readonly<Record<string, PaperVariant>> = {
  resnet50: { ...published, backbone: { ...paperBottleneck, blocks: [3, 4, 6, 3] } },
  resnet101: { ...published, backbone: { ...paperBottleneck, blocks: [3, 4, 23, 3] } },
  // For a laptop: small pictures, fewer channels and RoIs.
  resnet18: {
    backbone: { ...paperBasic, blocks: [2, 2, 2, 2] },
    long: 416,
    short: 320,
    channels: 96,
    units: 512,
    training: { perLevel: 500, perPicture: 500 },
    inference: { perLevel: 300, perPicture: 300 },
    samples: 128,
    sampling: 2,
    augmentation: 'small',
  },
  // For tests and the browser.
  tiny: {
    backbone: { ...paperBasic, blocks: [1, 1, 1, 1], widths: [16, 16, 32, 64, 96], stem: 3 },
    long: 256,
    short: 192,
    channels: 48,
    units: 128,
    training: { perLevel: 200, perPicture: 200 },
    inference: { perLevel: 100, perPicture: 100 },
    samples: 64,
    sampling: 2,
    augmentation: 'small',
  },
};

/** Backbones of the published family, by name. */
export const paperBackbones: readonly string[] = Object.keys(paperVariants);
export const zooBackbones: readonly string[] = ['resnet101'];
export const detectron2Backbones: readonly string[] = ['resnet50', 'resnet101'];

const paperAnchors: PyramidAnchorRecipe = { strides, scale: 8, ratios: [0.5, 1, 2], base: 'corner' };
const coder = (stds: BoxCoder['stds']): BoxCoder => ({ stds, order: 'xywh', maxLogRatio });
const rpnCoder = coder([1, 1, 1, 1]);

/** Stricter from stage to stage (section 4.2): overlap asked for, deviations of the deltas, weight of the loss. */
const paperStages: readonly StageRecipe[] = [
  { matcher: { positive: 0.5 }, coder: coder([0.1, 0.1, 0.2, 0.2]), weight: 1 },
  { matcher: { positive: 0.6 }, coder: coder([0.05, 0.05, 0.1, 0.1]), weight: 0.5 },
  { matcher: { positive: 0.7 }, coder: coder([0.033, 0.033, 0.067, 0.067]), weight: 0.25 },
];

/** Cascade R-CNN (Cai & Vasconcelos 2018) with FPN, as mmdetection 2.x and 3.x train it. */
export function paperCascadeRcnn(backbone: string, classes: number): CascadeRcnnRecipe {
  const variant = paperVariants[backbone];
  const { long, short, channels, units, samples, sampling } = variant;
  return {
    kind: 'cascade-rcnn',
    family: 'paper',
    classes,
    resize: { kind: 'keep-ratio', long, short, multiple: 32 },
    normalisation: { order: 'rgb', mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] },
    padding: 'normalised',
    backbone: variant.backbone,
    fpn: { channels },
    anchors: paperAnchors,
    rpn: {
      channels,
      coder: rpnCoder,
      beta: 1 / 9,
      dividedBy: 'sampled',
      clipTo: 'picture',
      dropEmpty: true,
      nms: 0.7,
      training: variant.training,
      inference: variant.inference,
    },
    targets: {
      kind: 'rpn',
      anchors: paperAnchors,
      matcher: { positive: 0.7, negative: 0.3, best: { shared: 'last', ties: 'all', minimum: 0.3 } },
      coder: rpnCoder,
      inside: 'below-side',
      samples: 256,
      positives: 128,
    },
    roiAlign: { size: 7, sampling, aligned: true, plusOne: false, finestSide: 56 },
    head: { units, regression: 'agnostic', background: 'last' },
    stages: paperStages,
    sampling: { samples, positives: samples / 4, dropTruth: true, halfBoxes: false, clipTo: 'picture' },
    postprocess: { scores: 'ensemble', score: 0.05, nms: 0.5, keep: 100 },
    augmentation: variant.augmentation,
    optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 1e-4 },
  };
}

/** Standard deviations of detectron2's stages are the inverse of its weights (10, 10, 5, 5) and multiples. */
const detectron2Coder = (times: number): BoxCoder => coder([0.1 / times, 0.1 / times, 0.2 / times, 0.2 / times]);

/**
 * Cascade R-CNN as detectron2's `cascade_mask_rcnn_R_50_FPN` detects boxes with it: Caffe's residual network (stride on
 * the 1×1, BGR pixels with the mean subtracted), scores that are the mean of the stages' probabilities. It trains as the
 * published one does.
 */
export function detectron2CascadeRcnn(backbone: string, classes: number): CascadeRcnnRecipe {
  const paper = paperCascadeRcnn(backbone, classes);
  return {
    ...paper,
    normalisation: { order: 'bgr', mean: [103.53, 116.28, 123.675], std: [1, 1, 1] },
    backbone: { ...paper.backbone, strideOn: '1x1' },
    stages: paperStages.map((stage, i) => ({ ...stage, coder: detectron2Coder(i + 1) })),
    postprocess: { ...paper.postprocess, scores: 'mean-probability' },
  };
}

const zooAnchors: PyramidAnchorRecipe = { strides, scale: 8, ratios: [0.5, 1, 2], base: 'zoo' };
const zooCoder = (stds: BoxCoder['stds']): BoxCoder => ({ ...coder(stds), plusOne: true });

/** Every stage of the zoo's gives a box its best RoI from 0.5 on, and codes alike. */
const zooStage = (positive: number): StageRecipe => ({
  matcher: { positive, plusOne: true, best: { shared: 'last', ties: 'all', minimum: 0.5 } },
  coder: zooCoder([0.1, 0.1, 0.2, 0.2]),
  weight: 1,
});

/** Cascade R-CNN of the MindSpore model zoo (r1.8), quirk for quirk: what the model card's checkpoint needs. */
export function zooCascadeRcnn(classes: number): CascadeRcnnRecipe {
  return {
    kind: 'cascade-rcnn',
    family: 'zoo',
    classes,
    resize: { kind: 'keep-ratio', long: 1280, short: 768, multiple: 32, fixed: { height: 768, width: 1280 } },
    normalisation: { order: 'rgb', mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] },
    padding: 'raw',
    backbone: { ...bottleneck, blocks: [3, 4, 23, 3], pool: 'end' },
    fpn: { channels: 256 },
    anchors: zooAnchors,
    rpn: {
      channels: 256,
      coder: zooCoder([1, 1, 1, 1]),
      beta: 1 / 9,
      dividedBy: 'wanted',
      clipTo: 'canvas',
      dropEmpty: false,
      nms: 0.7,
      training: { perLevel: 2000, perPicture: 2000 },
      inference: { perLevel: 1000, perPicture: 1000 },
    },
    targets: {
      kind: 'rpn',
      anchors: zooAnchors,
      matcher: {
        positive: 0.7,
        negative: 0.3,
        plusOne: true,
        best: { shared: 'last', ties: 'all', minimum: 0.3 },
      },
      coder: zooCoder([1, 1, 1, 1]),
      inside: 'last-pixel',
      samples: 256,
      positives: 128,
    },
    roiAlign: { size: 7, sampling: 2, aligned: 'unshifted', plusOne: true, finestSide: 56 },
    head: { units: 1024, regression: 'by-class', background: 'first' },
    stages: [zooStage(0.5), zooStage(0.6), zooStage(0.7)],
    sampling: { samples: 512, positives: 128, dropTruth: false, halfBoxes: true, clipTo: 'canvas' },
    postprocess: { scores: 'last', score: 0.05, nms: 0.5, keep: 128 },
    augmentation: 'zoo',
    optimizer: { kind: 'sgd', momentum: 0.91, weightDecay: 1e-5 },
  };
}

/**
 * The cascade cut off behind a stage, counted from 1, with that stage's own scores: what each stage contributes (the
 * paper's tables 3 and 4).
 *
 * @throws BoxwrightError `config` if the recipe has no such stage.
 */
export function upToStage(recipe: CascadeRcnnRecipe, stage: number): CascadeRcnnRecipe {
  const { length } = recipe.stages;
  if (!Number.isInteger(stage) || stage < 1 || stage > length)
    throw new BoxwrightError('config', `There is no stage ${stage}: the cascade has stages 1 to ${length}.`);
  const postprocess = { ...recipe.postprocess, scores: 'last' } as const;
  return { ...recipe, stages: recipe.stages.slice(0, stage), postprocess };
}
