// RefineDet's post-processing written out on the host: what the graph form is compared with. Boxes are normalised
// x1, y1, x2, y2 until they are scaled.
import { type BoxCoder, clipBoxes, decodeBoxes, toCentres } from '../../src/boxes/coder.js';
import { orderByScore, type Suppression, suppressNonMaximum } from '../../src/boxes/nms.js';
import {
  type AnchorRecipe,
  type Anchors,
  defaultAnchors,
  paperAnchors,
  zooAnchors,
} from '../../src/models/refinedet/anchors.js';
import { paperCoder, zooCoder } from '../../src/models/refinedet/targets.js';

/** The families' differences as data. */
export interface Postprocess {
  readonly anchors: AnchorRecipe;
  readonly coder: BoxCoder;
  readonly activation: 'softmax' | 'sigmoid';
  /** Refines the anchors by the ARM first, and leaves out those whose objectness does not exceed this. */
  readonly arm?: { readonly objectness: number };
  /** Whether boxes are cut to the picture before they are scaled. */
  readonly clip: boolean;
  /** A score has to exceed this. */
  readonly score: number;
  /** Candidates of a class that go into the suppression. */
  readonly candidates?: number;
  readonly suppression: Suppression;
  /** Best detections over all classes that are kept. */
  readonly keep?: number;
}

/** Raw outputs of one picture's heads. */
export interface HeadOutputs {
  /** [anchors, 4] */
  readonly armDeltas: Float32Array;
  /** [anchors, 2] */
  readonly armLogits: Float32Array;
  /** [anchors, 4] */
  readonly odmDeltas: Float32Array;
  /** [anchors, classes + 1], background first */
  readonly odmLogits: Float32Array;
}

/** A row a detection: by class and falling score, or by score alone where `keep` cuts them. */
export interface HostDetections {
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  /** Counted from 1. */
  readonly labels: Int32Array;
  readonly anchors: Int32Array;
}

/** The published method, on the PyTorch reference's clipped anchors. */
export const paperPostprocess: Postprocess = {
  anchors: paperAnchors(320, true),
  coder: paperCoder,
  activation: 'softmax',
  arm: { objectness: 0.01 },
  clip: false,
  score: 0.01,
  candidates: 1000,
  suppression: { threshold: 0.45 },
  keep: 500,
};

export const zooPostprocess: Postprocess = {
  anchors: zooAnchors(320),
  coder: zooCoder,
  activation: 'sigmoid',
  clip: true,
  score: 0.1,
  suppression: { threshold: 0.6, plusOne: true, limit: 100 },
};

/** Final boxes [anchors, 4], before any choice, and the anchors that they were decoded on. */
export function decodeHeads(outputs: Omit<HeadOutputs, 'armLogits' | 'odmLogits'>, settings: Postprocess) {
  const anchors = defaultAnchors(settings.anchors);
  const { centres, corners } = settings.arm ? refineAnchors(anchors, outputs.armDeltas, settings.coder) : anchors;
  const boxes = decodeBoxes(outputs.odmDeltas, centres, settings.coder);
  return { anchors: corners, boxes: settings.clip ? clipBoxes(boxes, 1, 1) : boxes };
}

/** Detections of one picture; `width` and `height` scale the boxes before the suppression. */
export function detectOnHost(outputs: HeadOutputs, settings: Postprocess, width = 1, height = 1): HostDetections {
  const { boxes } = decodeHeads(outputs, settings);
  for (let i = 0; i < boxes.length; i++) boxes[i] *= i % 2 === 0 ? width : height;
  const count = boxes.length / 4;
  const classes = outputs.odmLogits.length / count;
  const scores = activate(outputs.odmLogits, classes, settings.activation);
  const objectness = settings.arm && activate(outputs.armLogits, 2, settings.activation);
  const found: { anchor: number; label: number; score: number }[] = [];
  for (let label = 1; label < classes; label++) {
    const anchors: number[] = [];
    for (let i = 0; i < count; i++) {
      if (settings.arm && objectness && !(objectness[i * 2 + 1] > settings.arm.objectness)) continue;
      if (scores[i * classes + label] > settings.score) anchors.push(i);
    }
    const score = (i: number) => scores[i * classes + label];
    const order = orderByScore(Float32Array.from(anchors, score)).slice(0, settings.candidates);
    const candidates = Array.from(order, (at) => anchors[at]);
    const own = Float32Array.from(candidates.flatMap((i) => [...boxes.subarray(i * 4, i * 4 + 4)]));
    for (const at of suppressNonMaximum(own, Float32Array.from(candidates, score), settings.suppression)) {
      found.push({ anchor: candidates[at], label, score: score(candidates[at]) });
    }
  }
  const kept = settings.keep === undefined ? found : found.sort((a, b) => b.score - a.score).slice(0, settings.keep);
  return {
    boxes: Float32Array.from(kept.flatMap(({ anchor }) => [...boxes.subarray(anchor * 4, anchor * 4 + 4)])),
    scores: Float32Array.from(kept, ({ score }) => score),
    labels: Int32Array.from(kept, ({ label }) => label),
    anchors: Int32Array.from(kept, ({ anchor }) => anchor),
  };
}

function refineAnchors(anchors: Anchors, deltas: Float32Array, coder: BoxCoder) {
  const corners = decodeBoxes(deltas, anchors.centres, coder);
  return { centres: toCentres(corners), corners };
}

function activate(logits: Float32Array, classes: number, activation: Postprocess['activation']): Float32Array {
  if (activation === 'sigmoid') return logits.map((value) => 1 / (1 + Math.exp(-value)));
  const result = new Float32Array(logits.length);
  for (let at = 0; at < logits.length; at += classes) {
    const row = logits.subarray(at, at + classes);
    const largest = Math.max(...row);
    const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0);
    row.forEach((value, i) => {
      result[at + i] = Math.exp(value - largest) / sum;
    });
  }
  return result;
}
