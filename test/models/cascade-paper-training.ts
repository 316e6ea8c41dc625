// Training of mmdetection's Cascade R-CNN on the recorded batch, with the recorded choices in place of the samplers'.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Engine, State } from '../../src/engine/engine.js';
import { gradient, input, sumOf, type Tensor, type Value } from '../../src/graph/index.js';
import { runStage, type StageResult } from '../../src/models/cascade-rcnn/cascade.js';
import { limitsOf, preprocess } from '../../src/models/cascade-rcnn/detector.js';
import { rpnLosses, stageLosses } from '../../src/models/cascade-rcnn/loss.js';
import { pyramidAndRpn } from '../../src/models/cascade-rcnn/network.js';
import { proposals } from '../../src/models/cascade-rcnn/proposals.js';
import { Parameters } from '../../src/nn/parameters.js';
import { initialOptimizerState, type TrainingStep, trainingStep } from '../../src/nn/training-step.js';
import type { Safetensors } from '../../src/weights/formats/safetensors.js';
import { readGolden } from '../golden.js';
import { numbersOf } from '../graph/harness.js';
import {
  canvas,
  folder,
  framesOf,
  frozen,
  onCanvases,
  paperWeights,
  recipe,
  rowsFrom,
  sourceOf,
} from './cascade-paper-golden.js';
import { Errors, norm, worstError } from './closeness.js';
import { fast, float32, load, runOnce } from './graph-session.js';
import { readJson } from './zoo-golden.js';
import { relative } from './zoo-training.js';

const batch = 2;
const rois = 512;
const anchors = 256;
const background = 80;

/** The recorded names of the losses, by ours. */
const recordedLosses: Readonly<Record<string, string>> = {
  rpn_cls: 'loss_rpn_cls',
  rpn_reg: 'loss_rpn_bbox',
  stage0_cls: 's0.loss_cls',
  stage0_reg: 's0.loss_bbox',
  stage1_cls: 's1.loss_cls',
  stage1_reg: 's1.loss_bbox',
  stage2_cls: 's2.loss_cls',
  stage2_reg: 's2.loss_bbox',
};

interface Step {
  readonly p: Parameters;
  readonly losses: Readonly<Record<string, Value>>;
  readonly step: TrainingStep;
  readonly gradients: Readonly<Record<string, Value>>;
  readonly results: readonly StageResult[];
  readonly proposed: Value;
}

/** The step: what the samplers choose comes as inputs, under the names that `choices` fills. */
function stepGraph(): Step {
  const p = new Parameters({ training: true, fixedStatistics: () => true });
  const canvases = {
    images: input('images', 'uint8', [batch, canvas.height, canvas.width, 3]),
    frames: input('frames', 'float32', [batch, 4]),
  };
  const outputs = pyramidAndRpn(p, recipe, preprocess(recipe, canvases));
  const rpn = rpnLosses(recipe, outputs, {
    anchors: input('rpn_anchors', 'int64', [batch, anchors]),
    labels: input('rpn_labels', 'int32', [batch, anchors]),
    deltas: input('rpn_deltas', 'float32', [batch, anchors, 4]),
  });
  const parts: Record<string, Value> = { rpn_cls: rpn.cls, rpn_reg: rpn.reg };
  const results = recipe.stages.map((_, stage) => {
    const result = runStage(p, recipe, stage, outputs.maps, input(`rois${stage}`, 'float32', [batch, rois, 4]));
    const { cls, reg } = stageLosses(recipe, stage, result, {
      labels: input(`labels${stage}`, 'int32', [batch, rois]),
      positive: input(`positive${stage}`, 'bool', [batch, rois]),
      valid: input(`valid${stage}`, 'bool', [batch, rois]),
      targets: input(`targets${stage}`, 'float32', [batch, rois, 4]),
    });
    Object.assign(parts, { [`stage${stage}_cls`]: cls, [`stage${stage}_reg`]: reg });
    return result;
  });
  const losses = { total: sumOf(Object.values(parts)), parts };
  const step = trainingStep(p, losses, { optimizer: recipe.optimizer, frozen });
  const values = step.trained.map(({ name }) => p.values.get(name)!);
  const all = gradient(losses.total, values);
  const gradients = Object.fromEntries(step.trained.map(({ name }, i) => [name, all[i]]));
  const proposed = proposals(recipe, outputs, limitsOf(canvases), recipe.rpn.training).boxes;
  return { p, losses: parts, step, gradients, results, proposed };
}

