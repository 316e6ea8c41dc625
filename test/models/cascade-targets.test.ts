import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BACKGROUND, IGNORED, matchAnchors } from '../../src/boxes/matcher.js';
import type { Choose } from '../../src/boxes/sampler.js';
import type { Tensor } from '../../src/graph/tensor.js';
import type { CanvasSize } from '../../src/models/canvas.js';
import { pyramidAnchors, pyramidMap } from '../../src/models/cascade-rcnn/anchors.js';
import { paperCascadeRcnn, zooCascadeRcnn } from '../../src/models/cascade-rcnn/recipes.js';
import {
  assignRpn,
  chosenTargets,
  encodeRpnTargets,
  type RpnTargetSpec,
} from '../../src/models/cascade-rcnn/targets.js';
import { assertClose, columns, type GoldenArrays, openGolden } from '../boxes/golden-arrays.js';
import { uniforms } from '../boxes/random-boxes.js';
import { needs } from '../shared.js';

const paper = paperCascadeRcnn('resnet50', 80).targets;
const zoo = zooCascadeRcnn(80).targets;
const firstOnes: Choose = (candidates, count) => candidates.slice(0, count);
/** The even choice of the paper's goldens. */
const evenly: Choose = (candidates, count) =>
  Int32Array.from({ length: count }, (_, j) => candidates[Math.floor((j * candidates.length) / count)]);

const indicesWhere = (values: ArrayLike<number>, holds: (value: number) => boolean): number[] =>
  Array.from(values, Number).flatMap((value, i) => (holds(value) ? [i] : []));

/** The targets of a picture, by the kind of place. */
function read(targets: Record<string, Tensor>) {
  const anchors = Array.from(targets.rpn_anchors.data as BigInt64Array, Number);
  const labels = targets.rpn_labels.data as Int32Array;
  const positives = indicesWhere(labels, (label) => label === 1);
  assert.deepEqual(
    [...labels],
    [...labels].sort((a, b) => b - a),
    'positives first, unused places last',
  );
  const deltas = targets.rpn_deltas.data as Float32Array;
  assert.ok(deltas.subarray(positives.length * 4).every((value) => value === 0));
  return {
    positives: positives.map((place) => anchors[place]),
    negatives: indicesWhere(labels, (label) => label === 0).map((place) => anchors[place]),
    deltas: deltas.slice(0, positives.length * 4),
  };
}

function assignAndChoose(
  spec: RpnTargetSpec,
  canvas: CanvasSize,
  frame: CanvasSize,
  boxes: Float32Array,
  choose: Choose,
) {
  return read(chosenTargets(spec, canvas, boxes, assignRpn(spec, canvas, frame, boxes).box, choose));
}

test("mmdetection's assignment of RPN anchors", needs('golden/cascade-rcnn-paper'), async () => {
  const golden = await openGolden('cascade-rcnn-paper/units.safetensors');
  const boxes = columns(golden.floats('assign.gt'), 5, 0, 4);
  const { box } = assignRpn(paper, { height: 256, width: 320 }, { height: 240, width: 320 }, boxes);
  const inside = golden.integers('assign.rpn.inside_index');
  const isInside = new Set(inside);
  assert.ok(
    box.every((j, i) => isInside.has(i) || j === IGNORED),
    'anchors outside do not learn',
  );
  const found = inside.map((i) => (box[i] === IGNORED ? -1 : box[i] + 1));
  // Within rounding of each other; the reference took one of them or several, and so do we.
  const tied = golden.integers('assign.rpn.tied');
  const expected = golden.integers('assign.rpn.gt_inds').map((j, i) => (tied[i] ? found[i] : j));
  assert.deepEqual(found, expected);
});

