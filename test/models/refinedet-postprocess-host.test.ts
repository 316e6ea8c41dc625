import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertClose, columns, type GoldenArrays, openGolden } from '../boxes/golden-arrays.js';
import { needs } from '../shared.js';
import {
  decodeHeads,
  detectOnHost,
  type HeadOutputs,
  type HostDetections,
  paperPostprocess,
  zooPostprocess,
} from './refinedet-postprocess-host.js';

for (const name of ['sparse', 'crowded']) {
  test(`paper's detections, ${name}`, needs('golden/refinedet-paper'), async () => {
    const golden = await openGolden('refinedet-paper/detect-320.safetensors');
    const outputs = paperOutputs(golden, name);

    const { anchors, boxes } = decodeHeads(outputs, paperPostprocess);
    assertClose(everyFifth(anchors), golden.floats(`${name}.refined_anchors`), 1e-5, 1e-6);
    assertClose(everyFifth(boxes), golden.floats(`${name}.boxes`), 1e-5, 1e-6);

    const all = detectOnHost(outputs, { ...paperPostprocess, keep: undefined });
    assertRows(all, golden.floats(`${name}.detections`));
    const best = detectOnHost(outputs, paperPostprocess);
    assertRows(best, golden.floats(`${name}.detections_keep500`));
  });
}

test("zoo's detections", needs('golden/refinedet-zoo'), async () => {
  const golden = await openGolden('refinedet-zoo/inference.safetensors');
  const [height, width] = golden.floats('image_shape');
  const odmDeltas = Float32Array.from(hashes('dev:infer.odm_loc', 6375 * 4), unit);
  const armDeltas = new Float32Array(6375 * 4); // neither these nor the objectness matter to the zoo
  const outputs = { armDeltas, armLogits: new Float32Array(6375 * 2), odmDeltas, odmLogits: zooLogits() };

  const { boxes } = decodeHeads(outputs, zooPostprocess);
  assertClose(boxes, flipAxes(golden.floats('boxes')), 1e-5, 1e-6);
  const found = detectOnHost(outputs, zooPostprocess, width, height);
  assert.deepEqual([...found.anchors], golden.integers('det_anchors'));
  assert.deepEqual([...found.labels], golden.integers('det_labels'));
  assertClose(found.scores, golden.floats('det_scores'), 1e-5, 0);
  assertClose(found.boxes, flipAxes(golden.floats('det_boxes')), 1e-5, 1e-3);
});

test('pictures without a candidate have no detections', () => {
  const nothing: HeadOutputs = {
    armDeltas: new Float32Array(6375 * 4),
    armLogits: new Float32Array(6375 * 2),
    odmDeltas: new Float32Array(6375 * 4),
    odmLogits: Float32Array.from({ length: 6375 * 3 }, (_, i) => (i % 3 === 0 ? 20 : -20)),
  };
  assert.equal(detectOnHost(nothing, paperPostprocess).scores.length, 0);
  assert.equal(detectOnHost(nothing, zooPostprocess).scores.length, 0);
});

function paperOutputs(golden: GoldenArrays, name: string): HeadOutputs {
  return {
    armDeltas: golden.floats(`${name}.arm_loc`),
    armLogits: golden.floats(`${name}.arm_conf`),
    odmDeltas: golden.floats(`${name}.odm_loc`),
    odmLogits: golden.floats(`${name}.odm_conf`),
  };
}

/** Rows of the file: class, score, x1, y1, x2, y2. */
function assertRows(found: HostDetections, rows: Float32Array): void {
  assert.deepEqual([...found.labels], [...columns(rows, 6, 0, 1)]);
  assertClose(found.scores, columns(rows, 6, 1, 1), 1e-5, 1e-7);
  assertClose(found.boxes, columns(rows, 6, 2, 4), 1e-5, 1e-6);
}

function everyFifth(rows: Float32Array): Float32Array {
  return rows.filter((_, i) => Math.floor(i / 4) % 5 === 0);
}

function flipAxes(rows: Float32Array): Float32Array {
  return rows.map((_, i) => rows[i ^ 1]);
}

/** The logits that the golden's README describes: background noise and twelve groups of six close candidates. */
function zooLogits(): Float32Array {
  const classes = 81;
  const logits = Float64Array.from(hashes('dev:infer.odm_conf', 6375 * classes), (value) => -6 + 2 * unit(value));
  const hot = hashes('dev:infer.hot_logit', 12 * 6);
  hashes('dev:infer.hot_anchor', 12).forEach((value, group) => {
    const anchor = value % (6375 - 12);
    const label = [1, 2, 17, 44, 62, 80][group % 6];
    for (let k = 0; k < 6; k++) logits[(anchor + k) * classes + label] = 3 * unit(hot[group * 6 + k]) - 0.5;
  });
  return Float32Array.from(logits);
}

function unit(value: number): number {
  return value / 2 ** 31 - 1;
}

/** u32 of the goldens' README: FNV-1a of the name, then MurmurHash3's finaliser of each place. */
function hashes(name: string, count: number): Uint32Array {
  let seed = 0x811c9dc5;
  for (const byte of Buffer.from(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  return new Uint32Array(count).map((_, i) => {
    let x = (seed + Math.imul(i, 0x9e3779b9)) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return x ^ (x >>> 16);
  });
}
