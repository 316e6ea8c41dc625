// The zoo's inference on the two recorded canvases: the graph, weights and feeds that its tests share.
import { argMax, input, relu, reshape, type Tensor, transpose, type Value } from '../../src/graph/index.js';
import { deltasOf, refined, runCascade, runStage } from '../../src/models/cascade-rcnn/cascade.js';
import { limitsOf } from '../../src/models/cascade-rcnn/detector.js';
import { pyramidAndRpn } from '../../src/models/cascade-rcnn/network.js';
import { type Limits, proposals } from '../../src/models/cascade-rcnn/proposals.js';
import type { CascadeRcnnRecipe } from '../../src/models/cascade-rcnn/recipe.js';
import { poolRois } from '../../src/models/cascade-rcnn/roi-pooling.js';
import { normalizePictures } from '../../src/models/pictures.js';
import { linear } from '../../src/nn/layers.js';
import { Parameters } from '../../src/nn/parameters.js';
import { canvas, recipe as original, rgb } from './cascade-zoo-golden.js';
import { float32 } from './graph-session.js';

/** The recorded configuration: a small canvas and few proposals. */
export const recipe: CascadeRcnnRecipe = {
  ...original,
  resize: { ...original.resize, long: canvas.width, short: canvas.height, fixed: canvas },
  rpn: { ...original.rpn, inference: { perLevel: 22, perPicture: 64 } },
};

export const pictures = 2;
export const rois = 64;

/** Feeds of the graphs: both canvases, and what is known of the pictures on them. */
export function recordedPictures(golden: ReadonlyMap<string, Tensor>): Record<string, Tensor> {
  const meta = golden.get('meta')!.data as Float32Array;
  const frames = new Float32Array(4 * pictures);
  for (let i = 0; i < pictures; i++) {
    const [height, width, scaleY, scaleX] = meta.subarray(4 * i, 4 * i + 4);
    frames.set([Math.round(height * scaleY), Math.round(width * scaleX), scaleY, scaleX], 4 * i);
  }
  return { images: rgb(golden.get('canvas_bgr')!), frames: float32([pictures, 4], frames) };
}

/** float32 [pictures, 1, 4]: canvas pixels per pixel of the source, x, y, x, y. */
export function recordedScales(golden: ReadonlyMap<string, Tensor>): Tensor {
  const meta = golden.get('meta')!.data as Float32Array;
  const rows = Array.from({ length: pictures }, (_, i) => [3, 2, 3, 2].map((column) => meta[4 * i + column]));
  return float32([pictures, 1, 4], Float32Array.from(rows.flat()));
}

/** Recorded RoIs [128, 5] (picture first) of all stages as [2, 64, 4]. */
export function recordedRois(golden: ReadonlyMap<string, Tensor>): Record<string, Tensor> {
  const entries = recipe.stages.map((_, stage) => {
    const rows = golden.get(`stage${stage + 1}.rois`)!.data as Float32Array;
    const boxes = new Float32Array(pictures * rois * 4).map((_, i) => rows[5 * Math.floor(i / 4) + 1 + (i % 4)]);
    return [`rois${stage + 1}`, float32([pictures, rois, 4], boxes)] as const;
  });
  return Object.fromEntries(entries);
}

export interface StepByStep {
  readonly p: Parameters;
  readonly outputs: Record<string, Value>;
}

/** Backbone to proposals on the canvases, and every stage on RoIs that are fed, under the names of the record. */
export function stepByStep(): StepByStep {
  const p = new Parameters({ training: false });
  const images = input('images', 'uint8', [pictures, canvas.height, canvas.width, 3]);
  const frames = input('frames', 'float32', [pictures, 4]);
  const limits = limitsOf({ images, frames });
  const normalised = normalizePictures(images, recipe.normalisation);
  const network = pyramidAndRpn(p, recipe, normalised);
  const outputs: Record<string, Value> = { input: normalised };
  network.stages.forEach((map, level) => {
    outputs[`c${level + 2}`] = map;
  });
  network.maps.forEach((map, level) => {
    outputs[`p${level + 2}`] = map;
    const [, , height, width] = map.staticShape;
    const channelsFirst = (rows: Value, channels: number) =>
      transpose(reshape(rows, [pictures, height, width, channels]), [0, 3, 1, 2]);
    outputs[`rpn${level}.cls`] = channelsFirst(network.rpn[level].logits, 3);
    outputs[`rpn${level}.reg`] = channelsFirst(network.rpn[level].deltas, 12);
  });
  const { boxes, scores, valid } = proposals(recipe, network, limits, recipe.rpn.inference);
  Object.assign(outputs, { 'proposals.boxes': boxes, 'proposals.scores': scores, proposal_mask: valid });
  recipe.stages.forEach((_, stage) => {
    Object.assign(outputs, stageOutputs(p, stage, network.maps, limits));
  });
  return { p, outputs };
}

/** RoIs [2, 64, 4] of the later stages where each takes what the one before gives. */
export function ownRois(): Record<string, Value> {
  const p = new Parameters({ training: false });
  const images = input('images', 'uint8', [pictures, canvas.height, canvas.width, 3]);
  const limits = limitsOf({ images, frames: input('frames', 'float32', [pictures, 4]) });
  const network = pyramidAndRpn(p, recipe, normalizePictures(images, recipe.normalisation));
  const first = proposals(recipe, network, limits, recipe.rpn.inference);
  const [, second, third] = runCascade(p, recipe, network.maps, first.boxes, limits).rois;
  return { rois2: second, rois3: third };
}

function stageOutputs(p: Parameters, stage: number, maps: readonly Value[], limits: Limits): Record<string, Value> {
  const boxes = input(`rois${stage + 1}`, 'float32', [pictures, rois, 4]);
  const result = runStage(p, recipe, stage, maps, boxes);
  const chosen = deltasOf(result, argMax(result.cls, 2));
  const pooled = poolRois(recipe, maps, boxes);
  const { units } = recipe.head;
  // The record has both layers before their ReLU, which the head does not show.
  const flat = reshape(pooled, [pictures * rois, 256 * 49]);
  const fc1 = linear(p, `stages.${stage}.fc1`, flat, { out: units });
  const fc2 = linear(p, `stages.${stage}.fc2`, relu(fc1), { out: units });
  const name = (part: string) => `stage${stage + 1}.${part}`;
  return {
    [name('roi_features')]: pooled,
    [name('fc1')]: fc1,
    [name('fc2')]: fc2,
    [name('cls_logits')]: result.cls,
    [name('box_deltas')]: result.reg,
    [name('chosen_deltas')]: chosen,
    [name('decoded')]: refined(recipe, stage, boxes, chosen, limits),
  };
}
