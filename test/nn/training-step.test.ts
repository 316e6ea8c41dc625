import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Engine } from '../../src/engine/engine.js';
import { gradient, type Tensor } from '../../src/graph/index.js';
import { topological } from '../../src/graph/value.js';
import { type OptimizerRecipe, optimizerState } from '../../src/nn/optimizers.js';
import { stateName, trainingStep } from '../../src/nn/training-step.js';
import { norm, worstError } from '../models/closeness.js';
import { reference, runOnce } from '../models/graph-session.js';
import { examples, scalar, smallModel, trainer, weightsOf } from './small-model.js';

let engine: Engine;
before(async () => {
  engine = await Engine.start({ threads: 1 });
});
after(() => engine.dispose());

const sgd: OptimizerRecipe = { kind: 'sgd', momentum: 0.9, weightDecay: 0.01 };
const adamw: OptimizerRecipe = { kind: 'adamw', beta1: 0.9, beta2: 0.99, epsilon: 1e-6, weightDecay: 0.05 };

const f32 = (tensor: Tensor) => tensor.data as Float32Array;

/** Gradients of one batch at given weights, by the graph's own differentiation. */
async function gradientsAt(weights: Record<string, Tensor>, feeds: Record<string, Tensor>, batch: number) {
  const { p, losses } = smallModel(batch);
  const names = [...p.specs.keys()];
  const values = gradient(
    losses.total,
    names.map((name) => p.values.get(name)!),
  );
  const state = await engine.createState(weights);
  const outputs = Object.fromEntries(names.map((name, i) => [`d ${name}`, values[i]]));
  const results = await runOnce(engine, outputs, feeds, reference, state);
  await state.dispose();
  return new Map(names.map((name) => [name, f32(results[`d ${name}`])]));
}

interface HostState {
  readonly weight: Float64Array;
  readonly moments: [Float64Array, Float64Array];
}

/** One update in float64, written from the definitions. */
function hostUpdate(
  { weight, moments: [first, second] }: HostState,
  slope: Float32Array,
  recipe: OptimizerRecipe,
  { decay, rate }: { decay: boolean; rate: number },
  learningRate: number,
  count: number,
): void {
  const step = learningRate * rate;
  const shrink = decay ? recipe.weightDecay : 0;
  for (let i = 0; i < weight.length; i++) {
    if (recipe.kind === 'sgd') {
      first[i] = recipe.momentum * first[i] + slope[i] + shrink * weight[i];
      weight[i] -= step * first[i];
    } else {
      first[i] = recipe.beta1 * first[i] + (1 - recipe.beta1) * slope[i];
      second[i] = recipe.beta2 * second[i] + (1 - recipe.beta2) * slope[i] ** 2;
      const mean = first[i] / (1 - recipe.beta1 ** count);
      const spread = Math.sqrt(second[i] / (1 - recipe.beta2 ** count));
      weight[i] -= step * shrink * weight[i] + (step * mean) / (spread + recipe.epsilon);
    }
  }
}

for (const optimizer of [sgd, adamw]) {
  test(`${optimizer.kind} is its definition over six steps, decay and rates of biases included`, async () => {
    const { p, state, batch, weights } = await trainer(engine, 4, { optimizer });
    const host = new Map<string, HostState>();
    for (const [name, tensor] of Object.entries(weights)) {
      const zeros = () => new Float64Array(tensor.data.length);
      host.set(name, { weight: Float64Array.from(f32(tensor)), moments: [zeros(), zeros()] });
    }
    for (let i = 1; i <= 6; i++) {
      const feeds = examples(i * 4, 4);
      const now = await state.read([...host.keys()]);
      const slopes = await gradientsAt(now, feeds, 4);
      const rate = 0.02 / i;
      for (const [name, own] of host) {
        hostUpdate(own, slopes.get(name)!, optimizer, p.specs.get(name)!, rate, i);
      }
      await batch({ ...feeds, learning_rate: scalar(rate) });
    }
    const last = await state.read();
    for (const [name, { weight, moments }] of host) {
      assert.ok(worstError(f32(last[name]), weight) < 2e-6, name);
      optimizerState(optimizer).perParameter.forEach((kind, k) => {
        assert.ok(worstError(f32(last[stateName(kind, name)]), moments[k]) < 1e-5, `${kind} of ${name}`);
      });
    }
    assert.ok(worstError(f32(last['first.weight']), f32(weights['first.weight'])) > 1e-2, 'it moved');
    if (optimizer.kind === 'adamw') assert.equal(last.step_count.data[0], 6);
  });
}

