import { gaussian, truncatedGaussian } from '../../nn/initializers.js';
import type { BatchNormLayer } from '../../nn/layers.js';
import type { BackboneRecipe } from '../backbones/backbone.js';
import type { ResNetRecipe } from '../backbones/resnet.js';
import { caffeNormalisation, imageNetNormalisation, luuuyiNormalisation } from '../pictures.js';
import type { HeadRecipe, RefineDetRecipe, TcbRecipe } from './recipe.js';
import { paperCoder, paperMatcher, paperTargets, zooCoder, zooTargets } from './targets.js';

const caffeNorm: BatchNormLayer = { epsilon: 1e-5, momentum: 0.1 };
const zooNorm: BatchNormLayer = { epsilon: 1e-3, momentum: 0.003 };
const zooHeadNorm: BatchNormLayer = { epsilon: 1e-3, momentum: 0.03 };
/** Caffe: biases move twice as fast and are not decayed. */
const caffeBias = { decay: false, rate: 2 } as const;

const paperResNet = {
  kind: 'resnet',
  stem: 7,
  padding: 'symmetric',
  pool: 'padded',
  norm: caffeNorm,
  widths: [64, 64, 128, 256, 512],
  extra: { width: 128, out: 512 },
} as const;

/** What varies between the models of the published method. */
interface PaperVariant {
  readonly backbone: BackboneRecipe;
  readonly channels: number;
  readonly head: HeadRecipe;
  readonly norm?: BatchNormLayer;
}

const plainHead: HeadRecipe = { kind: 'plain', biasRule: caffeBias };
/**
 * Small first weights, as Fast R-CNN's: residual maps are several times larger than VGG's normalised ones, and wide
 * first logits cost a run its first epochs.
 */
const quietHead: HeadRecipe = { ...plainHead, initial: gaussian(0.01) };

const paperVariants: Readonly<Record<string, PaperVariant>> = {
  vgg16: {
    backbone: { kind: 'vgg16', bias: true, biasRule: caffeBias, fc7Source: 'relu', pixelDeviation: 58 },
    channels: 256,
    head: plainHead,
  },
  // The authors' Caffe ResNet: stride on the 1×1, unpadded first pool, residual blocks before the heads.
  resnet101: {
    backbone: { ...paperResNet, block: 'bottleneck', blocks: [3, 4, 23, 3], strideOn: '1x1', pool: 'ceil' },
    channels: 256,
    head: { kind: 'residual', norm: caffeNorm, biasRule: caffeBias },
    norm: caffeNorm,
  },
  // The smaller ones follow torchvision, whose weights people have.
  resnet50: {
    backbone: { ...paperResNet, block: 'bottleneck', blocks: [3, 4, 6, 3], strideOn: '3x3' },
    channels: 256,
    head: quietHead,
    norm: caffeNorm,
  },
  resnet18: {
    backbone: { ...paperResNet, block: 'basic', blocks: [2, 2, 2, 2], strideOn: '3x3', extra: { width: 64, out: 256 } },
    channels: 128,
    head: quietHead,
    norm: caffeNorm,
  },
  // Small enough for the demo and the browser.
  tiny: {
    backbone: {
      ...paperResNet,
      block: 'basic',
      blocks: [1, 1, 1, 1],
      widths: [16, 16, 32, 64, 96],
      strideOn: '3x3',
      stem: 3,
      extra: { width: 32, out: 96 },
    },
    channels: 48,
    head: quietHead,
    norm: caffeNorm,
  },
};

/** Backbones of the published family, by name. */
export const paperBackbones: readonly string[] = Object.keys(paperVariants);
export const zooBackbones: readonly string[] = ['vgg16', 'resnet101'];
export const luuuyiBackbones: readonly string[] = ['vgg16'];

