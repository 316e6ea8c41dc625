// Boxes and anchors are in pixels of the canvas here.
import { type BoxCoder, encodeBox, toCentres } from '../../boxes/coder.js';
import { boxAreas, countBoxes } from '../../boxes/iou.js';
import { IGNORED, type Matcher, type Matches, matchAnchors } from '../../boxes/matcher.js';
import { type Choose, chooseAtRandom, sampleMatches } from '../../boxes/sampler.js';
import { BoxwrightError } from '../../errors.js';
import type { Tensor } from '../../graph/tensor.js';
import type { CanvasSize } from '../canvas.js';
import {
  type AnchorShape,
  anchorShapes,
  type Cells,
  cellsInside,
  cellsNear,
  commonCells,
  countCells,
  visitAnchors,
} from './anchor-cells.js';
import { type PyramidAnchorRecipe, pyramidAnchors, pyramidMap } from './anchors.js';

/** How a picture's boxes become the RPN's targets. Plain data: it travels to worker threads. */
export interface RpnTargetSpec {
  readonly kind: 'rpn';
  readonly anchors: PyramidAnchorRecipe;
  readonly matcher: Matcher;
  readonly coder: BoxCoder;
  /** Only anchors inside the picture learn: x2 < width (published), or x2 ≤ width − 1 (zoo); y alike, and x1, y1 ≥ 0. */
  readonly inside: 'below-side' | 'last-pixel';
  /** Anchors of a picture that learn, and at most how many of them positive. */
  readonly samples: number;
  readonly positives: number;
}

/**
 * Targets of one picture for the RPN (Faster R-CNN, section 3.1.2): `rpn_anchors` int64 [samples], which anchors learn,
 * counted over all levels; `rpn_labels` int32 [samples], 1 for an object, 0 for background, −1 for an unused place;
 * `rpn_deltas` float32 [samples, 4], zero but for objects. Objects come first, unused places last.
 *
 * @param canvas size of the network's input
 * @param frame what of the canvas, from its upper left corner, counts as picture: anchors outside do not learn
 * @param boxes [boxes, 4] x1, y1, x2, y2; none makes every anchor background
 * @param random numbers in [0, 1), which decide what is chosen
 * @throws BoxwrightError `data` for a box that is not finite, has its corners in the wrong order, or no area where the
 *   coder cannot encode that; `shape` if `boxes` does not hold four numbers a box.
 */
export function encodeRpnTargets(
  spec: RpnTargetSpec,
  canvas: CanvasSize,
  frame: CanvasSize,
  boxes: Float32Array,
  random: () => number,
): Record<string, Tensor> {
  const { box } = assignRpn(spec, canvas, frame, boxes);
  return chosenTargets(spec, canvas, boxes, box, chooseAtRandom(random));
}

/** Targets of the anchors that `choose` takes of those assigned by `assignRpn`; see `encodeRpnTargets`. */
export function chosenTargets(
  spec: RpnTargetSpec,
  canvas: CanvasSize,
  boxes: Float32Array,
  box: Int32Array,
  choose: Choose,
): Record<string, Tensor> {
  const { samples, coder } = spec;
  const { positives, negatives } = sampleMatches(box, spec, choose);
  const anchors = new BigInt64Array(samples);
  const labels = new Int32Array(samples).fill(-1);
  const deltas = new Float32Array(samples * 4);
  const { corners } = anchorsOn(spec.anchors, canvas, spec.matcher.plusOne);
  const rows = Float32Array.from({ length: positives.length * 4 }, (_, i) => corners[positives[i >> 2] * 4 + (i & 3)]);
  const references = toCentres(rows, coder.plusOne);
  [...positives, ...negatives].forEach((anchor, place) => {
    const positive = place < positives.length;
    anchors[place] = BigInt(anchor);
    labels[place] = positive ? 1 : 0;
    if (positive) encodeBox(boxes, box[anchor], references, place, coder, deltas);
  });
  return {
    rpn_anchors: { dtype: 'int64', shape: [samples], data: anchors },
    rpn_labels: { dtype: 'int32', shape: [samples], data: labels },
    rpn_deltas: { dtype: 'float32', shape: [samples, 4], data: deltas },
  };
}