test('clipping scales all gradients together to the norm, and only longer ones', async () => {
  const plain: OptimizerRecipe = { kind: 'sgd', momentum: 0, weightDecay: 0 };
  const feeds = examples(0, 4);
  const slopes = await gradientsAt(weightsOf(smallModel(4).p), feeds, 4);
  const whole = norm([...slopes.values()].flatMap((data) => [...data]));
  for (const [clipNorm, factor] of [
    [whole / 3, 1 / 3],
    [whole * 3, 1],
  ]) {
    const { p, batch, state, weights } = await trainer(engine, 4, { optimizer: plain, clipNorm });
    const { gradient_norm } = await batch({ ...feeds, learning_rate: scalar(1) });
    assert.ok(Math.abs((gradient_norm.data[0] as number) - whole) < 1e-5 * whole, 'the norm before clipping');
    const moved = await state.read(Object.keys(weights));
    for (const [name, slope] of slopes) {
      const step = f32(weights[name]).map((value, i) => value - f32(moved[name])[i]);
      const own = factor * p.specs.get(name)!.rate;
      assert.ok(
        worstError(
          step,
          slope.map((value) => own * value),
        ) < 2e-5,
        `${name}, clipped at ${clipNorm}`,
      );
    }
  }
});

test('accumulated batches are one large batch', async () => {
  const large = await trainer(engine, 6, { optimizer: sgd, clipNorm: 0.5 });
  const small = await trainer(engine, 2, { optimizer: sgd, clipNorm: 0.5, accumulate: 3 });
  for (let step = 0; step < 3; step++) {
    await large.batch({ ...examples(step * 6, 6), learning_rate: scalar(0.05) });
    for (let part = 0; part < 3; part++) await small.batch(examples(step * 6 + part * 2, 2));
    await small.apply!({ learning_rate: scalar(0.05) });
  }
  const [one, other] = await Promise.all([large.state.read(), small.state.read()]);
  for (const name of Object.keys(one)) assert.ok(worstError(f32(other[name]), f32(one[name])) < 1e-5, name);
  const gathered = Object.keys(other).filter((name) => name.startsWith('gradient:'));
  assert.equal(gathered.length, 4);
  assert.ok(
    gathered.every((name) => f32(other[name]).every((value) => value === 0)),
    'gathered gradients start anew',
  );
});

test('averaged weights follow at the rate that is fed', async () => {
  const { state, batch, weights } = await trainer(engine, 4, { optimizer: sgd, averageWeights: true });
  const average = new Map(Object.entries(weights).map(([name, tensor]) => [name, Float64Array.from(f32(tensor))]));
  for (let i = 0; i < 4; i++) {
    const decay = 0.5 + 0.1 * i;
    await batch({ ...examples(i * 4, 4), learning_rate: scalar(0.05), average_decay: scalar(decay) });
    const now = await state.read([...average.keys()]);
    for (const [name, past] of average) {
      for (let k = 0; k < past.length; k++) past[k] = decay * past[k] + (1 - decay) * f32(now[name])[k];
    }
  }
  const last = await state.read();
  for (const [name, expected] of average) {
    assert.ok(worstError(f32(last[stateName('average', name)]), expected) < 1e-6, name);
    assert.ok(worstError(f32(last[name]), expected) > 1e-4, 'the average lags behind');
  }
});

test('frozen parameters are no state of the optimizer, cost no gradient and stay', async () => {
  const { step, state, batch, weights } = await trainer(engine, 4, {
    optimizer: sgd,
    frozen: (name) => name.startsWith('first.'),
  });
  assert.deepEqual([...step.optimizerState.keys()], ['momentum:second.weight', 'momentum:second.bias']);
  assert.deepEqual(
    Object.values(step.batch.updates).filter((name) => name.includes('first')),
    [],
  );
  await batch({ ...examples(0, 4), learning_rate: scalar(0.05) });
  const last = await state.read();
  assert.deepEqual(f32(last['first.weight']), f32(weights['first.weight']));
  assert.ok(worstError(f32(last['second.weight']), f32(weights['second.weight'])) > 1e-4);
  const scopes = new Set(topological(Object.values(step.batch.outputs)).map((node) => node.scope));
  assert.ok(scopes.has('gradient/second') && !scopes.has('gradient/first'), [...scopes].join());
});

test('freezing everything is refused', () => {
  const { p, losses } = smallModel(1);
  assert.throws(() => trainingStep(p, losses, { optimizer: sgd, frozen: () => true }), { code: 'config' });
});
