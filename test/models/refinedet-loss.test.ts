import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBoxes, toCentres } from '../../src/boxes/coder.js';
import { matchAnchors } from '../../src/boxes/matcher.js';
import { gradient, input, type Tensor } from '../../src/graph/index.js';
import { bothForms, defaultAnchors } from '../../src/models/refinedet/anchors.js';
import { refineDetLosses } from '../../src/models/refinedet/loss.js';
import type { MinedLoss, RefineDetRecipe } from '../../src/models/refinedet/recipe.js';
import { paperRefineDet, zooRefineDet } from '../../src/models/refinedet/recipes.js';
import { assignTargets, encodeTargets } from '../../src/models/refinedet/targets.js';
import { randomBoxes, uniforms } from '../boxes/random-boxes.js';
import { numbersOf, type Runner, runner } from '../graph/harness.js';
import { worstError } from './closeness.js';

const size = 128;
const batch = 2;
const classes = 3;
const maxBoxes = 5;
const paper = paperRefineDet('tiny', size, classes);
const zoo = zooRefineDet('vgg16', size, classes);
const { count } = defaultAnchors(paper.anchors);

interface Truth {
  readonly boxes: Float32Array;
  readonly labels: Int32Array;
}
const nothing: Truth = { boxes: new Float32Array(), labels: new Int32Array() };

/** The losses alone, as a function of the heads' outputs. */
function lossGraph(recipe: RefineDetRecipe): Promise<Runner> {
  const heads = {
    armLoc: input('arm_loc_out', 'float32', [batch, count, 4]),
    armConf: input('arm_conf_out', 'float32', [batch, count, 2]),
    odmLoc: input('odm_loc_out', 'float32', [batch, count, 4]),
    odmConf: input('odm_conf_out', 'float32', [batch, count, classes + 1]),
  };
  const taps = { sources: [heads.armLoc, heads.armLoc, heads.armLoc, heads.armLoc], tcb: [] } as const;
  const losses = refineDetLosses(recipe, { ...heads, taps }, batch, maxBoxes);
  const slopes = gradient(losses.total, Object.values(heads));
  const names = Object.keys(heads);
  return runner({
    total: losses.total,
    ...losses.parts,
    ...Object.fromEntries(names.map((name, i) => [`d ${name}`, slopes[i]])),
  });
}

function headOutputs(spread: number, seed = 4): Record<string, Tensor> {
  const uniform = uniforms(seed);
  const of = (values: number, scale: number): Tensor => ({
    dtype: 'float32',
    shape: [batch, count, values],
    data: Float32Array.from({ length: batch * count * values }, () => scale * (2 * uniform() - 1)),
  });
  return {
    arm_loc_out: of(4, Math.min(spread, 20)),
    arm_conf_out: of(2, 4 * spread),
    odm_loc_out: of(4, spread),
    odm_conf_out: of(classes + 1, 2 * spread),
  };
}

function truthFeeds(recipe: RefineDetRecipe, pictures: readonly Truth[]): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {
    boxes: { dtype: 'float32', shape: [batch, maxBoxes, 4], data: new Float32Array(batch * maxBoxes * 4) },
    labels: { dtype: 'int32', shape: [batch, maxBoxes], data: new Int32Array(batch * maxBoxes) },
  };
  // The zoo's targets have the name of the padded labels: its graph reads no ground truth.
  const encoded = pictures.map(({ boxes, labels }) => encodeTargets(recipe.targets, boxes, labels));
  if (recipe.family === 'paper') {
    pictures.forEach(({ boxes, labels }, i) => {
      (feeds.boxes.data as Float32Array).set(boxes, i * maxBoxes * 4);
      (feeds.labels.data as Int32Array).set(labels, i * maxBoxes);
    });
  }
  for (const [name, tensor] of Object.entries(encoded[0])) {
    const data =
      tensor.dtype === 'int32'
        ? new Int32Array(batch * tensor.data.length)
        : new Float32Array(batch * tensor.data.length);
    encoded.forEach((targets, i) => {
      data.set(targets[name].data as Float32Array, i * tensor.data.length);
    });
    feeds[name] = { dtype: tensor.dtype, shape: [batch, ...tensor.shape], data } as Tensor;
  }
  return feeds;
}

function truth(number: number, seed: number): Truth {
  const uniform = uniforms(seed);
  return {
    boxes: randomBoxes(number, uniform, 0.1, 0.7),
    labels: Int32Array.from({ length: number }, () => 1 + Math.floor(classes * uniform())),
  };
}

const cases: Record<string, readonly [Truth, Truth]> = {
  'no box in either picture': [nothing, nothing],
  'no box in one': [nothing, truth(2, 5)],
  'a box as large as the picture': [{ boxes: Float32Array.of(0, 0, 1, 1), labels: Int32Array.of(2) }, nothing],
  'boxes that reach outside, and tiny ones': [
    { boxes: Float32Array.of(-0.2, -0.1, 1.2, 1.1, 0.5, 0.5, 0.502, 0.501), labels: Int32Array.of(1, 3) },
    truth(1, 9),
  ],
  'as many boxes as there is room for': [truth(maxBoxes, 6), truth(maxBoxes, 7)],
};

