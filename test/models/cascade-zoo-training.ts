// The zoo's training step on the recorded canvas: what its golden tests compare.
import assert from 'node:assert/strict';
import type { Engine } from '../../src/engine/engine.js';
import { constant, gradient, input, type Tensor, type Value } from '../../src/graph/index.js';
import type { Target } from '../../src/lowering/index.js';
import { sampleStage } from '../../src/models/cascade-rcnn/assign.js';
import { deltasOf, logitOf, runStage } from '../../src/models/cascade-rcnn/cascade.js';
import { limitsOf } from '../../src/models/cascade-rcnn/detector.js';
import { nextCandidates, randomCount } from '../../src/models/cascade-rcnn/loss.js';
import { pyramidAndRpn } from '../../src/models/cascade-rcnn/network.js';
import { proposals } from '../../src/models/cascade-rcnn/proposals.js';
import type { CascadeRcnnRecipe } from '../../src/models/cascade-rcnn/recipe.js';
import { trainingLosses } from '../../src/models/model.js';
import { normalizePictures } from '../../src/models/pictures.js';
import { Parameters } from '../../src/nn/parameters.js';
import { initialOptimizerState, type Losses, type TrainingStep, trainingStep } from '../../src/nn/training-step.js';
import { cascadeRcnnZoo } from '../../src/weights/loading/maps/cascade-rcnn-zoo.js';
import { readGolden } from '../golden.js';
import { numbersOf } from '../graph/harness.js';
import { canvas, folder, type Gains, nameOf, recipe as original, rgb, zooWeights } from './cascade-zoo-golden.js';
import { Errors, norm, worstError } from './closeness.js';
import { float32, load, runOnce } from './graph-session.js';
import { readJson } from './zoo-golden.js';

const maxBoxes = 128;

/** The recorded configuration: few proposals, and at most 96 RoIs of a picture in a stage, 32 of them positive. */
export const recipe: CascadeRcnnRecipe = {
  ...original,
  resize: { ...original.resize, long: canvas.width, short: canvas.height, fixed: canvas },
  rpn: { ...original.rpn, training: { perLevel: 40, perPicture: 128 } },
  sampling: { ...original.sampling, samples: 96, positives: 32 },
};

/** Places for RoIs of a stage in the record: as many for positives as there may be, then for negatives. */
const slots = 128;

interface StageLosses {
  readonly cls: number;
  readonly reg: number;
}

export interface TrainingRecord {
  readonly gains: Gains;
  readonly lr: number;
  readonly losses: { total: number; rpn_cls: number; rpn_reg: number; stage: StageLosses[] }[];
  readonly grad_names: string[];
  readonly no_gradient: string[];
  readonly grad_total_norm: number;
}

/** The stem and C2 stay as they came; batch norm keeps its statistics. */
export const isFrozen = (name: string) => /^backbone\.(conv1|bn1|layer1)\./.test(name);

export interface ZooTraining {
  readonly golden: ReadonlyMap<string, Tensor>;
  readonly record: TrainingRecord;
  readonly p: Parameters;
  readonly losses: Losses;
  readonly step: TrainingStep;
  readonly weights: Record<string, Tensor>;
  readonly feeds: Record<string, Tensor>;
}

export async function zooTraining(): Promise<ZooTraining> {
  const { tensors: golden } = await readGolden('cascade-rcnn-zoo/training.safetensors');
  const record = await readJson<TrainingRecord>(`${folder}/training.json`);
  const p = new Parameters({ training: true, fixedStatistics: () => true });
  const losses = trainingLosses(p, recipe, { batch: 1, maxBoxes, canvas });
  const step = trainingStep(p, losses, { optimizer: recipe.optimizer, frozen: isFrozen });
  const weights = zooWeights(p.specs.values(), record.gains);
  return { golden, record, p, losses, step, weights, feeds: recordedBatch(golden) };
}

/** The recorded picture, its boxes and the RPN's targets; `random` falls, so that the first candidates are chosen. */
function recordedBatch(golden: ReadonlyMap<string, Tensor>): Record<string, Tensor> {
  return {
    images: rgb(golden.get('canvas_bgr')!),
    ...recordedTruth(golden),
    ...recordedRpnTargets(golden),
    random: falling(randomCount(recipe, maxBoxes)),
  };
}

