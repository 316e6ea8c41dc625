// Boxes are in the unit of the batch here: normalised for anchors of a stretched picture, pixels of the canvas for the RPN.
import type { Tensor } from '../graph/tensor.js';
import type { CanvasSize } from './canvas.js';
import { encodeRpnTargets, type RpnTargetSpec } from './cascade-rcnn/targets.js';
import { type AnchorTargetSpec, encodeTargets as encodeAnchorTargets } from './refinedet/targets.js';

/** How a picture's boxes become the targets that the data pipeline feeds. Plain data: it travels to worker threads. */
export type TargetSpec = AnchorTargetSpec | RpnTargetSpec;

/** What is known of a picture when its targets are made. */
export interface LabelledCanvas {
  readonly canvas: CanvasSize;
  /** What of the canvas counts as picture, from its upper left corner. */
  readonly extent: CanvasSize;
  /** [boxes, 4] x1, y1, x2, y2 */
  readonly boxes: Float32Array;
  /** [boxes] class counted from 1 */
  readonly labels: Int32Array;
  /** Numbers in [0, 1) of the picture's own stream. */
  readonly random: () => number;
}

/** Targets of one picture by name; their shapes depend on the spec alone. Errors are those of the family's encoder. */
export function encodeTargets(
  spec: TargetSpec,
  { canvas, extent, boxes, labels, random }: LabelledCanvas,
): Record<string, Tensor> {
  if (spec.kind === 'anchors') return encodeAnchorTargets(spec, boxes, labels);
  return encodeRpnTargets(spec, canvas, extent, boxes, random);
}
