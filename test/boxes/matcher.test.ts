import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BestAnchorRule, type Matcher, matchAnchors } from '../../src/boxes/matcher.js';
import { needs } from '../shared.js';
import { columns, openGolden } from './golden-arrays.js';

// Boxes of width 1 and length 10 along x: an anchor shifted by s overlaps by (10 − s) / (10 + s).
const along = (...starts: number[]) => Float32Array.from(starts.flatMap((x) => [x, 0, x + 10, 1]));
const match = (anchors: Float32Array, boxes: Float32Array, matcher: Matcher) => [
  ...matchAnchors(anchors, boxes, matcher).box,
];
const best = (shared: BestAnchorRule['shared'], ties: BestAnchorRule['ties'] = 'first', minimum = 0) => ({
  positive: 2,
  best: { shared, ties, minimum },
});

test('an anchor belongs to the box of its largest overlap, the first of equal ones', () => {
  const matcher = { positive: 0.5 };
  assert.deepEqual(match(along(0, 2, 4, 90), along(1, 4), matcher), [0, 0, 1, -1]);
  assert.deepEqual(match(along(0), along(1, 1), matcher), [0]);
  const { overlap } = matchAnchors(along(0, 90), along(1), matcher);
  assert.deepEqual([...overlap], [Math.fround(9 / 11), 0]);
});

test('thresholds: reached or exceeded, and ignored between negative and positive', () => {
  const half = Float32Array.of(0, 0, 5, 1);
  assert.deepEqual(match(half, along(0), { positive: 0.5 }), [0]);
  assert.deepEqual(match(half, along(0), { positive: 0.5, strict: true }), [-1]);
  assert.deepEqual(match(along(0, 3, 9), along(0), { positive: 0.7, negative: 0.3 }), [0, -2, -1]);
  assert.deepEqual(match(half, along(0), { positive: 0.7, negative: 0.5 }), [-2]);
});

test('a best anchor that boxes share goes to the first, to the last, or both get one', () => {
  const [anchors, boxes] = [along(0, 6, 50), along(1, 2)];
  assert.deepEqual(match(anchors, boxes, best('first')), [0, -1, -1]);
  assert.deepEqual(match(anchors, boxes, best('last')), [1, -1, -1]);
  assert.deepEqual(match(anchors, boxes, best('bipartite')), [0, 1, -1]);
});

test('bipartite: the larger overlap goes first, whatever the order of the boxes', () => {
  assert.deepEqual(match(along(0, 6), along(2, 1), best('bipartite')), [1, 0]);
  assert.deepEqual(match(along(0), along(2, 1, 3), best('bipartite')), [1], 'more boxes than anchors');
  assert.deepEqual(match(along(0, 50), along(2, 1), best('bipartite', 'first', 1e-6)), [1, -1], 'nothing in common');
});

test('anchors that tie for the best: the first or all', () => {
  const [anchors, boxes] = [along(0, 2, 0, 50), along(1)];
  assert.deepEqual(match(anchors, boxes, best('last')), [0, -1, -1, -1]);
  assert.deepEqual(match(anchors, boxes, best('last', 'all')), [0, 0, 0, -1]);
  assert.deepEqual(match(anchors, boxes, best('last', 'all', 0.9)), [-1, -1, -1, -1], 'below the minimum');
});

test('a box that overlaps nothing takes the first anchor unless a minimum forbids it', () => {
  assert.deepEqual(match(along(0, 20), along(70), best('first')), [0, -1]);
  assert.deepEqual(match(along(0, 20), along(70), best('first', 'first', 1e-6)), [-1, -1]);
});

test('a box is compared only with the anchors near it, where they are given', () => {
  const [anchors, boxes] = [along(0, 3, 50, 90), along(1, 50, 90)];
  const near = [Int32Array.of(1), Int32Array.of(2, 3), new Int32Array()];
  const rules = [best('first'), best('last', 'all'), best('bipartite')];
  for (const matcher of [{ positive: 0.5 }, ...rules]) {
    assert.deepEqual([...matchAnchors(anchors, boxes, matcher, undefined, near).box], [-1, 0, 1, -1]);
  }
});

test('without boxes all is background, without anchors nothing is', () => {
  assert.deepEqual(match(along(0, 1), along(), { positive: 0.5, negative: 0.3 }), [-1, -1]);
  assert.deepEqual(match(along(), along(1), best('bipartite')), []);
});

test("mmdetection's assigner at the thresholds of RPN and stages", needs('golden/cascade-rcnn-paper'), async () => {
  const golden = await openGolden('cascade-rcnn-paper/units.safetensors');
  const boxes = columns(golden.floats('assign.gt'), 5, 0, 4);
  const oneBased = (found: number[]) => found.map((j) => (j === -2 ? -1 : j + 1));
  for (const [stage, positive] of [0.5, 0.6, 0.7].entries()) {
    const found = match(golden.floats('assign.boxes'), boxes, { positive });
    assert.deepEqual(oneBased(found), golden.integers(`assign.stage${stage}.gt_inds`));
  }

  const all = [0, 1, 2, 3, 4].flatMap((level) => [...golden.floats(`anchors.${level}`)]);
  const inside = golden.integers('assign.rpn.inside_index').flatMap((i) => all.slice(i * 4, i * 4 + 4));
  const rpn: Matcher = { positive: 0.7, negative: 0.3, best: { shared: 'last', ties: 'all', minimum: 0.3 } };
  const found = oneBased(match(Float32Array.from(inside), boxes, rpn));
  const tied = golden.integers('assign.rpn.tied'); // within rounding of each other: any of them may be taken
  const expected = golden.integers('assign.rpn.gt_inds').map((j, i) => (tied[i] ? found[i] : j));
  assert.deepEqual(found, expected);
});
