import type { BoxCoder } from '../../boxes/coder.js';
import type { Matcher } from '../../boxes/matcher.js';
import type { Initializer } from '../../nn/initializers.js';
import type { BatchNormLayer, BiasRule, L2NormLayer } from '../../nn/layers.js';
import type { OptimizerRecipe } from '../../nn/optimizers.js';
import type { BackboneRecipe } from '../backbones/backbone.js';
import type { Normalisation } from '../pictures.js';
import type { AnchorRecipe } from './anchors.js';
import type { AnchorTargetSpec } from './targets.js';

/** A RefineDet as plain data: everything in which its variants differ. */
export interface RefineDetRecipe {
  readonly kind: 'refinedet';
  /** `paper`: the published method, for training. `zoo`: what the MindSpore model card's checkpoint needs. */
  readonly family: 'paper' | 'zoo';
  /** Side of the square network input in pixels, a multiple of 64. */
  readonly size: number;
  /** Object classes, background not counted. */
  readonly classes: number;
  readonly backbone: BackboneRecipe;
  readonly normalisation: Normalisation;
  /** L2 normalisation of the first sources; `scales[level]` is its initial weight. */
  readonly l2Norm?: Omit<L2NormLayer, 'scale'> & {
    readonly scales: readonly number[];
    /** Whether the ARM heads read the normalised maps (published) or the raw ones (zoo). */
    readonly before: 'heads' | 'tcb';
  };
  readonly tcb: TcbRecipe;
  readonly head: HeadRecipe;
  readonly anchors: AnchorRecipe;
  /** What the data pipeline computes before a step. */
  readonly targets: AnchorTargetSpec;
  readonly coder: BoxCoder;
  readonly loss: MinedLoss | FocalLoss;
  readonly postprocess: PostprocessRecipe;
  readonly optimizer: OptimizerRecipe;
}

/** Transfer connection block. */
export interface TcbRecipe {
  readonly channels: number;
  readonly bias: boolean;
  readonly biasRule?: BiasRule;
  readonly norm?: BatchNormLayer;
  /** Convolutions of the top level before its own ReLU; the other levels have two before the sum. */
  readonly topLaterals: 1 | 2;
  /** ReLU on the upsampled map before the sum. */
  readonly reluUp: boolean;
  /** ReLU on the sum. */
  readonly reluSum: boolean;
  /** Convolutions with ReLU after the sum. */
  readonly outputs: 1 | 2;
}

/** Heads: a plain 3×3 convolution, one behind a residual block (Caffe, ResNet-101), or depthwise-separable (zoo). */
export type HeadRecipe =
  | {
      readonly kind: 'plain';
      readonly biasRule?: BiasRule;
      /** Default: Glorot and Bengio's uniform, as SSD has it. */
      readonly initial?: Initializer;
    }
  | { readonly kind: 'residual'; readonly norm: BatchNormLayer; readonly biasRule?: BiasRule }
  | { readonly kind: 'separable'; readonly norm: BatchNormLayer };

/** The published loss (section 3.3): ODM matched on refined anchors, hard negatives mined, softmax cross-entropy. */
export interface MinedLoss {
  readonly kind: 'mined';
  /** Matching of boxes to anchors refined by the ARM. */
  readonly matcher: Matcher;
  /** Mined negatives for each positive of a picture. */
  readonly negatives: number;
  /** Anchors whose ARM objectness is below this are left out of the ODM. */
  readonly objectness: number;
  /**
   * What objectness leaves out. `negatives`: easy negatives (Caffe, and the paper's text). `positives`: positives, which
   * may then be mined with their class as target (luuuyi's PyTorch).
   */
  readonly filters: 'negatives' | 'positives';
}

/** The zoo's loss: sigmoid focal loss over all anchors and classes, background included, and no mining. */
export interface FocalLoss {
  readonly kind: 'focal';
  readonly alpha: number;
  readonly gamma: number;
  /**
   * The ARM's one-hot labels have depth 2, which is all zeros for classes from 2 on, so that only class 1 is ever an
   * ARM positive. The checkpoint was trained so; false makes every object a positive.
   */
  readonly armOnlyFirstClass: boolean;
  /** Divides by at least one match, where the reference divides by zero. */
  readonly guardNoMatch: boolean;
}

export interface PostprocessRecipe {
  readonly activation: 'softmax' | 'sigmoid';
  /** Decode on anchors refined by the ARM, and leave out those whose objectness does not exceed this. */
  readonly arm?: { readonly objectness: number };
  /** Cut boxes to the picture before suppression. */
  readonly clip: boolean;
  /** A score has to exceed this. */
  readonly score: number;
  /** Best candidates of a class that go into the suppression; all if left out. */
  readonly candidates?: number;
  readonly nms: number;
  /** Whether overlaps count x2 and y2 as the last pixels inside, in pixels of the source picture. */
  readonly plusOne: boolean;
  readonly maxPerClass: number;
  /** Best detections of a picture over all classes. */
  readonly keep?: number;
}
