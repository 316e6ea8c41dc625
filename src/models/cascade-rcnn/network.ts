import { concat, relu, reshape, scope, transpose, type Value } from '../../graph/index.js';
import { gaussian } from '../../nn/initializers.js';
import { conv, linear } from '../../nn/layers.js';
import type { Parameters } from '../../nn/parameters.js';
import { featurePyramid } from '../backbones/fpn.js';
import { resNetStages } from '../backbones/resnet.js';
import type { CascadeRcnnRecipe } from './recipe.js';

/** What the network makes of a picture before any box is chosen. */
export interface PyramidOutputs {
  /** P2 … P6 [N, channels, H, W] */
  readonly maps: readonly Value[];
  /** The RPN's outputs for each of these maps. */
  readonly rpn: readonly RpnLevel[];
  /** C2 … C5, for tests and drawings. */
  readonly stages: readonly Value[];
}

/** The RPN on one level, a row an anchor in the order row, column, ratio. */
export interface RpnLevel {
  /** [N, anchors] objectness logits */
  readonly logits: Value;
  /** [N, anchors, 4] deltas */
  readonly deltas: Value;
}

/** Backbone, feature pyramid and RPN on normalised pictures [N, 3, H, W], H and W multiples of 32 (perhaps free). */
export function pyramidAndRpn(p: Parameters, recipe: CascadeRcnnRecipe, pictures: Value): PyramidOutputs {
  const { stages } = resNetStages(p, recipe.backbone, pictures);
  const maps = featurePyramid(p, recipe.fpn, stages);
  return { maps, rpn: maps.map((map) => rpnHead(p, recipe, map)), stages };
}

/** One head for all levels (Faster R-CNN, section 3.1): its parameters are shared. */
function rpnHead(p: Parameters, { rpn, anchors }: CascadeRcnnRecipe, map: Value): RpnLevel {
  const initial = gaussian(0.01);
  const count = anchors.ratios.length;
  const x = relu(conv(p, 'rpn.conv', map, { out: rpn.channels, kernel: 3, padding: 1, initial }));
  const logits = conv(p, 'rpn.cls', x, { out: count, kernel: 1, initial });
  const deltas = conv(p, 'rpn.reg', x, { out: 4 * count, kernel: 1, initial });
  const [batch] = map.shape;
  const last = (value: Value) => transpose(value, [0, 2, 3, 1]);
  return { logits: reshape(last(logits), [batch, -1]), deltas: reshape(last(deltas), [batch, -1, 4]) };
}

/** The outputs of all levels, one behind the other. */
export function allLevels(levels: readonly RpnLevel[]): RpnLevel {
  return {
    logits: concat(
      levels.map(({ logits }) => logits),
      1,
    ),
    deltas: concat(
      levels.map(({ deltas }) => deltas),
      1,
    ),
  };
}

export interface StageOutputs {
  /** [rois, classes + 1] logits */
  readonly cls: Value;
  /** [rois, 4], or [rois, 4 · (classes + 1)] with a box for each class, in the order of the logits */
  readonly reg: Value;
}

/** The head of a stage on pooled RoIs [rois, channels, h, w]. Its parameters are `stages.<stage>.fc1`, `fc2`, `cls`, `reg`. */
export function stageHead(
  p: Parameters,
  { head, classes }: CascadeRcnnRecipe,
  stage: number,
  pooled: Value,
): StageOutputs {
  const { units, regression, initialCls = gaussian(0.01), initialReg = gaussian(0.001) } = head;
  const name = (layer: string) => `stages.${stage}.${layer}`;
  const [rois, ...rest] = pooled.shape;
  const length = (rest as number[]).reduce((product, dim) => product * dim, 1);
  const flat = reshape(pooled, [rois, length]);
  const shared = relu(linear(p, name('fc2'), relu(linear(p, name('fc1'), flat, { out: units })), { out: units }));
  const boxes = regression === 'agnostic' ? 1 : classes + 1;
  return scope(`stages/${stage}`, () => ({
    cls: linear(p, name('cls'), shared, { out: classes + 1, initial: initialCls }),
    reg: linear(p, name('reg'), shared, { out: 4 * boxes, initial: initialReg }),
  }));
}