/** The recorded pictures and what was chosen in a pass. */
function choices({ tensors }: Safetensors, pass: number): Record<string, Tensor> {
  const part = (name: string) => tensors.get(name) ?? assert.fail(`no ${name}`);
  const pictures = [0, 1].map((i) => part(`image_${i}_u8_bgr`));
  const feeds: Record<string, Tensor> = { images: onCanvases(pictures), frames: framesOf(pictures) };
  const chosen = new BigInt64Array(batch * anchors);
  const objects = new Int32Array(batch * anchors);
  const deltas = new Float32Array(batch * anchors * 4);
  for (const i of [0, 1]) {
    const [positives, negatives] = ['pos', 'neg'].map((kind) => numbersOf(part(`${pass}.rpn.${i}.${kind}`)));
    assert.equal(positives.length + negatives.length, anchors);
    chosen.set([...positives, ...negatives].map(BigInt), i * anchors);
    objects.fill(1, i * anchors, i * anchors + positives.length);
    // The same in all passes.
    deltas.set(numbersOf(part(`0.rpn.${i}.pos_targets`)), i * anchors * 4);
  }
  feeds.rpn_anchors = { dtype: 'int64', shape: [batch, anchors], data: chosen };
  feeds.rpn_labels = { dtype: 'int32', shape: [batch, anchors], data: objects };
  feeds.rpn_deltas = float32([batch, anchors, 4], deltas);
  recipe.stages.forEach((_, stage) => {
    const classes = numbersOf(part(`${pass}.s${stage}.labels`));
    const learned = numbersOf(part(`${pass}.s${stage}.pos_targets`));
    const targets = new Float32Array(batch * rois * 4);
    let next = 0;
    classes.forEach((label, row) => {
      if (label === background) return;
      targets.set(learned.slice(next, next + 4), row * 4);
      next += 4;
    });
    assert.equal(next, learned.length);
    const rows = (dtype: 'int32' | 'bool', data: Int32Array | Uint8Array) =>
      ({ dtype, shape: [batch, rois], data }) as Tensor;
    feeds[`rois${stage}`] = rowsFrom(part(`${pass}.s${stage}.rois`), 1, batch);
    feeds[`labels${stage}`] = rows(
      'int32',
      Int32Array.from(classes, (label) => (label === background ? 0 : label + 1)),
    );
    feeds[`positive${stage}`] = rows(
      'bool',
      Uint8Array.from(classes, (label) => Number(label !== background)),
    );
    feeds[`valid${stage}`] = rows('bool', new Uint8Array(batch * rois).fill(1));
    feeds[`targets${stage}`] = float32([batch, rois, 4], targets);
  });
  return feeds;
}

/**
 * Of each pass. Before any step it is rounding; then what changes of all weights by ±1e-6 (relative, signs drawn) do here:
 * 8e-6, 1.6e-4 and 9.8e-5 in pass 1, 2.9e-4, 7.9e-4 and 6.3e-4 in pass 2, in three draws, of which the largest is taken. The
 * record's README has one draw of the reference's, 6e-5 and 4e-4. Found: 7.8e-5 and 5.2e-4 in the fast form, 7.7e-5 and
 * 3.6e-4 in the reference form, with the weights behind both steps within 2.4e-7 of the recorded ones.
 */
const lossLimits = [1e-5, 1.6e-4, 7.9e-4];

async function compareLosses(results: Record<string, Tensor>, pass: number, t: TestContext): Promise<void> {
  const { losses } = await readJson<{ losses: Record<string, number>[] }>(`${folder}/train.json`);
  const errors = new Errors();
  for (const [own, name] of Object.entries(recordedLosses))
    errors.add(own, relative(results[own].data[0] as number, losses[pass][name]));
  t.diagnostic(`losses of pass ${pass}: ${errors}`);
  errors.assertBelow(lossLimits[pass], `losses of pass ${pass}`);
}

/** Losses, outputs of the stages, gradients and proposals of the first pass against the record. */
export async function compareFirstPass(engine: Engine, t: TestContext): Promise<void> {
  const golden = await readGolden('cascade-rcnn-paper/train.safetensors');
  const { p, losses, step, gradients, results, proposed } = stepGraph();
  const outputs: Record<string, Value> = { ...losses, proposals: proposed };
  for (const [name, value] of Object.entries(gradients)) outputs[`gradient ${name}`] = value;
  results.forEach(({ cls, reg }, stage) => {
    Object.assign(outputs, { [`s${stage}.cls`]: cls, [`s${stage}.reg`]: reg });
  });
  const state = await engine.createState(paperWeights(p.specs.values()));
  const first = await runOnce(engine, outputs, choices(golden, 0), fast, state);
  await state.dispose();
  await compareLosses(first, 0, t);
  compareStages(first, golden, t);
  await compareGradients(first, step, golden, t);
  compareProposals(first, golden, t);
}

