import type { Engine } from '../../src/engine/engine.js';
import { div, input, relu, sub, type Tensor, type Value } from '../../src/graph/index.js';
import { conv } from '../../src/nn/layers.js';
import { smoothL1, sumAll } from '../../src/nn/losses.js';
import { Parameters } from '../../src/nn/parameters.js';
import {
  initialOptimizerState,
  type Losses,
  type StepGraph,
  type StepRecipe,
  trainingStep,
} from '../../src/nn/training-step.js';
import { pseudo } from '../graph/harness.js';
import { fill, load, reference } from '../models/graph-session.js';

/** Two convolutions and a mean over the batch, without batch norm. `scale` multiplies the loss. */
export function smallModel(batch: number, scale = 1): { p: Parameters; losses: Losses } {
  const p = new Parameters({ training: true });
  const x = input('x', 'float32', [batch, 3, 4, 4]);
  const hidden = relu(conv(p, 'first', x, { out: 5, kernel: 3, padding: 1, biasRule: { decay: false, rate: 2 } }));
  const y = conv(p, 'second', hidden, { out: 2, kernel: 1 });
  const total = div(sumAll(smoothL1(sub(y, input('target', 'float32', [batch, 2, 4, 4])))), batch / scale);
  return { p, losses: { total, parts: {} } };
}

export function weightsOf(p: Parameters): Record<string, Tensor> {
  return fill(p.specs.values(), ({ name, shape }) =>
    pseudo(
      shape.reduce((product, dim) => product * dim, 1),
      name.length,
    ).map((value) => 0.4 * value),
  );
}

/** Examples `from` … `from` + `count` of an endless set. */
export function examples(from: number, count: number): Record<string, Tensor> {
  const of = (values: number, seed: number) => {
    const data = new Float32Array(count * values);
    for (let i = 0; i < count; i++) data.set(pseudo(values, seed + from + i), i * values);
    return data;
  };
  return {
    x: { dtype: 'float32', shape: [count, 3, 4, 4], data: of(48, 100) },
    target: { dtype: 'float32', shape: [count, 2, 4, 4], data: of(32, 900).map((value) => 3 * value) },
  };
}

/** A training step with its state in an engine. */
export async function trainer(engine: Engine, batch: number, recipe: StepRecipe, scale = 1) {
  const { p, losses } = smallModel(batch, scale);
  const step = trainingStep(p, losses, recipe);
  const weights = weightsOf(p);
  const state = await engine.createState({
    ...weights,
    ...initialOptimizerState(step, new Map(Object.entries(weights))),
  });
  const runs = async ({ outputs, updates }: StepGraph) => {
    const session = await load(engine, outputs as Record<string, Value>, reference);
    return (feeds: Record<string, Tensor>) => {
      const used = Object.entries(feeds).filter(([name]) => session.inputs.includes(name));
      return session.run(Object.fromEntries(used), { state, updates });
    };
  };
  return { p, step, weights, state, batch: await runs(step.batch), apply: step.apply && (await runs(step.apply)) };
}

export function scalar(value: number): Tensor {
  return { dtype: 'float32', shape: [], data: Float32Array.of(value) };
}
