// The PyTorch port's training on the recorded batch.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Engine, State } from '../../src/engine/engine.js';
import { cast, gradient, input, type Tensor, type Value } from '../../src/graph/index.js';
import { normalizePictures } from '../../src/models/pictures.js';
import { matchRefined, refineDetLosses } from '../../src/models/refinedet/loss.js';
import { refineDet } from '../../src/models/refinedet/network.js';
import type { MinedLoss } from '../../src/models/refinedet/recipe.js';
import { encodeTargets } from '../../src/models/refinedet/targets.js';
import { Parameters } from '../../src/nn/parameters.js';
import { initialOptimizerState, trainingStep } from '../../src/nn/training-step.js';
import type { Safetensors } from '../../src/weights/formats/safetensors.js';
import { refineDetPytorch } from '../../src/weights/loading/maps/refinedet-pytorch.js';
import { readGolden } from '../golden.js';
import { Errors, norm, worstError } from './closeness.js';
import { fast, load } from './graph-session.js';
import {
  boxesAndLabels,
  floats,
  integers,
  padded,
  paperFolder,
  pytorchRefineDet,
  pytorchWeights,
} from './pytorch-golden.js';
import { nameOf, readJson } from './zoo-golden.js';
import { relative } from './zoo-training.js';

const batch = 2;
const anchors = 6375;
const maxBoxes = 16;

type Losses = Record<'arm_l' | 'arm_c' | 'odm_l' | 'odm_c', number>;

export function feedsOf(golden: Safetensors): Record<string, Tensor> {
  const recipe = pytorchRefineDet();
  const truth = [0, 1].map((i) => boxesAndLabels(golden, `boxes_${i}`));
  const armLabels = new Int32Array(batch * anchors);
  const armDeltas = new Float32Array(batch * anchors * 4);
  truth.forEach(({ boxes, labels }, i) => {
    const targets = encodeTargets(recipe.targets, boxes, labels);
    armLabels.set(targets.arm_labels.data as Int32Array, i * anchors);
    armDeltas.set(targets.arm_deltas.data as Float32Array, i * anchors * 4);
  });
  return {
    images: golden.tensors.get('image_u8_rgb')!,
    ...padded(truth, maxBoxes),
    arm_labels: { dtype: 'int32', shape: [batch, anchors], data: armLabels },
    arm_deltas: { dtype: 'float32', shape: [batch, anchors, 4], data: armDeltas },
  };
}

/** [picture, anchor] of what a mask [batch, anchors] holds, flat. */
export function places(mask: Tensor): number[] {
  return Array.from(mask.data as Int32Array).flatMap((set, i) => (set ? [Math.floor(i / anchors), i % anchors] : []));
}

/** The step, and beside it what it chose and its gradients. */
export function stepGraph() {
  const recipe = pytorchRefineDet();
  const loss = recipe.loss as MinedLoss;
  const p = new Parameters({ training: true });
  const images = input('images', 'uint8', [batch, 320, 320, 3]);
  const network = refineDet(p, recipe, normalizePictures(images, recipe.normalisation));
  const losses = refineDetLosses(recipe, network, batch, maxBoxes);
  const step = trainingStep(p, losses, { optimizer: recipe.optimizer });

  const armPositive = cast(input('arm_labels', 'int32', [batch, anchors]), 'bool');
  const truth = {
    boxes: input('boxes', 'float32', [batch, maxBoxes, 4]),
    labels: input('labels', 'int32', [batch, maxBoxes]),
  };
  const targets = matchRefined(recipe, loss, network, truth);
  return { p, losses, step, network, armPositive, targets, loss };
}