function recordedTruth(golden: ReadonlyMap<string, Tensor>): Record<string, Tensor> {
  const { data: valid } = golden.get('gt_valid')!;
  const boxes = (golden.get('gt_boxes')!.data as Float32Array).map((value, i) => (valid[i >> 2] ? value : 0));
  const labels = (golden.get('gt_labels')!.data as Int32Array).map((label, i) => (valid[i] ? label : 0));
  return {
    boxes: float32([1, maxBoxes, 4], boxes),
    labels: { dtype: 'int32', shape: [1, maxBoxes], data: labels },
  };
}

function recordedRpnTargets(golden: ReadonlyMap<string, Tensor>): Record<string, Tensor> {
  const weighted = numbersOf(golden.get('rpn.weighted_label_index')!);
  const targets = golden.get('rpn.box_target')!.data as Float32Array;
  const deltas = new Float32Array(weighted.length * 4);
  numbersOf(golden.get('rpn.weighted_box_index')!).forEach((anchor, i) => {
    deltas.set(targets.subarray(4 * i, 4 * i + 4), 4 * weighted.indexOf(anchor));
  });
  const shape = [1, weighted.length];
  return {
    rpn_anchors: { dtype: 'int64', shape, data: golden.get('rpn.weighted_label_index')!.data as BigInt64Array },
    rpn_labels: { dtype: 'int32', shape, data: golden.get('rpn.label_of_weighted')!.data as Int32Array },
    rpn_deltas: float32([...shape, 4], deltas),
  };
}

function falling(count: number): Tensor {
  return float32(
    [1, count],
    Float32Array.from({ length: count }, (_, i) => 1 - (i + 1) / (count + 1)),
  );
}

/** The proposals, and each stage on the candidates that the record gave it, under the names of the record. */
function stagesOnRecorded(): Record<string, Value> {
  const p = new Parameters({ training: true, fixedStatistics: () => true });
  const images = input('images', 'uint8', [1, canvas.height, canvas.width, 3]);
  const limits = limitsOf({ images, frames: input('frames', 'float32', [1, 4]) });
  const network = pyramidAndRpn(p, recipe, normalizePictures(images, recipe.normalisation));
  const first = proposals(recipe, network, limits, recipe.rpn.training);
  const outputs: Record<string, Value> = { proposals: first.boxes, proposal_mask: first.valid };
  const truth = {
    boxes: input('boxes', 'float32', [1, maxBoxes, 4]),
    labels: input('labels', 'int32', [1, maxBoxes]),
  };
  const draws = constant('float32', [1, maxBoxes + slots], falling(maxBoxes + slots).data as Float32Array);
  recipe.stages.forEach((stage, i) => {
    const name = (part: string) => `stage${i + 1}.${part}`;
    const candidates = {
      boxes: input(name('in_boxes'), 'float32', [1, slots, 4]),
      valid: input(name('in_mask'), 'bool', [1, slots]),
    };
    const samples = sampleStage(recipe.sampling, stage, candidates, truth, draws);
    const result = runStage(p, recipe, i, network.maps, samples.boxes);
    Object.assign(outputs, {
      [name('rois')]: samples.boxes,
      [name('labels')]: samples.labels,
      [name('mask')]: samples.valid,
      [name('targets')]: samples.targets,
      [name('cls_logits')]: result.cls,
      [name('assigned_deltas')]: deltasOf(result, logitOf(recipe, samples.labels)),
      [name('next')]: nextCandidates(recipe, i, samples, result, limits).boxes,
    });
  });
  return outputs;
}

/** Numbers of the rows for which the mask holds. */
function rowsWhere({ data }: Tensor, mask: Tensor): number[] {
  const width = data.length / mask.data.length;
  return Array.from(data as ArrayLike<number | bigint>, Number).filter((_, i) => mask.data[Math.floor(i / width)]);
}