for (const [picture, frame] of [
  { height: 240, width: 320 },
  { height: 229, width: 320 },
].entries()) {
  test(`mmdetection's RPN targets, picture ${picture}`, needs('golden/cascade-rcnn-paper'), async () => {
    const golden = await openGolden('cascade-rcnn-paper/train.safetensors');
    const boxes = columns(golden.floats(`boxes_${picture}`), 5, 0, 4);
    const found = assignAndChoose(paper, { height: 256, width: 320 }, frame, boxes, evenly);
    assert.deepEqual(found.positives, golden.integers(`0.rpn.${picture}.pos`));
    assert.deepEqual(found.negatives, golden.integers(`0.rpn.${picture}.neg`));
    assertClose(found.deltas, golden.floats(`0.rpn.${picture}.pos_targets`), 1e-4, 1e-5);
  });
}

for (const [file, prefix, boxesOf] of [
  ['assign_rpn', '', (golden: GoldenArrays) => golden.floats('gt')],
  ['training', 'rpn.', (golden: GoldenArrays) => golden.floats('gt_boxes').slice(0, 16)],
] as const) {
  test(`the zoo's RPN targets: ${file}`, needs('golden/cascade-rcnn-zoo'), async () => {
    const golden = await openGolden(`cascade-rcnn-zoo/${file}.safetensors`);
    const integers = (name: string) => golden.integers(`${prefix}${name}`);
    const canvas = { height: 192, width: 320 };
    const boxes = boxesOf(golden);
    const { box } = assignRpn(zoo, canvas, canvas, boxes);
    assert.deepEqual(
      indicesWhere(box, (j) => j >= 0),
      integers('positive_candidates'),
    );
    assert.deepEqual([indicesWhere(box, (j) => j === BACKGROUND).length], integers('negative_candidate_count'));
    const found = assignAndChoose(zoo, canvas, canvas, boxes, firstOnes);
    assert.deepEqual(found.positives, integers('chosen_positive'));
    assert.deepEqual(found.positives, integers('weighted_box_index'));
    assertClose(found.deltas, golden.floats(`${prefix}box_target`), 1e-4, 1e-5);
    // The reference lists all that count in rising order.
    const rising = [...found.positives, ...found.negatives].sort((a, b) => a - b);
    assert.deepEqual(rising, integers('weighted_label_index'));
    const positive = new Set(found.positives);
    assert.deepEqual(
      rising.map((anchor) => Number(positive.has(anchor))),
      integers('label_of_weighted'),
    );
  });
}

test("the zoo's anchors that may learn", needs('golden/cascade-rcnn-zoo'), async () => {
  const golden = await openGolden('cascade-rcnn-zoo/assign_rpn.safetensors');
  const canvas = { height: 192, width: 320 };
  const { box } = assignRpn(zoo, canvas, canvas, new Float32Array());
  assert.deepEqual([indicesWhere(box, (j) => j === BACKGROUND).length], golden.integers('valid_anchor_count'));
});

const canvas = { height: 256, width: 320 };
const frame = { height: 229, width: 311 };

/** Boxes of many sizes and shapes within the frame, and for some seeds a crowd of near-duplicates. */
function someBoxes(count: number, uniform: () => number): Float32Array {
  const boxes = new Float32Array(count * 4);
  for (let at = 0; at < boxes.length; at += 4) {
    const width = 1 + (frame.width - 1) * uniform() ** 3;
    const height = 1 + (frame.height - 1) * uniform() ** 3;
    const x = (frame.width - width) * uniform();
    const y = (frame.height - height) * uniform();
    boxes.set([x, y, x + width, y + height], at);
  }
  return boxes;
}

/** Boxes keep a best anchor that they hardly touch. */
const faint: RpnTargetSpec = {
  ...zoo,
  matcher: { ...zoo.matcher, best: { shared: 'first', ties: 'first', minimum: 1e-3 } },
};