/** Losses of three passes and the weights after the two steps between them against the record. */
export async function compareThreePasses(engine: Engine, t: TestContext): Promise<void> {
  const golden = await readGolden('cascade-rcnn-paper/train.safetensors');
  const { p, step } = stepGraph();
  const weights = paperWeights(p.specs.values());
  const optimizer = initialOptimizerState(step, new Map(Object.entries(weights)));
  const state = await engine.createState({ ...weights, ...optimizer });
  const session = await load(engine, { ...step.batch.outputs }, fast);
  const learning_rate = float32([], Float32Array.of(0.0025));
  for (const pass of [0, 1, 2]) {
    if (pass === 2) await compareWeights(golden, step, state, t);
    const feeds = { ...choices(golden, pass), learning_rate };
    await compareLosses(await session.run(feeds, { state, updates: step.batch.updates }), pass, t);
  }
  await session.dispose();
  await state.dispose();
}

function compareStages(results: Record<string, Tensor>, { tensors }: Safetensors, t: TestContext): void {
  const errors = new Errors();
  for (const stage of recipe.stages.keys()) {
    const cls = numbersOf(results[`s${stage}.cls`]);
    const width = recipe.classes + 1;
    const eighth = cls.filter((_, i) => Math.floor(i / width) % 8 === 0);
    errors.add(`${stage}.cls`, worstError(eighth, numbersOf(tensors.get(`0.s${stage}.cls`)!)));
    const reg = numbersOf(results[`s${stage}.reg`]);
    errors.add(`${stage}.reg`, worstError(reg, numbersOf(tensors.get(`0.s${stage}.reg`)!)));
  }
  t.diagnostic(`stages: ${errors}`);
  errors.assertBelow(1e-4, 'logits and deltas of the stages');
}

async function compareGradients(
  results: Record<string, Tensor>,
  step: TrainingStep,
  { tensors }: Safetensors,
  t: TestContext,
): Promise<void> {
  const norms = await readJson<Record<string, number>>(`${folder}/train-grad-norms.json`);
  assert.deepEqual(new Set(step.trained.map(({ name }) => sourceOf(name))), new Set(Object.keys(norms)));
  const lengths = new Errors();
  const values = new Errors();
  for (const { name } of step.trained) {
    const source = sourceOf(name);
    const part = (kind: string) => numbersOf(tensors.get(`${kind}${source}`) ?? assert.fail(`no ${kind}${source}`));
    const data = results[`gradient ${name}`].data as Float32Array;
    if (norms[source] === 0) {
      assert.ok(
        data.every((value) => value === 0),
        `${name} has no gradient`,
      );
      continue;
    }
    lengths.add(name, relative(norm(data), norms[source]));
    const top = part('gradtop.');
    const largest = Math.max(...top.map(Math.abs));
    const index = numbersOf(tensors.get(`gradtop.${source}.index`)!);
    values.add(
      name,
      worstError(
        index.map((i) => data[i]),
        top,
        largest,
      ),
    );
    values.add(name, worstError(spread(data, part('grad.').length), part('grad.'), largest));
  }
  t.diagnostic(`gradient norms: ${lengths}`);
  t.diagnostic(`gradient values: ${values}`);
  lengths.assertBelow(1e-3, 'gradient norms');
  values.assertBelow(1e-3, 'gradient values');
}

/** The places that the record keeps of a tensor. */
function spread(data: ArrayLike<number>, count: number): number[] {
  return Array.from({ length: count }, (_, j) => data[count < 8 ? j : Math.floor((j * data.length) / 8)]);
}

/** Nothing is forced before them: a suppression may turn out otherwise, of 2000. */
function compareProposals(results: Record<string, Tensor>, { tensors }: Safetensors, t: TestContext): void {
  for (const i of [0, 1]) {
    const expected = numbersOf(tensors.get(`0.proposals.${i}`)!);
    const own = numbersOf(results.proposals).slice(i * expected.length, (i + 1) * expected.length);
    const near = (row: number, place: number) =>
      [0, 1, 2, 3].every((side) => Math.abs(own[4 * place + side] - expected[4 * row + side]) < 0.01);
    const rows = Array.from({ length: expected.length / 4 }, (_, row) => row);
    const found = rows.filter((row) => near(row, row) || rows.some((place) => near(row, place))).length;
    t.diagnostic(`proposals of picture ${i}: ${found} of ${rows.length}, in whatever order`);
    assert.ok(found > 0.99 * rows.length, `${found} proposals of picture ${i}`);
  }
}

async function compareWeights(
  { tensors }: Safetensors,
  step: TrainingStep,
  state: State,
  t: TestContext,
): Promise<void> {
  const errors = new Errors();
  const now = await state.read();
  for (const { name } of step.trained) {
    const expected = numbersOf(tensors.get(`after2.${sourceOf(name)}`)!);
    const values = spread(now[name].data as Float32Array, expected.length);
    errors.add(name, Math.max(...values.map((value, j) => Math.abs(value - expected[j]))));
  }
  t.diagnostic(`weights after two steps, absolute: ${errors}`);
  errors.assertBelow(4e-6, 'weights after two steps');
}
