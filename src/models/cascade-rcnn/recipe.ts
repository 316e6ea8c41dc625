import type { BoxCoder } from '../../boxes/coder.js';
import type { Matcher } from '../../boxes/matcher.js';
import type { RoiCoordinates } from '../../graph/index.js';
import type { Initializer } from '../../nn/initializers.js';
import type { OptimizerRecipe } from '../../nn/optimizers.js';
import type { FpnRecipe } from '../backbones/fpn.js';
import type { ResNetRecipe } from '../backbones/resnet.js';
import type { KeepRatioRule } from '../canvas.js';
import type { Normalisation } from '../pictures.js';
import type { PyramidAnchorRecipe } from './anchors.js';
import type { RpnTargetSpec } from './targets.js';

/** A Cascade R-CNN (Cai & Vasconcelos 2018) as plain data: everything in which its variants differ. */
export interface CascadeRcnnRecipe {
  readonly kind: 'cascade-rcnn';
  /** `paper`: the published method as mmdetection trains it. `zoo`: what the MindSpore model card's checkpoint needs. */
  readonly family: 'paper' | 'zoo';
  /** Object classes, background not counted. */
  readonly classes: number;
  readonly resize: KeepRatioRule;
  readonly normalisation: Normalisation;
  /** What the canvas around a picture holds: zeros after the normalisation, or before it (and so minus mean / std). */
  readonly padding: 'normalised' | 'raw';
  readonly backbone: ResNetRecipe;
  readonly fpn: FpnRecipe;
  readonly anchors: PyramidAnchorRecipe;
  readonly rpn: RpnRecipe;
  /** What the data pipeline computes before a step. */
  readonly targets: RpnTargetSpec;
  readonly roiAlign: RoiAlignRecipe;
  readonly head: HeadRecipe;
  /** The stages in their order: the boxes of one are the RoIs of the next. */
  readonly stages: readonly StageRecipe[];
  readonly sampling: SamplingRecipe;
  readonly postprocess: CascadePostprocess;
  /** How training pictures are varied: mirrored only, as for a small data set, or as in the zoo. */
  readonly augmentation: 'published' | 'small' | 'zoo';
  readonly optimizer: OptimizerRecipe;
}

export interface RpnRecipe {
  readonly channels: number;
  readonly coder: BoxCoder;
  /** Beta of smooth L1. */
  readonly beta: number;
  /** The losses are divided by all sampled anchors of the batch, or always by the number wanted of each picture. */
  readonly dividedBy: 'sampled' | 'wanted';
  /** Cut proposals to the picture (published) or to the whole canvas (zoo). */
  readonly clipTo: 'picture' | 'canvas';
  /** Leave out boxes without width or height after the cut. */
  readonly dropEmpty: boolean;
  /** Proposals are suppressed within a level from this IoU on. */
  readonly nms: number;
  readonly training: ProposalCounts;
  readonly inference: ProposalCounts;
}

export interface ProposalCounts {
  /** Best anchors of a level that are decoded. */
  readonly perLevel: number;
  /** Best proposals of a picture over all levels. */
  readonly perPicture: number;
}

/** Pooling of RoIs from P2 … P5. */
export interface RoiAlignRecipe {
  readonly size: number;
  /** Sampling points a bin and axis; 0 takes as many as the bin has pixels, rounded up. */
  readonly sampling: number;
  readonly aligned: RoiCoordinates;
  /** RoIs end at x2 + 1 and y2 + 1, and their level counts sides of x2 − x1 + 1 (zoo). */
  readonly plusOne: boolean;
  /** Side in pixels of RoIs that are pooled from the first level; the next level begins at twice that. */
  readonly finestSide: number;
}

export interface HeadRecipe {
  /** Units of the two fully connected layers. */
  readonly units: number;
  /** One box for all classes, or one for each class and the background. */
  readonly regression: 'agnostic' | 'by-class';
  /** Where the background stands among the logits. */
  readonly background: 'first' | 'last';
  readonly initialCls?: Initializer;
  readonly initialReg?: Initializer;
}

/** What one stage has of its own. */
export interface StageRecipe {
  readonly matcher: Matcher;
  readonly coder: BoxCoder;
  /** Weight of its losses. */
  readonly weight: number;
}

/** Which RoIs of a picture learn, and what becomes of them between stages. */
export interface SamplingRecipe {
  /** RoIs of a picture, and at most how many of them positive. */
  readonly samples: number;
  readonly positives: number;
  /** Whether samples that are a ground-truth box itself go out before the next stage (which adds the boxes anew). */
  readonly dropTruth: boolean;
  /** Boxes are rounded to float16 before the decode between stages (zoo). */
  readonly halfBoxes: boolean;
  /** Cut refined boxes to the picture or to the whole canvas. */
  readonly clipTo: 'picture' | 'canvas';
}

export interface CascadePostprocess {
  /** Softmax of the mean of all stages' logits, mean of all stages' softmax, or softmax of the last stage's logits. */
  readonly scores: 'ensemble' | 'mean-probability' | 'last';
  /** A score has to exceed this. */
  readonly score: number;
  readonly nms: number;
  /** Best detections of a picture over all classes. */
  readonly keep: number;
}