export interface StageErrors {
  readonly proposals: Errors;
  readonly stages: Errors;
}

/** Proposals, and each stage on recorded candidates, against the record. Which RoIs learn and what class is exact. */
export async function compareStages(
  engine: Engine,
  { golden, weights, feeds }: ZooTraining,
  target: Target,
): Promise<StageErrors> {
  const { images, boxes, labels } = feeds;
  const given = recipe.stages.flatMap((_, i) =>
    ['in_boxes', 'in_mask'].map((part) => {
      const tensor = golden.get(`stage${i + 1}.${part}`)!;
      return [`stage${i + 1}.${part}`, { ...tensor, shape: [1, ...tensor.shape] }] as const;
    }),
  );
  const state = await engine.createState(weights);
  const all = { images, boxes, labels, ...Object.fromEntries(given) };
  const results = await runOnce(engine, stagesOnRecorded(), all, target, state);
  await state.dispose();

  const recorded = (name: string) => golden.get(name)!;
  assert.deepEqual(results.proposal_mask.data, recorded('proposal_mask').data);
  const proposed = rowsWhere(recorded('proposals'), recorded('proposal_mask')).filter((_, i) => i % 5 < 4);
  const errors = { proposals: new Errors(), stages: new Errors() };
  errors.proposals.add('boxes', worstError(rowsWhere(results.proposals, results.proposal_mask), proposed, 10));
  recipe.stages.forEach((_, i) => {
    const stage = `stage${i + 1}`;
    const own = (part: string) => rowsWhere(results[`${stage}.${part}`], results[`${stage}.mask`]);
    const expected = (part: string) => rowsWhere(recorded(`${stage}.${part}`), recorded(`${stage}.mask`));
    for (const exact of ['rois', 'labels']) assert.deepEqual(own(exact), expected(exact), `${stage}.${exact}`);
    for (const part of ['targets', 'cls_logits', 'assigned_deltas'])
      errors.stages.add(`${stage}.${part}`, worstError(own(part), expected(part)));
    const next = `stage${i + 2}.in_boxes`;
    if (!golden.has(next)) return;
    const candidates = rowsWhere(recorded(next), recorded(`stage${i + 2}.in_mask`));
    errors.stages.add(next, worstError(own('next'), candidates, 10));
  });
  return errors;
}

/** Relative errors of the loss and its parts before the first step. */
export async function compareLosses(
  engine: Engine,
  { losses, record, weights, feeds }: ZooTraining,
  target: Target,
): Promise<Errors> {
  const state = await engine.createState(weights);
  const results = await runOnce(engine, { total: losses.total, ...losses.parts }, feeds, target, state);
  await state.dispose();
  return lossErrors(results, record.losses[0]);
}

function lossErrors(
  results: Record<string, Tensor>,
  { total, rpn_cls, rpn_reg, stage }: TrainingRecord['losses'][number],
): Errors {
  const byStage = stage.flatMap(({ cls, reg }, i) => [
    [`stage${i + 1}_cls`, cls],
    [`stage${i + 1}_reg`, reg],
  ]);
  const expected: Record<string, number> = { total, rpn_cls, rpn_reg, ...Object.fromEntries(byStage) };
  const errors = new Errors();
  for (const [name, value] of Object.entries(expected))
    errors.add(name, Math.abs(Number(results[name].data[0]) / value - 1));
  return errors;
}

export interface GradientErrors {
  readonly losses: Errors;
  readonly norms: Errors;
  /** Of values, relative to the parameter's largest recorded one. */
  readonly backbone: Errors;
  readonly others: Errors;
  /** Of the length of all gradients together. */
  readonly total: number;
}