/** RefineDet as published (Zhang et al. 2018) and in the authors' Caffe code where the paper is silent. */
export function paperRefineDet(backbone: string, size: number, classes: number): RefineDetRecipe {
  const { backbone: network, channels, head, norm } = paperVariants[backbone];
  const targets = paperTargets(size);
  const tcb: TcbRecipe = {
    channels,
    bias: norm === undefined,
    biasRule: caffeBias,
    norm,
    topLaterals: 2,
    reluUp: false,
    reluSum: true,
    outputs: 1,
  };
  return {
    kind: 'refinedet',
    family: 'paper',
    size,
    classes,
    backbone: network,
    normalisation: network.kind === 'vgg16' ? caffeNormalisation : imageNetNormalisation,
    l2Norm:
      network.kind === 'vgg16' ? { scales: [10, 8], epsilon: 1e-10, guard: 'inside', before: 'heads' } : undefined,
    tcb,
    head,
    anchors: targets.anchors,
    targets,
    coder: paperCoder,
    loss: { kind: 'mined', matcher: paperMatcher, negatives: 3, objectness: 0.01, filters: 'negatives' },
    postprocess: {
      activation: 'softmax',
      arm: { objectness: 0.01 },
      clip: false,
      score: 0.01,
      candidates: 1000,
      nms: 0.45,
      plusOne: false,
      maxPerClass: 1000,
      keep: 500,
    },
    optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
  };
}

/**
 * RefineDet as luuuyi/RefineDet.PyTorch has it, for its weights: where it departs from the published method, it is in RGB,
 * in anchors that are cut to the picture, in the norm's guard and in how boxes are matched and negatives chosen.
 */
export function luuuyiRefineDet(size: number, classes: number): RefineDetRecipe {
  const paper = paperRefineDet('vgg16', size, classes);
  const targets = paperTargets(size, 'pytorch');
  return {
    ...paper,
    backbone: { kind: 'vgg16', bias: true, fc7Source: 'relu' },
    normalisation: luuuyiNormalisation,
    l2Norm: { ...paper.l2Norm!, guard: 'outside' },
    tcb: { ...paper.tcb, biasRule: undefined },
    head: { kind: 'plain' },
    anchors: targets.anchors,
    targets,
    coder: targets.coder,
    loss: { kind: 'mined', matcher: targets.matcher, negatives: 3, objectness: 0.01, filters: 'positives' },
  };
}

const zooInitial = truncatedGaussian(0.02);

const zooBackboneRecipes: Readonly<Record<string, BackboneRecipe>> = {
  vgg16: { kind: 'vgg16', bias: false, fc7Source: 'linear', initial: zooInitial },
  resnet101: {
    kind: 'resnet',
    block: 'bottleneck',
    blocks: [3, 4, 23, 3],
    widths: [64, 64, 128, 256, 512],
    stem: 7,
    strideOn: '3x3',
    padding: 'same',
    pool: 'padded',
    norm: zooNorm,
    extra: { width: 32, out: 512 },
    initial: zooInitial,
  } satisfies ResNetRecipe,
};

/** RefineDet of the MindSpore model zoo (r1.7), quirk for quirk: what the model card's checkpoint needs. */
export function zooRefineDet(backbone: string, size: number, classes: number): RefineDetRecipe {
  const targets = zooTargets(size);
  return {
    kind: 'refinedet',
    family: 'zoo',
    size,
    classes,
    backbone: zooBackboneRecipes[backbone],
    normalisation: imageNetNormalisation,
    l2Norm: { scales: [10, 8], epsilon: 1e-10, guard: 'maximum', before: 'tcb' },
    tcb: { channels: 256, bias: false, topLaterals: 1, reluUp: true, reluSum: false, outputs: 2 },
    head: { kind: 'separable', norm: zooHeadNorm },
    anchors: targets.anchors,
    targets,
    coder: zooCoder,
    loss: { kind: 'focal', alpha: 0.75, gamma: 2, armOnlyFirstClass: true, guardNoMatch: true },
    postprocess: { activation: 'sigmoid', clip: true, score: 0.1, nms: 0.6, plusOne: true, maxPerClass: 100 },
    optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 1.5e-4 },
  };
}
