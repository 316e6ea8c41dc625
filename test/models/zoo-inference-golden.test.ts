import assert from 'node:assert/strict';
import { test } from 'node:test';
import { input } from '../../src/graph/index.js';
import { decodeRefineDet, detectRefineDet } from '../../src/models/refinedet/postprocess.js';
import { zooRefineDet } from '../../src/models/refinedet/recipes.js';
import { learningRate, type Schedule } from '../../src/nn/schedules.js';
import { readGolden } from '../golden.js';
import { fastTarget, numbersOf, referenceTarget, runner } from '../graph/harness.js';
import { u32, unit } from '../hashfill.js';
import { needs } from '../shared.js';
import { worstError } from './closeness.js';
import { float32 } from './graph-session.js';
import { folder, readJson } from './zoo-golden.js';

const anchors = 6375;
const classes = 81;
const recipe = zooRefineDet('vgg16', 320, 80);
const heads = {
  armLoc: input('arm_loc', 'float32', ['batch', anchors, 4]),
  armConf: input('arm_conf', 'float32', ['batch', anchors, 2]),
  odmLoc: input('odm_loc', 'float32', ['batch', anchors, 4]),
  odmConf: input('odm_conf', 'float32', ['batch', anchors, classes]),
};
const sizes = input('sizes', 'float32', ['batch', 2]);

/** Head outputs as the folder's README defines them: twelve groups of six anchors stand out. */
function headOutputs() {
  const logits = unit('dev:infer.odm_conf', [anchors * classes]).map((value) => 2 * value - 6);
  const hot = unit('dev:infer.hot_logit', [12, 6]);
  u32('dev:infer.hot_anchor', 12).forEach((hash, group) => {
    const first = hash % (anchors - 12);
    const label = [1, 2, 17, 44, 62, 80][group % 6];
    for (let k = 0; k < 6; k++) logits[(first + k) * classes + label] = 3 * hot[group * 6 + k] - 0.5;
  });
  const rounded = (values: Float64Array, scale: number) => new Float32Array(values.map((value) => scale * value));
  return {
    arm_conf: float32([1, anchors, 2], rounded(unit('dev:infer.arm_conf', [anchors * 2]), 2)),
    arm_loc: float32([1, anchors, 4], new Float32Array(anchors * 4).fill(9)),
    odm_loc: float32([1, anchors, 4], rounded(unit('dev:infer.odm_loc', [anchors * 4]), 1)),
    odm_conf: float32([1, anchors, classes], new Float32Array(logits)),
    sizes: float32([1, 2], Float32Array.of(375, 500)),
  };
}

/** Rows y1, x1, y2, x2 as x1, y1, x2, y2. */
function xFirst(rows: Float32Array): Float32Array {
  return rows.map((_, i) => rows[i ^ 1]);
}

for (const target of [referenceTarget, fastTarget]) {
  test(`detections are the zoo's, ${target.form} form`, needs(folder), async (t) => {
    const { tensors } = await readGolden('refinedet-zoo/inference.safetensors');
    const expected = (name: string) => tensors.get(name)!.data as Float32Array;
    const decoded = decodeRefineDet(recipe, heads);
    const graph = await runner(
      { ...detectRefineDet(recipe, heads, sizes), all_boxes: decoded.boxes, all_scores: decoded.scores },
      target,
    );
    const results = await graph.run(headOutputs());
    await graph.session.release();

    const boxError = worstError(results.all_boxes.data as Float32Array, xFirst(expected('boxes')), 0.1);
    const objects = Float32Array.from({ length: 80 * anchors }, (_, i) => {
      return expected('scores')[(i % anchors) * classes + Math.floor(i / anchors) + 1];
    });
    const scoreError = worstError(results.all_scores.data as Float32Array, objects, 0.1);

    const labels = numbersOf(results.labels);
    const scores = numbersOf(results.scores);
    assert.ok(
      scores.every((score, i) => i === 0 || scores[i - 1] >= score),
      'by falling score',
    );
    const order = labels.map((_, i) => i).sort((a, b) => labels[a] - labels[b] || scores[b] - scores[a]);
    assert.deepEqual(
      order.map((i) => labels[i] + 1),
      numbersOf(tensors.get('det_labels')!),
    );
    const boxes = Float32Array.from(order.flatMap((i) => numbersOf(results.boxes).slice(i * 4, i * 4 + 4)));
    const errors = [
      boxError,
      scoreError,
      worstError(boxes, xFirst(expected('det_boxes')), 10),
      worstError(
        order.map((i) => scores[i]),
        expected('det_scores'),
        0.1,
      ),
    ];
    t.diagnostic(`boxes, scores, kept boxes, kept scores: ${errors.map((error) => error.toExponential(2)).join(', ')}`);
    assert.ok(
      errors.every((error) => error < 1e-5),
      `${errors}`,
    );
  });
}

test("the learning rate is the zoo's at every step", needs(folder), async () => {
  const { tensors } = await readGolden('refinedet-zoo/schedule.safetensors');
  const recorded = await readJson<Record<string, number>>(`${folder}/schedule.json`);
  const perEpoch = recorded.steps_per_epoch;
  const schedule: Schedule = {
    base: recorded.lr_max,
    warmup: { steps: recorded.warmup_epochs * perEpoch, start: recorded.lr_init / recorded.lr_max },
    decay: { kind: 'cosine', total: recorded.total_epochs * perEpoch, end: recorded.lr_end / recorded.lr_max },
  };
  const from = (step: number, name: string) => {
    const expected = tensors.get(name)!.data as Float32Array;
    expected.forEach((rate, i) => {
      const own = learningRate(schedule, step + i);
      assert.ok(Math.abs(own - rate) <= 2 ** -24 * rate, `step ${step + i}: ${own}, recorded ${rate}`);
    });
  };
  from(0, 'lr');
  from(recorded.second_global_step, 'lr_from_epoch_3');
});
