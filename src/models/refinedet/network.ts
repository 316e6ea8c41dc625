import { add, concat, relu, relu6, reshape, transpose, type Value } from '../../graph/index.js';
import { heNormal, xavierUniform } from '../../nn/initializers.js';
import { type BatchNormLayer, batchNorm, type ConvLayer, conv, l2Norm, upConv } from '../../nn/layers.js';
import type { Parameters } from '../../nn/parameters.js';
import { sourceMaps } from '../backbones/backbone.js';
import { residualBlock } from '../backbones/resnet.js';
import type { Sources } from '../backbones/sources.js';
import type { HeadRecipe, RefineDetRecipe, TcbRecipe } from './recipe.js';

/** Raw outputs, a row an anchor in the order level, row, column, shape. */
export interface RefineDetOutputs {
  /** [batch, anchors, 4] offsets of the anchor refinement module */
  readonly armLoc: Value;
  /** [batch, anchors, 2] its logits: background, object */
  readonly armConf: Value;
  /** [batch, anchors, 4] offsets of the object detection module */
  readonly odmLoc: Value;
  /** [batch, anchors, classes + 1] its logits, background first */
  readonly odmConf: Value;
  /** The maps in between, for tests and drawings. */
  readonly taps: { readonly sources: Sources; readonly tcb: readonly Value[] };
}

const anchorsPerCell = 3;

/**
 * RefineDet (Zhang et al. 2018, section 3) on normalised pictures [batch, 3, size, size]. The same function writes
 * training, evaluation and export graphs.
 */
export function refineDet(p: Parameters, recipe: RefineDetRecipe, pictures: Value): RefineDetOutputs {
  const sources = sourceMaps(p, recipe.backbone, pictures);
  const normalized = sources.map((source, level) => {
    const scale = recipe.l2Norm?.scales[level];
    return scale === undefined ? source : l2Norm(p, `source_norm.${level}`, source, { ...recipe.l2Norm!, scale });
  });
  const armMaps = recipe.l2Norm?.before === 'heads' ? normalized : sources;
  const tcb = transferConnections(p, recipe.tcb, normalized);
  const arm = heads(p, recipe.head, 'arm', armMaps, 2);
  const odm = heads(p, recipe.head, 'odm', tcb, recipe.classes + 1);
  return { armLoc: arm.loc, armConf: arm.conf, odmLoc: odm.loc, odmConf: odm.conf, taps: { sources, tcb } };
}

/** Transfer connection blocks (section 3.2), from the deepest level up. */
function transferConnections(p: Parameters, recipe: TcbRecipe, maps: readonly Value[]): Value[] {
  const out: Value[] = [];
  let above: Value | undefined;
  for (let level = maps.length - 1; level >= 0; level--) {
    const name = `tcb.${level}`;
    let x = maps[level];
    const laterals = above ? 2 : recipe.topLaterals;
    for (let i = 0; i < laterals; i++) {
      x = convNorm(p, recipe, `${name}.lateral.${i}`, i ? relu(x) : x);
    }
    if (above) {
      const up = upConvNorm(p, recipe, `${name}.up`, above);
      const sum = add(x, recipe.reluUp ? relu(up) : up);
      x = recipe.reluSum ? relu(sum) : sum;
    } else x = relu(x);
    for (let i = 0; i < recipe.outputs; i++) x = relu(convNorm(p, recipe, `${name}.output.${i}`, x));
    above = x;
    out[level] = x;
  }
  return out;
}

function convNorm(p: Parameters, { channels, bias, biasRule, norm }: TcbRecipe, name: string, x: Value): Value {
  const initial = norm ? heNormal('out') : xavierUniform;
  const y = conv(p, name, x, { out: channels, kernel: 3, padding: 1, bias, biasRule, initial });
  return norm ? batchNorm(p, `${name}.bn`, y, norm) : y;
}

function upConvNorm(p: Parameters, { channels, bias, biasRule, norm }: TcbRecipe, name: string, x: Value): Value {
  const y = upConv(p, name, x, { out: channels, bias, biasRule, initial: xavierUniform });
  return norm ? batchNorm(p, `${name}.bn`, y, norm) : y;
}

function heads(p: Parameters, recipe: HeadRecipe, module: string, maps: readonly Value[], classes: number) {
  // Box and class convolutions share the block before them.
  const read =
    recipe.kind === 'residual'
      ? maps.map((map, level) => headBlock(p, recipe.norm, `${module}.block.${level}`, map))
      : maps;
  const outputs = (kind: string, values: number) =>
    read.map((x, level) => rows(headConv(p, recipe, `${module}.${kind}.${level}`, x, anchorsPerCell * values), values));
  return { loc: concat(outputs('loc', 4), 1), conf: concat(outputs('conf', classes), 1) };
}

/** The residual block before the heads of the authors' ResNet models: 256, 256, 1024, with a projection on every map. */
function headBlock(p: Parameters, norm: BatchNormLayer, name: string, x: Value): Value {
  const block = { strideOn: '1x1', padding: 'symmetric', norm } as const;
  const layers = { width: 256, out: 1024, stride: 1, block: 'bottleneck', projection: 'always' } as const;
  return residualBlock(p, block, name, x, layers);
}

function headConv(p: Parameters, recipe: HeadRecipe, name: string, x: Value, out: number): Value {
  const initial = (recipe.kind === 'plain' ? recipe.initial : undefined) ?? xavierUniform;
  if (recipe.kind !== 'separable') {
    const layer: ConvLayer = { out, kernel: 3, padding: 1, biasRule: recipe.biasRule, initial };
    return conv(p, name, x, layer);
  }
  const channels = x.shape[1] as number;
  const spread = { out: channels, kernel: 3, padding: 1, groups: channels, bias: false, initial: heNormal('in') };
  const depthwise = relu6(batchNorm(p, `${name}.bn`, conv(p, `${name}.depthwise`, x, spread), recipe.norm));
  return conv(p, `${name}.pointwise`, depthwise, { out, kernel: 1, initial });
}

/** [N, shapes·values, H, W] → [N, H·W·shapes, values]. */
function rows(x: Value, values: number): Value {
  const [n, channels, h, w] = x.shape;
  const count = ((h as number) * (w as number) * (channels as number)) / values;
  return reshape(transpose(x, [0, 2, 3, 1]), [n, count, values]);
}