/** Loss and gradients of the first step against the record. Parameters without a gradient are held to exact zeros. */
export async function compareGradients(engine: Engine, training: ZooTraining, target: Target): Promise<GradientErrors> {
  const { p, losses, step, golden, record, weights, feeds } = training;
  const gradients = gradient(
    losses.total,
    step.trained.map(({ name }) => p.values.get(name)!),
  );
  const outputs: Record<string, Value> = { total: losses.total, ...losses.parts };
  step.trained.forEach(({ name }, i) => {
    outputs[`gradient ${name}`] = gradients[i];
  });
  const state = await engine.createState(weights);
  const results = await runOnce(engine, outputs, feeds, target, state);
  await state.dispose();

  const [norms, backbone, others] = [new Errors(), new Errors(), new Errors()];
  const lengths: number[] = [];
  for (const { name } of step.trained) {
    const { data } = results[`gradient ${name}`];
    const row = record.grad_names.indexOf(nameOf(name));
    const length = golden.get('grad.norm')!.data[row] as number;
    lengths.push(norm(data as Float32Array));
    if (record.no_gradient.includes(nameOf(name))) {
      assert.equal(norm(data as Float32Array), 0, name);
      continue;
    }
    norms.add(name, Math.abs(norm(data as Float32Array) / length - 1));
    const expected = recordedRow(golden, 'grad.value', row);
    const largest = Math.max(...expected.map(Math.abs));
    const values = recordedPlaces(golden, row, name, data);
    const group = name.startsWith('backbone.') ? backbone : others;
    group.add(name, worstError(values, expected, Math.max(largest, 1e-6 * length)));
  }
  const total = Math.abs(norm(lengths) / record.grad_total_norm - 1);
  return { losses: lossErrors(results, record.losses[0]), norms, backbone, others, total };
}

function recordedRow(golden: ReadonlyMap<string, Tensor>, name: string, row: number): number[] {
  return numbersOf(golden.get(name)!).slice(8 * row, 8 * row + 8);
}

/** The elements of our parameter whose values the record keeps; dense layers are transposed there. */
function recordedPlaces(
  golden: ReadonlyMap<string, Tensor>,
  row: number,
  name: string,
  data: Tensor['data'],
): number[] {
  const places = recordedRow(golden, 'grad.index', row);
  if (!cascadeRcnnZoo.transposed?.test(name)) return places.map((place) => data[place] as number);
  const out = denseOutputs(name);
  const rows = data.length / out;
  return places.map((place) => data[(place % out) * rows + Math.floor(place / out)] as number);
}

function denseOutputs(name: string): number {
  const layer = name.split('.')[2];
  return { cls: recipe.classes + 1, reg: 4 * (recipe.classes + 1) }[layer] ?? recipe.head.units;
}

export interface StepErrors {
  /** Relative errors of the RPN's losses after one step, and of its weights after two. */
  readonly losses: Errors;
  readonly rpn: Errors;
  /** Differences of all recorded weights after two steps. */
  readonly apart: Errors;
}

/** Two steps of SGD against the recorded weights behind them. */
export async function compareTwoSteps(
  engine: Engine,
  { step, weights, feeds, golden, record }: ZooTraining,
  target: Target,
): Promise<StepErrors> {
  const session = await load(engine, { ...step.batch.outputs }, target);
  const state = await engine.createState({
    ...weights,
    ...initialOptimizerState(step, new Map(Object.entries(weights))),
  });
  const rate = float32([], Float32Array.of(record.lr));
  const run = () => session.run({ ...feeds, learning_rate: rate }, { state, updates: step.batch.updates });
  await run();
  const { rpn_cls, rpn_reg } = await run();
  const losses = new Errors();
  const after = record.losses[1];
  losses.add('rpn_cls', Math.abs(Number(rpn_cls.data[0]) / after.rpn_cls - 1));
  losses.add('rpn_reg', Math.abs(Number(rpn_reg.data[0]) / after.rpn_reg - 1));
  const [rpn, apart] = [new Errors(), new Errors()];
  for (const { name } of step.trained) {
    const { [name]: tensor } = await state.read([name]);
    const row = record.grad_names.indexOf(nameOf(name));
    const expected = recordedRow(golden, 'after2.value', row);
    const values = recordedPlaces(golden, row, name, tensor.data);
    if (name.startsWith('rpn.')) rpn.add(name, worstError(values, expected));
    apart.add(name, Math.max(...values.map((value, i) => Math.abs(value - expected[i]))));
  }
  await session.dispose();
  await state.dispose();
  return { losses, rpn, apart };
}