for (const [name, spec] of Object.entries({ paper, zoo, faint })) {
  test(`looking only at anchors near a box changes nothing: ${name}`, () => {
    const recipe = spec.anchors;
    const levels = recipe.strides.map((_, i) => [...pyramidAnchors(recipe, i, ...pyramidMap(recipe, i, canvas))]);
    const all = levels.flat();
    const last = (side: number) => (spec.inside === 'below-side' ? side - 1e-4 : side - 1);
    const inside = indicesWhere(all, () => true).filter((i) => {
      const [x1, y1, x2, y2] = all.slice(i * 4, i * 4 + 4);
      return i < all.length / 4 && x1 >= 0 && y1 >= 0 && x2 <= last(frame.width) && y2 <= last(frame.height);
    });
    const corners = Float32Array.from(inside.flatMap((i) => all.slice(i * 4, i * 4 + 4)));
    const uniform = uniforms(17);
    const kinds = new Map<number, number>();
    for (const count of [1, 3, 10, 40, 200]) {
      const boxes = someBoxes(count, uniform);
      // An anchor itself as a box, twice: overlaps of 1 and near it.
      boxes.set(corners.subarray(4000, 4004));
      boxes.set(corners.subarray(4000, 4004), boxes.length - 4);
      const expected = new Int32Array(all.length / 4).fill(IGNORED);
      for (const [k, j] of matchAnchors(corners, boxes, spec.matcher).box.entries()) expected[inside[k]] = j;
      const { box } = assignRpn(spec, canvas, frame, boxes);
      assert.deepEqual(box, expected, `${count} boxes`);
      for (const j of box) kinds.set(Math.min(j, 0), (kinds.get(Math.min(j, 0)) ?? 0) + 1);
    }
    assert.ok((kinds.get(0) ?? 0) > 200, 'many anchors belong to a box');
  });

  test(`RPN targets of a picture are as many as the spec says, drawn from those assigned: ${name}`, () => {
    const uniform = uniforms(23);
    for (const count of [0, 1, 5, 200]) {
      const boxes = someBoxes(count, uniform);
      const { box } = assignRpn(spec, canvas, frame, boxes);
      const { rpn_anchors, rpn_labels, rpn_deltas } = encodeRpnTargets(spec, canvas, frame, boxes, uniform);
      assert.deepEqual([rpn_anchors.shape, rpn_labels.shape, rpn_deltas.shape], [[256], [256], [256, 4]]);
      const { positives, negatives, deltas } = read({ rpn_anchors, rpn_labels, rpn_deltas });
      assert.ok(positives.every((i) => box[i] >= 0) && negatives.every((i) => box[i] === BACKGROUND));
      const candidates = indicesWhere(box, (j) => j >= 0).length;
      assert.equal(positives.length, Math.min(candidates, 128));
      assert.equal(new Set([...positives, ...negatives]).size, 256);
      assert.ok(deltas.every(Number.isFinite));
    }
  });
}

test('what is chosen depends on the random numbers alone', () => {
  const boxes = someBoxes(9, uniforms(5));
  const draw = (spec: RpnTargetSpec, seed: number) => encodeRpnTargets(spec, canvas, frame, boxes, uniforms(seed));
  assert.deepEqual(draw(paper, 1), draw(JSON.parse(JSON.stringify(paper)), 1));
  assert.notDeepEqual(draw(paper, 1).rpn_anchors, draw(paper, 2).rpn_anchors);
});

test('a picture too small for any anchor leaves all places unused', () => {
  const targets = encodeRpnTargets(paper, canvas, { height: 8, width: 8 }, Float32Array.of(1, 1, 7, 7), Math.random);
  const { positives, negatives } = read(targets);
  assert.deepEqual([positives, negatives], [[], []]);
  assert.ok((targets.rpn_anchors.data as BigInt64Array).every((anchor) => anchor === 0n));
});

test('boxes that cannot be right are refused with their index', () => {
  const encode = (spec: RpnTargetSpec, box: number[]) =>
    encodeRpnTargets(spec, canvas, frame, Float32Array.from([10, 10, 20, 20, ...box]), Math.random);
  const refused = (box: number[], message: RegExp) =>
    assert.throws(() => encode(paper, box), { code: 'data', message });
  refused([5, 5, Number.NaN, 9], /^Box 1 is \[5,5,NaN,9\], expected pixels with x1 ≤ x2/);
  refused([5, 5, 4, 9], /^Box 1 .* x1 ≤ x2/);
  refused([5, 5, 5, 9], /^Box 1 .* without area.*drop it/);
  assert.ok(encode(zoo, [5, 5, 5, 9]), 'a column of pixels');
  assert.throws(() => encode(paper, [5, 5]), { code: 'shape' });
});