/**
 * The box that each anchor of a canvas belongs to, before any choice; anchors outside the frame are ignored. An overlap
 * below all thresholds may be given as 0.
 *
 * @param canvas,frame,boxes as for `encodeRpnTargets`, which names the errors
 */
export function assignRpn(
  { anchors, matcher, coder, inside }: RpnTargetSpec,
  canvas: CanvasSize,
  frame: CanvasSize,
  boxes: Float32Array,
): Matches {
  requireBoxes(boxes, coder);
  const { corners, areas, shapes } = anchorsOn(anchors, canvas, matcher.plusOne);
  const cells = shapes.map((shape) => cellsInside(shape, frame, inside));
  const near = Array.from({ length: boxes.length / 4 }, (_, j) =>
    anchorsNear(shapes, cells, boxes.subarray(j * 4, j * 4 + 4), matcher),
  );
  const matches = matchAnchors(corners, boxes, matcher, areas, near);
  const box = new Int32Array(matches.box.length).fill(IGNORED);
  shapes.forEach((shape, i) => {
    visitAnchors(shape, cells[i], (anchor) => {
      box[anchor] = matches.box[anchor];
    });
  });
  return { box, overlap: matches.overlap };
}

/** Rising indices of the anchors in `cells`, of each shape its own, whose overlap with a box may reach a threshold. */
function anchorsNear(
  shapes: readonly AnchorShape[],
  cells: readonly Cells[],
  box: Float32Array,
  { positive, negative = positive, best, plusOne }: Matcher,
): Int32Array {
  const least = Math.min(negative, best?.minimum ?? positive);
  const near = shapes.map((shape, i) => commonCells(cells[i], cellsNear(shape, box, plusOne ? 1 : 0, least)));
  const anchors = new Int32Array(near.reduce((sum, part) => sum + countCells(part), 0));
  let count = 0;
  shapes.forEach((shape, i) => {
    visitAnchors(shape, near[i], (anchor) => {
      anchors[count++] = anchor;
    });
  });
  return anchors.sort();
}

interface CanvasAnchors {
  /** All levels' anchors [anchors, 4]. */
  readonly corners: Float32Array;
  /** [anchors] */
  readonly areas: Float32Array;
  readonly shapes: readonly AnchorShape[];
}

/** Canvases of a recipe whose anchors are kept, a few megabytes each. */
const keptCanvases = 8;
const anchorCache = new WeakMap<PyramidAnchorRecipe, Map<string, CanvasAnchors>>();

function anchorsOn(recipe: PyramidAnchorRecipe, canvas: CanvasSize, plusOne = false): CanvasAnchors {
  const known = anchorCache.get(recipe) ?? new Map<string, CanvasAnchors>();
  anchorCache.set(recipe, known);
  const key = `${canvas.width}×${canvas.height}${plusOne ? ' +1' : ''}`;
  let anchors = known.get(key);
  if (!anchors) {
    if (known.size >= keptCanvases) known.clear();
    anchors = makeAnchors(recipe, canvas, plusOne);
    known.set(key, anchors);
  }
  return anchors;
}

function makeAnchors(recipe: PyramidAnchorRecipe, canvas: CanvasSize, plusOne: boolean): CanvasAnchors {
  const levels = recipe.strides.map((_, level) => pyramidAnchors(recipe, level, ...pyramidMap(recipe, level, canvas)));
  const corners = new Float32Array(levels.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const level of levels) {
    corners.set(level, at);
    at += level.length;
  }
  return { corners, areas: boxAreas(corners, plusOne), shapes: anchorShapes(recipe, canvas) };
}

function requireBoxes(boxes: Float32Array, { plusOne }: BoxCoder): void {
  const count = countBoxes(boxes, 'encodeRpnTargets, boxes');
  for (let j = 0; j < count; j++) {
    const box = boxes.subarray(j * 4, j * 4 + 4);
    const [width, height] = [box[2] - box[0], box[3] - box[1]];
    if (!box.every(Number.isFinite) || width < 0 || height < 0) {
      throw new BoxwrightError('data', `Box ${j} is [${box}], expected pixels with x1 ≤ x2 and y1 ≤ y2`);
    }
    if (!plusOne && (width === 0 || height === 0)) {
      throw new BoxwrightError('data', `Box ${j} is [${box}], without area, which this coder cannot encode: drop it`);
    }
  }
}