for (const [family, recipe] of Object.entries({ paper, zoo })) {
  test(`losses and gradients of the ${family} family are finite whatever a batch holds`, async () => {
    const graph = await lossGraph(recipe);
    for (const [name, pictures] of Object.entries(cases)) {
      for (const spread of [0.01, 1, 30, 1000]) {
        const results = await graph.run({ ...headOutputs(spread), ...truthFeeds(recipe, pictures) });
        for (const [output, tensor] of Object.entries(results)) {
          assert.ok(numbersOf(tensor).every(Number.isFinite), `${name}, outputs within ${spread}: ${output}`);
        }
        const empty = pictures.every((picture) => picture === nothing);
        const boxLoss = numbersOf(results.arm_loc)[0] + numbersOf(results.odm_loc)[0];
        if (empty) assert.equal(boxLoss, 0, 'nothing to regress');
        else assert.ok(boxLoss > 0, name);
        if (empty && family === 'paper') assert.equal(numbersOf(results.total)[0], 0, 'no positives mine no negatives');
      }
    }
    await graph.session.release();
  });
}

/** Smooth L1 and cross-entropy as the paper has them, in float64 on the host, with Caffe's rules for the ODM. */
function hostLosses(outputs: Record<string, Tensor>, pictures: readonly Truth[]): number[] {
  const loss = paper.loss as MinedLoss;
  const anchors = defaultAnchors(paper.anchors);
  const sums = [0, 0, 0, 0];
  const positives = [0, 0];
  pictures.forEach(({ boxes, labels }, i) => {
    const of = (name: string, values: number) =>
      (outputs[name].data as Float32Array).subarray(i * count * values, (i + 1) * count * values);
    const objectness = softmaxRows(of('arm_conf_out', 2), 2).map((row) => row[1]);
    const corners = decodeBoxes(of('arm_loc_out', 4), anchors.centres, paper.coder);
    const refined = bothForms(toCentres(corners), corners);
    const odm = assignTargets(refined, boxes, labels, { ...paper.targets, label: 'class' });
    const { overlap } = matchAnchors(corners, boxes, loss.matcher, refined.areas);
    const arm = assignTargets(anchors, boxes, labels, paper.targets);
    const modules = [
      { targets: arm, head: 'arm', values: 2, minable: (n: number) => arm.labels[n] === 0 },
      {
        targets: odm,
        head: 'odm',
        values: classes + 1,
        minable: (n: number) => odm.labels[n] === 0 && objectness[n] >= 0.01 && overlap[n] < 0.5,
      },
    ];
    modules.forEach(({ targets, head, values, minable }, m) => {
      const loc = of(`${head}_loc_out`, 4);
      const entropy = softmaxRows(of(`${head}_conf_out`, values), values).map(
        (row, n) => -Math.log(row[targets.labels[n]]),
      );
      const mined = entropy.filter((_, n) => minable(n)).sort((a, b) => b - a);
      for (const value of mined.slice(0, 3 * targets.matched)) sums[2 * m + 1] += value;
      targets.labels.forEach((label, n) => {
        if (!label) return;
        positives[m]++;
        sums[2 * m + 1] += entropy[n];
        for (let k = 0; k < 4; k++) {
          const x = Math.abs(loc[n * 4 + k] - targets.deltas[n * 4 + k]);
          sums[2 * m] += x < 1 ? 0.5 * x * x : x - 0.5;
        }
      });
    });
  });
  return sums.map((sum, i) => sum / Math.max(positives[i >> 1], 1));
}

function softmaxRows(logits: Float32Array, values: number): number[][] {
  return Array.from({ length: logits.length / values }, (_, n) => {
    const row = Array.from(logits.subarray(n * values, (n + 1) * values), Math.exp);
    const sum = row.reduce((total, value) => total + value, 0);
    return row.map((value) => value / sum);
  });
}

test("the published loss is the sum over Caffe's choices", async () => {
  const graph = await lossGraph(paper);
  for (const seed of [1, 2, 3]) {
    const pictures = [truth(3, seed), truth(maxBoxes, seed + 10)] as const;
    const outputs = headOutputs(1, seed);
    const results = await graph.run({ ...outputs, ...truthFeeds(paper, pictures) });
    const own = ['arm_loc', 'arm_conf', 'odm_loc', 'odm_conf'].map((name) => numbersOf(results[name])[0]);
    const expected = hostLosses(outputs, pictures);
    assert.ok(worstError(own, expected) < 1e-5, `${own}, expected ${expected}`);
    const total = expected.reduce((sum, value) => sum + value, 0);
    assert.ok(Math.abs(numbersOf(results.total)[0] - total) < 1e-5 * total);
  }
  await graph.session.release();
});

test('the dead ARM labels of the zoo are an option', async () => {
  const alive = { ...zoo, loss: { ...zoo.loss, armOnlyFirstClass: false } } as RefineDetRecipe;
  const boxes = Float32Array.of(0.2, 0.2, 0.8, 0.8);
  const run = async (recipe: RefineDetRecipe, label: number) => {
    const graph = await lossGraph(recipe);
    const picture = { boxes, labels: Int32Array.of(label) };
    const results = await graph.run({ ...headOutputs(1), ...truthFeeds(recipe, [picture, nothing]) });
    await graph.session.release();
    return numbersOf(results.arm_conf)[0];
  };
  assert.equal(await run(zoo, 1), await run(alive, 1));
  assert.equal(await run(alive, 2), await run(alive, 1));
  assert.notEqual(await run(zoo, 2), await run(alive, 2));
});
