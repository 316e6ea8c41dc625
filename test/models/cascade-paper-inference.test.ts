import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Engine, type State } from '../../src/engine/engine.js';
import { argMax, constant, input, type Tensor, unsqueeze, type Value } from '../../src/graph/index.js';
import { deltasOf, refined, runStage, type StageResult } from '../../src/models/cascade-rcnn/cascade.js';
import { limitsOf, preprocess } from '../../src/models/cascade-rcnn/detector.js';
import { pyramidAndRpn, type RpnLevel } from '../../src/models/cascade-rcnn/network.js';
import { detectCascade } from '../../src/models/cascade-rcnn/postprocess.js';
import { proposals } from '../../src/models/cascade-rcnn/proposals.js';
import { evaluationGraph } from '../../src/models/model.js';
import { Parameters } from '../../src/nn/parameters.js';
import { readGolden } from '../golden.js';
import { numbersOf } from '../graph/harness.js';
import { needs, shared } from '../shared.js';
import { canvas, folder, framesOf, onCanvases, paperWeights, recipe, rowsFrom } from './cascade-paper-golden.js';
import { Errors, sample, worstError } from './closeness.js';
import { fast, reference, runOnce } from './graph-session.js';
import { sameDetections } from './same-detections.js';
import { readJson } from './zoo-golden.js';

type Taps = Record<string, { shape: number[]; stride: number; rms: number }>;

let engine: Engine;
let weights: State;
let golden: ReadonlyMap<string, Tensor>;
let feeds: Record<string, Tensor>;
before(async () => {
  if (!shared(folder)) return;
  golden = (await readGolden('cascade-rcnn-paper/infer.safetensors')).tensors;
  const picture = golden.get('image_u8_bgr')!;
  feeds = { images: onCanvases([picture]), frames: framesOf([picture]) };
  engine = await Engine.start({ threads: 2 });
  weights = await engine.createState(paperWeights(evaluationGraph(recipe).p.specs.values()));
});
after(() => engine?.dispose());

const values = ({ data }: Tensor) => data as Float32Array;
const recorded = (name: string) => golden.get(name) ?? assert.fail(`no ${name}`);
const recordedRois = (stage: number) => rowsFrom(recorded(`stage${stage}.rois`), 1);

function asConstant({ dtype, shape, data }: Tensor): Value {
  return constant(dtype, shape, data);
}

/** Rows of a recorded map [1, ratios · width, H, W] in the order row, column, ratio. */
function anchorRows({ data, shape: [, channels, height, width] }: Tensor, each: number): Tensor<'float32'> {
  const ratios = channels / each;
  const rows = Float32Array.from({ length: height * width * channels }, (_, i) => {
    const [cell, channel] = [Math.floor(i / channels), i % channels];
    return Number(data[channel * height * width + cell]);
  });
  return { dtype: 'float32', shape: [1, height * width * ratios, ...(each > 1 ? [each] : [])], data: rows };
}

function recordedRpn(): RpnLevel[] {
  return recipe.anchors.strides.map((_, level) => ({
    logits: asConstant(anchorRows(recorded(`rpn.cls.${level}`), 1)),
    deltas: asConstant(anchorRows(recorded(`rpn.reg.${level}`), 4)),
  }));
}

function recordedStages(): StageResult[] {
  return recipe.stages.map((_, stage) => ({
    cls: asConstant(rowsFrom(recorded(`stage${stage}.cls`), 0)),
    reg: unsqueeze(asConstant(rowsFrom(recorded(`stage${stage}.reg`), 0)), 2),
  }));
}