/** The first step, and the two after it where `three` is set, against the record. */
export async function compareTraining(engine: Engine, t: TestContext, three: boolean): Promise<void> {
  const golden = await readGolden('refinedet-paper/train-320.safetensors');
  const record = await readJson<{ losses: Losses[] }>(`${paperFolder}/train-320.json`);
  const norms = await readJson<Record<string, number>>(`${paperFolder}/train-320-grad-norms.json`);
  const { p, losses, step } = stepGraph();
  const gradients = gradient(
    losses.total,
    step.trained.map(({ name }) => p.values.get(name)!),
  );
  const outputs: Record<string, Value> = { ...step.batch.outputs };
  step.trained.forEach(({ name }, i) => {
    outputs[`gradient ${name}`] = gradients[i];
  });
  const weights = pytorchWeights(p.specs.values());
  const state = await engine.createState({
    ...weights,
    ...initialOptimizerState(step, new Map(Object.entries(weights))),
  });
  const session = await load(engine, outputs, fast);
  const rate: Tensor = { dtype: 'float32', shape: [], data: Float32Array.of(1e-3) };
  const run = () => session.run({ ...feedsOf(golden), learning_rate: rate }, { state, updates: step.batch.updates });
  const off = (results: Record<string, Tensor>, at: number) =>
    Math.max(
      ...(['arm_l', 'arm_c', 'odm_l', 'odm_c'] as const).map((part, i) =>
        relative(results[['arm_loc', 'arm_conf', 'odm_loc', 'odm_conf'][i]].data[0] as number, record.losses[at][part]),
      ),
    );

  const first = await run();
  const normErrors = new Errors();
  const valueErrors = new Errors();
  for (const { name } of step.trained) {
    const source = nameOf(refineDetPytorch, { name });
    const data = first[`gradient ${name}`].data as Float32Array;
    if (norms[source] === 0)
      assert.ok(
        data.every((value) => value === 0),
        `${name} has no gradient`,
      );
    else normErrors.add(name, relative(norm(data), norms[source]));
    const top = floats(golden, `gradtop.${source}`);
    const index = integers(golden, `gradtop.${source}.index`);
    const largest = Math.max(...top.map(Math.abs), Number.MIN_VALUE);
    const at = index.map((i) => data[i]);
    valueErrors.add(name, worstError(at, top, largest));
    const count = floats(golden, `grad.${source}`).length;
    const spread = Array.from({ length: count }, (_, j) => data[count < 8 ? j : Math.floor((j * data.length) / 8)]);
    valueErrors.add(name, worstError(spread, floats(golden, `grad.${source}`), largest));
  }
  const lossErrors = [off(first, 0)];
  if (three) {
    lossErrors.push(off(await run(), 1), off(await run(), 2));
    await compareWeights(golden, state, t);
    lossErrors.push(off(await run(), 3));
  }
  await session.dispose();
  await state.dispose();

  t.diagnostic(`losses: ${lossErrors.map((error) => error.toExponential(2)).join(', ')}`);
  t.diagnostic(`gradient norms: ${normErrors}`);
  t.diagnostic(`gradient values: ${valueErrors}`);
  // What relative changes of 1e-6 of the weights do to the reference, doubled.
  const limits = [1.2e-6, 2e-4, 2e-2, 6e-2];
  assert.ok(
    lossErrors.every((error, i) => error < limits[i]),
    `losses are off by ${lossErrors}`,
  );
  normErrors.assertBelow(1e-3, 'gradient norms');
  valueErrors.assertBelow(4e-3, 'gradient values');
}

async function compareWeights(golden: Safetensors, state: State, t: TestContext): Promise<void> {
  const after3 = new Errors();
  for (const [name, { data }] of Object.entries(await state.read())) {
    if (name.startsWith('momentum:')) continue;
    const source = nameOf(refineDetPytorch, { name });
    const expected = floats(golden, `after3.${source}`);
    const now = Array.from(
      expected,
      (_, j) => data[expected.length < 8 ? j : Math.floor((j * data.length) / 8)] as number,
    );
    after3.add(name, Math.max(...now.map((value, j) => Math.abs(value - expected[j]))));
    // Its gradient stays zero: weight decay and momentum alone.
    if (name === 'arm.loc.0.weight') assert.ok(worstError(now, expected) < 2e-7, 'decay and momentum');
  }
  t.diagnostic(`weights after three steps, absolute: ${after3}`);
  after3.assertBelow(4e-4, 'weights after three steps');
}
