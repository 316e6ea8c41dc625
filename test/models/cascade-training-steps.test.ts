import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { paperCascadeRcnn } from '../../src/models/cascade-rcnn/recipes.js';
import { uniforms } from '../boxes/random-boxes.js';
import { type Boxes, CascadeStep, type StepsFromScratch } from './cascade-steps.js';
import { fast, reference } from './graph-session.js';

let engine: Engine;
before(async () => {
  engine = await Engine.start({ threads: 2 });
});
after(() => engine.dispose());

const canvas = { height: 96, width: 128 };
const whole: Boxes = [[0, 0, 128, 96]];
const usual: Boxes = [
  [10, 12, 70, 60],
  [60, 40, 120, 90],
];

function crowd(count: number): Boxes {
  const uniform = uniforms(7);
  return Array.from({ length: count }, () => {
    const [x, y] = [100 * uniform(), 70 * uniform()];
    return [x, y, x + 3 + 25 * uniform(), y + 3 + 23 * uniform()] as const;
  });
}

/** Moves every proposal out of the picture, where nothing is left of it. */
function farAway({ data }: Tensor<'float32'>): void {
  for (let at = 0; at < data.length; at += 4) data[at] = 1e4;
}

type Case = Partial<StepsFromScratch>;
const cases: Readonly<Record<string, Case>> = {
  'boxes in both pictures': {},
  'a picture without boxes': { truth: [usual, []] },
  'no boxes at all': { truth: [[], []] },
  'one box that is the picture': { truth: [whole, whole] },
  '200 boxes': { truth: [crowd(200), usual] },
  'pictures that leave most of their canvas empty': {
    truth: [[[8, 8, 52, 30]], []],
    extent: { height: 48, width: 64 },
  },
  'pictures smaller than any anchor': { truth: [[[2, 2, 20, 14]], []], extent: { height: 16, width: 24 } },
  'no valid proposal': { weights: { 'rpn.reg.bias': farAway } },
  'no valid proposal and no boxes': { truth: [[], []], weights: { 'rpn.reg.bias': farAway } },
};

for (const target of [reference, fast]) {
  test(`training steps of cascade-rcnn-tiny, ${target.form} form`, async (t) => {
    const shapes = { batch: 2, maxBoxes: 200, canvas, target };
    const step = await CascadeStep.load(engine, paperCascadeRcnn('tiny', 3), shapes);
    for (const [name, given] of Object.entries(target === fast ? cases : {})) {
      await t.test(`losses and gradients are finite: ${name}`, () => staysFinite(step, given));
    }
    await t.test('a batch is learned by heart', (t) => learnsByHeart(step, t));
    await step.dispose();
  });
}

async function staysFinite(step: CascadeStep, given: Case): Promise<void> {
  const { steps, finite } = await step.run({ truth: [usual, usual], steps: 2, rate: 0.01, ...given });
  for (const report of steps) {
    const odd = Object.entries(report).filter(([, value]) => !Number.isFinite(value) || value < 0);
    assert.deepEqual(odd, []);
  }
  assert.ok(finite, 'weights and momenta');
  const [{ rpn_cls, rpn_reg, stage1_cls, stage1_reg }] = steps;
  const { truth = [usual], extent = canvas, weights } = given;
  const boxes = truth.flat().length > 0;
  const anchors = extent.height > 22;
  assert.deepEqual(
    [rpn_cls, rpn_reg, stage1_cls, stage1_reg].map((loss) => loss > 0),
    [anchors, anchors && boxes, boxes || !weights, boxes],
    'what can be learned is',
  );
}

async function learnsByHeart(step: CascadeStep, t: TestContext): Promise<void> {
  const { steps } = await step.run({ truth: [usual, [[30, 20, 90, 80]]], steps: 10, rate: 0.02 });
  const losses = steps.map(({ loss }) => loss);
  t.diagnostic(losses.map((loss) => loss.toFixed(3)).join(', '));
  assert.ok(losses.every(Number.isFinite), `${losses}`);
  assert.ok(losses[9] < 0.8 * losses[0], `${losses}`);
}
