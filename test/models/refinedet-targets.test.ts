import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBoxes, toCentres } from '../../src/boxes/coder.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { type Anchors, bothForms, defaultAnchors } from '../../src/models/refinedet/anchors.js';
import {
  assignTargets,
  encodeTargets,
  paperTargets,
  type Targets,
  zooTargets,
} from '../../src/models/refinedet/targets.js';
import type { Safetensors } from '../../src/weights/formats/safetensors.js';
import { readGolden } from '../golden.js';
import { needs } from '../shared.js';

const pytorch = paperTargets(320, 'pytorch');

for (const set of ['a', 'b', 'c', 'd', 'e']) {
  test(`paper's ARM targets, set ${set}`, needs('golden/refinedet-paper'), async () => {
    const golden = await readGolden('refinedet-paper/match-320.safetensors');
    const { boxes, labels } = paperBoxes(golden, set);
    const { arm_labels, arm_deltas } = encodeTargets(pytorch, boxes, labels);
    const index = integers(golden, `${set}.arm_pos_index`);
    assert.deepEqual(nonZero(arm_labels.data as Int32Array), index);
    assert.ok(index.every((i) => arm_labels.data[i] === 1));
    assertRows(arm_deltas.data as Float32Array, index, floats(golden, `${set}.arm_loc_target`));
  });

  test(`paper's ODM targets on refined anchors, set ${set}`, needs('golden/refinedet-paper'), async () => {
    const golden = await readGolden('refinedet-paper/match-320.safetensors');
    const { boxes, labels } = paperBoxes(golden, set);
    const refined = refine(defaultAnchors(pytorch.anchors), floats(golden, `${set}.arm_loc`));
    const targets = assignTargets(refined, boxes, labels, { ...pytorch, label: 'class' });
    const index = integers(golden, `${set}.odm_pos_index`);
    assert.deepEqual(nonZero(targets.labels), index);
    assert.deepEqual(
      index.map((i) => targets.labels[i]),
      integers(golden, `${set}.odm_pos_label`),
    );
    assertRows(targets.deltas, index, floats(golden, `${set}.odm_loc_target`));
  });
}

for (const [name, size] of [
  ['one', 320],
  ['twelve', 320],
  ['twelve', 512],
  ['overlapping', 320],
  ['small', 320],
  ['tiny', 320],
  ['zero_area', 320],
] as const) {
  test(`zoo's targets, ${name} at ${size}`, needs('golden/refinedet-zoo'), async () => {
    const golden = await readGolden(`refinedet-zoo/targets_${name}.safetensors`);
    const rows = floats(golden, 'boxes');
    const boxes = new Float32Array((rows.length / 5) * 4);
    for (let i = 0; i < boxes.length; i++) boxes[i] = rows[Math.floor(i / 4) * 5 + ((i % 4) ^ 1)];
    const { labels, deltas, matched } = encodeTargets(zooTargets(size), boxes, classes(rows, 0));
    const index = integers(golden, `index_${size}`);
    assert.deepEqual(nonZero(labels.data as Int32Array), index);
    assert.deepEqual(
      index.map((i) => labels.data[i]),
      integers(golden, `label_${size}`),
    );
    assert.deepEqual([...(matched.data as Int32Array)], integers(golden, `num_match_${size}`));
    assertRows(deltas.data as Float32Array, index, floats(golden, `loc_${size}`));
  });
}

test('Caffe gives both boxes that share a best anchor one of their own', needs('golden/refinedet-paper'), async () => {
  const golden = await readGolden('refinedet-paper/match-320.safetensors');
  const { boxes, labels } = paperBoxes(golden, 'e');
  const unreachable = (spec: typeof pytorch) => ({ ...spec, matcher: { ...spec.matcher, positive: 2 } });
  assert.equal(assign(unreachable(pytorch)).matched, 3, 'the later box takes it from the earlier');
  assert.equal(assign(unreachable(paperTargets(320))).matched, 4);

  function assign(spec: typeof pytorch): Targets {
    return assignTargets(defaultAnchors(pytorch.anchors), boxes, labels, spec);
  }
});

