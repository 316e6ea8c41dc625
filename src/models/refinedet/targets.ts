// Boxes and anchors are normalised here: x over the picture's width, y over its height, 0 to 1.
import { type BoxCoder, encodeBox } from '../../boxes/coder.js';
import { countBoxes } from '../../boxes/iou.js';
import { type Matcher, matchAnchors } from '../../boxes/matcher.js';
import { BoxwrightError } from '../../errors.js';
import type { Tensor } from '../../graph/tensor.js';
import { type AnchorRecipe, type Anchors, defaultAnchors, paperAnchors, zooAnchors } from './anchors.js';

/** How a picture's boxes become the targets that the data pipeline feeds. Plain data: it travels to worker threads. */
export interface AnchorTargetSpec {
  readonly kind: 'anchors';
  readonly anchors: AnchorRecipe;
  readonly matcher: Matcher;
  readonly coder: BoxCoder;
  /** What a matched anchor's label is: 1, or the class counted from 1. */
  readonly label: 'objectness' | 'class';
  /** Names of the tensors. Without `matched` the number of matched anchors is not written. */
  readonly names: { readonly labels: string; readonly deltas: string; readonly matched?: string };
}

/** Targets of one picture, a row an anchor. */
export interface Targets {
  /** [anchors] 0 for background, else the box's label */
  readonly labels: Int32Array;
  /** [anchors, 4] zero for background */
  readonly deltas: Float32Array;
  /** Anchors with a label other than 0. */
  readonly matched: number;
}

/** Box coding of the published method; the PyTorch reference adds 1e-5 to the ratio of the sides. */
export const paperCoder: BoxCoder = { stds: [0.1, 0.1, 0.2, 0.2], order: 'xywh' };
export const paperPytorchCoder: BoxCoder = { ...paperCoder, ratioOffset: 1e-5 };
/** Box coding of the MindSpore zoo: y before x, and sides of boxes without area kept from ln 0. */
export const zooCoder: BoxCoder = { stds: [0.1, 0.1, 0.2, 0.2], order: 'yxhw', minRatio: 1e-6 };

/** Matching of the published method (SSD, section 2.2), as Caffe has it: pairs of 1e-6 or less are no match. */
export const paperMatcher: Matcher = { positive: 0.5, best: { shared: 'bipartite', ties: 'first', minimum: 1e-6 } };
/** The PyTorch reference's: every box takes its best anchor, the later box where they share one. */
export const paperPytorchMatcher: Matcher = { positive: 0.5, best: { shared: 'last', ties: 'first', minimum: 0 } };
/** The MindSpore zoo's: a later box never takes an anchor that is an earlier one's best. */
export const zooMatcher: Matcher = {
  positive: 0.5,
  strict: true,
  best: { shared: 'first', ties: 'first', minimum: 0 },
};

/**
 * Targets of the ARM in the published method: `arm_labels` int32 [anchors], 1 where an anchor is matched, and
 * `arm_deltas` float32 [anchors, 4].
 *
 * @param reference whose details to follow where the two public implementations differ: the authors' Caffe, or PyTorch
 */
export function paperTargets(size: number, reference: 'caffe' | 'pytorch' = 'caffe'): AnchorTargetSpec {
  const caffe = reference === 'caffe';
  return {
    kind: 'anchors',
    anchors: paperAnchors(size, !caffe),
    matcher: caffe ? paperMatcher : paperPytorchMatcher,
    coder: caffe ? paperCoder : paperPytorchCoder,
    label: 'objectness',
    names: { labels: 'arm_labels', deltas: 'arm_deltas' },
  };
}

/**
 * Targets of the MindSpore zoo's RefineDet, one set for ARM and ODM: `labels` int32 [anchors] (0 background, else the
 * class counted from 1), `deltas` float32 [anchors, 4] (cy, cx, h, w) and `matched` int32 [], the number of matches.
 */
export function zooTargets(size: number): AnchorTargetSpec {
  return {
    kind: 'anchors',
    anchors: zooAnchors(size),
    matcher: zooMatcher,
    coder: zooCoder,
    label: 'class',
    names: { labels: 'labels', deltas: 'deltas', matched: 'matched' },
  };
}