/** All steps on one picture: each fed with the recorded result of the step before. */
function stepByStep() {
  const p = new Parameters({ training: false });
  const canvases = {
    images: input('images', 'uint8', [1, canvas.height, canvas.width, 3]),
    frames: input('frames', 'float32', [1, 4]),
  };
  const limits = limitsOf(canvases);
  const normalised = preprocess(recipe, canvases);
  const network = pyramidAndRpn(p, recipe, normalised);
  const maps: Record<string, Value> = { input: normalised };
  network.stages.forEach((map, i) => {
    maps[`c${i + 2}`] = map;
  });
  network.maps.forEach((map, i) => {
    maps[`p${i + 2}`] = map;
  });
  const rpn: Record<string, Value> = {};
  network.rpn.forEach(({ logits, deltas }, level) => {
    Object.assign(rpn, { [`rpn.cls.${level}`]: logits, [`rpn.reg.${level}`]: deltas });
  });
  const chosen = proposals(recipe, { maps: network.maps, rpn: recordedRpn() }, limits, recipe.rpn.inference);
  const stages: Record<string, Value> = {};
  const results = recordedStages();
  recipe.stages.forEach((_, stage) => {
    const rois = asConstant(recordedRois(stage));
    const { cls, reg } = runStage(p, recipe, stage, network.maps, rois);
    Object.assign(stages, { [`stage${stage}.cls`]: cls, [`stage${stage}.reg`]: reg });
    const deltas = deltasOf(results[stage], argMax(results[stage].cls, 2));
    if (stage < 2) stages[`stage${stage + 1}.rois`] = refined(recipe, stage, rois, deltas, limits);
  });
  const boxes = asConstant(recordedRois(2));
  const valid = constant('bool', [1, 1000], new Uint8Array(1000).fill(1));
  const scales = constant('float32', [1, 1, 4], Float32Array.of(1, 1, 1, 1));
  const detections = { ...detectCascade(recipe, { results, rois: { boxes, valid } }, limits, scales) };
  return { maps, rpn, chosen: { ...chosen }, stages, detections };
}

for (const target of [reference, fast]) {
  test(`every step on recorded inputs is mmdetection's, ${target.form} form`, needs(folder), async (t) => {
    const { taps } = await readJson<{ taps: Taps }>(`${folder}/infer.json`);
    const { maps, rpn, chosen, stages, detections } = stepByStep();
    const outputs = { ...maps, ...rpn, ...chosen, ...stages, ...prefixed('detected.', detections) };
    const results = await runOnce(engine, outputs, feeds, target, weights);

    const errors = new Errors();
    assert.deepEqual(Object.keys(maps).sort(), Object.keys(taps).sort(), 'every recorded map is compared');
    for (const [name, { shape, stride, rms }] of Object.entries(taps)) {
      assert.deepEqual(results[name].shape, shape);
      const expected = values(recorded(`tap.${name}`));
      errors.add(name, worstError(sample(results[name], stride, expected.length), expected, rms));
    }
    for (const name of Object.keys(rpn)) {
      const expected = anchorRows(recorded(name), name.startsWith('rpn.reg') ? 4 : 1);
      assert.deepEqual(results[name].shape, expected.shape);
      errors.add(name, worstError(values(results[name]), expected.data));
    }
    for (const name of Object.keys(stages)) {
      const expected = name.endsWith('rois') ? rowsFrom(recorded(name), 1).data : values(recorded(name));
      errors.add(name, worstError(values(results[name]), expected));
    }
    errors.add('proposal scores', worstError(values(results.scores), values(recorded('proposal_scores'))));
    t.diagnostic(`${errors}`);
    errors.assertBelow(1e-4, 'outputs');

    assert.ok(numbersOf(results.valid).every((valid) => valid === 1));
    const proposed = [results.boxes, recorded('proposals'), recorded('proposal_scores')].map(values);
    assert.equal(missing(proposed[0], proposed[1], proposed[2]), 0, 'proposals');
    const found = Object.fromEntries(Object.keys(detections).map((name) => [name, results[`detected.${name}`]]));
    const detected = sameDetections(found, recorded('detections'));
    t.diagnostic(`detections: ${detected}`);
    detected.assertBelow(1e-4, 'detections');
  });
}

function prefixed<T>(prefix: string, record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [prefix + name, value]));
}

/**
 * How many boxes [n, 4] are not among those expected whose scores are nearly theirs, to a thousandth of a pixel. The order
 * of nearly equal scores is not significant.
 */
function missing(boxes: Float32Array, expected: Float32Array, scores: Float32Array): number {
  const close = (a: number, b: number) =>
    Math.abs(scores[a] - scores[b]) < 1e-6 &&
    [0, 1, 2, 3].every((side) => Math.abs(boxes[4 * a + side] - expected[4 * b + side]) < 1e-3);
  const rows = Array.from(scores.keys());
  return rows.filter((a) => !close(a, a) && !rows.some((b) => close(a, b))).length;
}

test('the whole of inference finds the recorded detections', needs(folder), async (t) => {
  const { outputs } = evaluationGraph(recipe);
  const found = await runOnce(engine, { ...outputs }, feeds, reference, weights);
  const errors = sameDetections(found, recorded('detections'));
  t.diagnostic(`${errors}`);
  errors.assertBelow(1e-4, 'detections');
});
