import type { Engine } from '../../src/engine/engine.js';
import type { Tensor } from '../../src/graph/tensor.js';
import type { Target } from '../../src/lowering/index.js';
import { type DetectorRecipe, evaluationGraph, trainingLosses } from '../../src/models/model.js';
import type { RefineDetRecipe } from '../../src/models/refinedet/recipe.js';
import { encodeTargets } from '../../src/models/refinedet/targets.js';
import { initialValues, Parameters } from '../../src/nn/parameters.js';
import { initialOptimizerState, trainingStep } from '../../src/nn/training-step.js';
import { uniforms } from '../boxes/random-boxes.js';
import { load } from './graph-session.js';

/** A model's weights before any training. */
export function firstWeights(recipe: DetectorRecipe): Record<string, Tensor> {
  return Object.fromEntries(initialValues(evaluationGraph(recipe).p.specs.values(), 1));
}

export interface Steps {
  readonly batch: number;
  readonly steps: number;
  readonly rate: number;
  readonly target: Target;
}

/** Trains a model from scratch on one batch of noise with bright squares; the losses before each step. */
export async function trainingSteps(
  engine: Engine,
  recipe: RefineDetRecipe,
  { batch, steps, rate, target }: Steps,
): Promise<number[]> {
  const p = new Parameters({ training: true });
  const canvas = { height: recipe.size, width: recipe.size };
  const written = trainingLosses(p, recipe, { batch, maxBoxes: 4, canvas });
  const step = trainingStep(p, written, { optimizer: recipe.optimizer, clipNorm: 10 });
  const weights = initialValues(p.specs.values(), 1);
  const state = await engine.createState({ ...Object.fromEntries(weights), ...initialOptimizerState(step, weights) });
  const session = await load(engine, { ...step.batch.outputs }, target);
  const given = Object.entries(squares(recipe, batch)).filter(([name]) => session.inputs.includes(name));
  const feeds = Object.fromEntries(given);
  const learningRate: Tensor = { dtype: 'float32', shape: [], data: Float32Array.of(rate) };
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    const { loss } = await session.run(
      { ...feeds, learning_rate: learningRate },
      { state, updates: step.batch.updates },
    );
    losses.push(loss.data[0] as number);
  }
  await session.dispose();
  await state.dispose();
  return losses;
}

/** One square a picture, of a class each. */
function squares(recipe: RefineDetRecipe, batch: number): Record<string, Tensor> {
  const { size } = recipe;
  const uniform = uniforms(2);
  const images = Uint8Array.from({ length: batch * size * size * 3 }, () => 60 * uniform());
  const boxes = new Float32Array(batch * 4 * 4);
  const labels = new Int32Array(batch * 4);
  const encoded = Array.from({ length: batch }, (_, b) => {
    const [x, y, side] = [0.1 + 0.1 * (b % 4), 0.2, 0.4];
    for (let row = Math.floor(y * size); row < (y + side) * size; row++) {
      for (let column = Math.floor(x * size); column < (x + side) * size; column++) {
        images.fill(200, ((b * size + row) * size + column) * 3, ((b * size + row) * size + column) * 3 + 2);
      }
    }
    const box = Float32Array.of(x, y, x + side, y + side);
    const label = 1 + (b % recipe.classes);
    boxes.set(box, b * 16);
    labels[b * 4] = label;
    return encodeTargets(recipe.targets, box, Int32Array.of(label));
  });
  const feeds: Record<string, Tensor> = {
    images: { dtype: 'uint8', shape: [batch, size, size, 3], data: images },
    boxes: { dtype: 'float32', shape: [batch, 4, 4], data: boxes },
    labels: { dtype: 'int32', shape: [batch, 4], data: labels },
  };
  for (const [name, { dtype, shape, data }] of Object.entries(encoded[0])) {
    const whole = new (data.constructor as Float32ArrayConstructor)(batch * data.length);
    encoded.forEach((targets, b) => {
      whole.set(targets[name].data as Float32Array, b * data.length);
    });
    feeds[name] = { dtype, shape: [batch, ...shape], data: whole } as Tensor;
  }
  return feeds;
}
