import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { cast, not, type Value } from '../../src/graph/index.js';
import { mineNegatives } from '../../src/models/refinedet/loss.js';
import { crossEntropy } from '../../src/nn/losses.js';
import { readGolden } from '../golden.js';
import { needs } from '../shared.js';
import { fast, load } from './graph-session.js';
import { integers, paperFolder, pytorchWeights } from './pytorch-golden.js';
import { compareTraining, feedsOf, places, stepGraph } from './pytorch-training.js';

let engine: Engine;
before(async () => {
  engine = await Engine.start({ threads: 2 });
});
after(() => engine.dispose());

test("losses and gradients are the PyTorch port's", needs(paperFolder), (t) => compareTraining(engine, t, false));

test("positives and mined negatives are the PyTorch port's", needs(paperFolder), async () => {
  const golden = await readGolden('refinedet-paper/train-320.safetensors');
  const { p, network, armPositive, targets, loss } = stepGraph();
  const armLabels = cast(armPositive, 'int32');
  const mined = (conf: Value, labels: Value, positive: Value, minable: Value) =>
    mineNegatives(crossEntropy(conf, labels), positive, minable, loss.negatives);
  const outputs = {
    arm_pos: cast(armPositive, 'int32'),
    arm_neg: cast(mined(network.armConf, armLabels, armPositive, not(armPositive)), 'int32'),
    odm_pos: cast(targets.positive, 'int32'),
    odm_neg: cast(mined(network.odmConf, targets.labels, targets.positive, targets.minable), 'int32'),
    odm_classes: targets.labels,
  };
  const session = await load(engine, outputs, fast);
  const state = await engine.createState(pytorchWeights(p.specs.values()));
  const { images, boxes, labels, arm_labels } = feedsOf(golden);
  const results = await session.run({ images, boxes, labels, arm_labels }, { state });
  await session.dispose();
  await state.dispose();
  for (const choice of ['arm_pos', 'arm_neg', 'odm_pos', 'odm_neg']) {
    assert.deepEqual(places(results[choice]), integers(golden, choice), choice);
  }
  assert.deepEqual(Array.from(results.odm_classes.data as Int32Array), integers(golden, 'odm_target_class'));
});