test('a picture without boxes is all background', () => {
  for (const spec of [paperTargets(320), pytorch, zooTargets(320)]) {
    const targets = encodeTargets(spec, new Float32Array(0), new Int32Array(0));
    for (const tensor of Object.values(targets)) assert.ok((tensor.data as Float32Array).every((value) => value === 0));
  }
});

test('a spec survives JSON with the same targets', () => {
  const boxes = Float32Array.of(0.1, 0.2, 0.5, 0.9, 0.4, 0.4, 0.45, 0.44);
  const labels = Int32Array.of(3, 1);
  for (const spec of [paperTargets(320), pytorch, zooTargets(512)]) {
    assert.deepEqual(
      encodeTargets(JSON.parse(JSON.stringify(spec)), boxes, labels),
      encodeTargets(spec, boxes, labels),
    );
  }
});

test('boxes that cannot be right are refused with their index', () => {
  const good = [0.1, 0.1, 0.2, 0.2];
  const refused = (box: number[], message: RegExp) =>
    assert.throws(() => encodeTargets(paperTargets(320), Float32Array.from([...good, ...box]), Int32Array.of(1, 1)), {
      code: 'data',
      message,
    });
  refused([10, 20, 30, 40], /^Box 1 is \[10,20,30,40\], expected coordinates divided/);
  refused([0.1, Number.NaN, 0.3, 0.4], /^Box 1 .*divided/);
  refused([0.5, 0.5, 0.25, 0.75], /^Box 1 .* x1 ≤ x2/);
  refused([0.5, 0.5, 0.5, 0.75], /^Box 1 .* without area/);
  assert.throws(() => encodeTargets(pytorch, Float32Array.from(good), Int32Array.of(0)), { code: 'data' });
  assert.throws(() => encodeTargets(pytorch, Float32Array.from(good), Int32Array.of(1, 1)), { code: 'shape' });
  assert.throws(() => encodeTargets(pytorch, new Float32Array(5), Int32Array.of(1)), { code: 'shape' });
});

/** The anchors that the ARM's offsets lead to. */
function refine(anchors: Anchors, offsets: Float32Array): Anchors {
  const corners = decodeBoxes(offsets, anchors.centres, pytorch.coder);
  return bothForms(toCentres(corners), corners);
}

function paperBoxes(golden: Safetensors, set: string): { boxes: Float32Array; labels: Int32Array } {
  const rows = floats(golden, `${set}.boxes`);
  const boxes = new Float32Array((rows.length / 5) * 4);
  for (let i = 0; i < boxes.length; i++) boxes[i] = rows[Math.floor(i / 4) * 5 + (i % 4)];
  return { boxes, labels: classes(rows, 1) };
}

function classes(rows: Float32Array, add: number): Int32Array {
  return Int32Array.from({ length: rows.length / 5 }, (_, j) => rows[j * 5 + 4] + add);
}

function nonZero(labels: Int32Array): number[] {
  return [...labels.keys()].filter((i) => labels[i] !== 0);
}

/** Rows `index` of `actual` [anchors, 4] equal `expected`, and all others are zero. */
function assertRows(actual: Float32Array, index: readonly number[], expected: Float32Array): void {
  const rest = Float32Array.from(actual);
  index.forEach((anchor, row) => {
    for (let k = 0; k < 4; k++) {
      const [found, want] = [actual[anchor * 4 + k], expected[row * 4 + k]];
      assert.ok(Math.abs(found - want) <= 1e-5 + 1e-4 * Math.abs(want), `anchor ${anchor}: ${found}, recorded ${want}`);
      rest[anchor * 4 + k] = 0;
    }
  });
  assert.ok(
    rest.every((value) => value === 0),
    'background rows are zero',
  );
}

function floats(golden: Safetensors, name: string): Float32Array {
  const tensor = golden.tensors.get(name) as Tensor<'float32'> | undefined;
  assert.equal(tensor?.dtype, 'float32', name);
  return tensor!.data;
}

function integers(golden: Safetensors, name: string): number[] {
  const tensor = golden.tensors.get(name);
  assert.ok(tensor, name);
  return Array.from(tensor.data as ArrayLike<number | bigint>, Number);
}