/**
 * Targets of one picture by name, see `AnchorTargetSpec`. A spec's anchors are made on its first use and kept while it lives.
 *
 * @param boxes [boxes, 4] x1, y1, x2, y2, normalised; none makes every anchor background
 * @param labels [boxes] class counted from 1, 0 being background
 * @throws BoxwrightError `data` if a box is not normalised, has its corners in the wrong order or no area where the
 *   coder cannot encode that, or if a label is below 1; `shape` if boxes and labels do not fit; `config` if a stride of the anchors does not divide the size.
 */
export function encodeTargets(spec: AnchorTargetSpec, boxes: Float32Array, labels: Int32Array): Record<string, Tensor> {
  const anchors = anchorsOf(spec.anchors);
  const targets = assignTargets(anchors, boxes, labels, spec);
  const { names } = spec;
  const tensors: Record<string, Tensor> = {
    [names.labels]: { dtype: 'int32', shape: [anchors.count], data: targets.labels },
    [names.deltas]: { dtype: 'float32', shape: [anchors.count, 4], data: targets.deltas },
  };
  if (names.matched !== undefined) {
    tensors[names.matched] = { dtype: 'int32', shape: [], data: Int32Array.of(targets.matched) };
  }
  return tensors;
}

/**
 * Targets of one picture on any anchors: the default ones, or those that the ARM refined (`bothForms`).
 *
 * @param boxes,labels as for `encodeTargets`, which names the errors
 */
export function assignTargets(
  anchors: Anchors,
  boxes: Float32Array,
  labels: Int32Array,
  spec: Pick<AnchorTargetSpec, 'matcher' | 'coder' | 'label'>,
): Targets {
  requireBoxes(boxes, labels, spec.coder);
  const { box } = matchAnchors(anchors.corners, boxes, spec.matcher, anchors.areas);
  const assigned = new Int32Array(anchors.count);
  const deltas = new Float32Array(anchors.count * 4);
  let matched = 0;
  for (let i = 0; i < anchors.count; i++) {
    if (box[i] < 0) continue;
    assigned[i] = spec.label === 'class' ? labels[box[i]] : 1;
    encodeBox(boxes, box[i], anchors.centres, i, spec.coder, deltas);
    matched++;
  }
  return { labels: assigned, deltas, matched };
}

const anchorCache = new WeakMap<AnchorRecipe, Anchors>();

function anchorsOf(recipe: AnchorRecipe): Anchors {
  let anchors = anchorCache.get(recipe);
  if (!anchors) {
    anchors = defaultAnchors(recipe);
    anchorCache.set(recipe, anchors);
  }
  return anchors;
}

function requireBoxes(boxes: Float32Array, labels: Int32Array, coder: BoxCoder): void {
  const count = countBoxes(boxes, 'encodeTargets, boxes');
  if (labels.length !== count) {
    throw new BoxwrightError('shape', `encodeTargets: ${labels.length} labels, expected ${count}, one a box`);
  }
  const sided = (coder.ratioOffset ?? 0) > 0 || (coder.minRatio ?? 0) > 0;
  for (let j = 0; j < count; j++) {
    const box = boxes.subarray(j * 4, j * 4 + 4);
    const width = box[2] - box[0];
    const height = box[3] - box[1];
    // A whole picture's width of margin: crops may leave corners outside, pixels are never this small.
    if (!box.every((value) => value >= -1 && value <= 2)) {
      throw new BoxwrightError('data', `Box ${j} is [${box}], expected coordinates divided by the picture's sides`);
    }
    if (width < 0 || height < 0) {
      throw new BoxwrightError('data', `Box ${j} is [${box}], expected x1 ≤ x2 and y1 ≤ y2`);
    }
    if (!sided && (width === 0 || height === 0)) {
      throw new BoxwrightError('data', `Box ${j} is [${box}], without area, which this coder cannot encode: drop it`);
    }
    if (labels[j] < 1) {
      throw new BoxwrightError('data', `Label ${j} is ${labels[j]}, expected a class counted from 1 (0 is background)`);
    }
  }
}
