import type { Tensor } from '../src/graph/tensor.js';
import { input, type Value } from '../src/graph/value.js';
import { evaluationGraph, modelRecipe, trainingLosses } from '../src/models/model.js';
import { normalizePictures } from '../src/models/pictures.js';
import { refineDet } from '../src/models/refinedet/network.js';
import { initialValues, Parameters } from '../src/nn/parameters.js';
import { initialOptimizerState, type StepGraph, trainingStep } from '../src/nn/training-step.js';
import { inputsOf, noise, zeroTensor } from './session.js';

/** RefineDet's training step with SGD and its first state, and feeds that look like a batch. */
export interface StepBench {
  readonly graph: StepGraph;
  readonly state: Record<string, Tensor>;
  readonly feeds: Record<string, Tensor>;
}

const classes = 80;
const maxBoxes = 32;

export function refineDetStep(model: string, batch: number): StepBench {
  const p = new Parameters({ training: true });
  const losses = trainingLosses(p, modelRecipe(model, classes), {
    batch,
    maxBoxes,
    canvas: { height: 320, width: 320 },
  });
  const step = trainingStep(p, losses, { optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 }, clipNorm: 10 });
  const values = initialValues(p.specs.values(), 1);
  const state = { ...Object.fromEntries(values), ...initialOptimizerState(step, values) };
  const feeds: Record<string, Tensor> = {};
  for (const [name, value] of inputsOf(Object.values(step.batch.outputs))) {
    if (!(name in state)) feeds[name] = feedFor(name, value);
  }
  return { graph: step.batch, state, feeds };
}

/** Pictures of noise, one anchor in 97 matched, two boxes a picture. */
function feedFor(name: string, value: Value): Tensor {
  const tensor = zeroTensor(value);
  const { data, shape } = tensor;
  if (name === 'learning_rate') data[0] = 1e-4;
  else if (name === 'boxes') {
    for (let picture = 0; picture < shape[0]; picture++) {
      (data as Float32Array).set([0.1, 0.2, 0.5, 0.6, 0.4, 0.3, 0.9, 0.8], picture * shape[1] * 4);
    }
  } else if (name === 'labels') {
    for (let picture = 0; picture < shape[0]; picture++) (data as Int32Array).set([1, 7], picture * shape[1]);
  } else if (value.dtype === 'uint8') data.set(noise(data.length, 127).map((number) => number + 128) as never);
  else if (value.dtype === 'int32') for (let i = 0; i < data.length; i += 97) data[i] = 1;
  else data.set(noise(data.length, 0.5) as never);
  return tensor;
}

export interface InferenceBench {
  /** Logits and offsets, as the peer gives them. */
  readonly network: Readonly<Record<string, Value>>;
  /** Detections, non-maximum suppression included. */
  readonly detections: Readonly<Record<string, Value>>;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly feeds: Record<string, Tensor>;
  /** `feeds` that the network alone reads. */
  readonly pictures: Record<string, Tensor>;
}

/** Pictures of the network's size, weights as constants. Random weights leave suppression more boxes than trained ones. */
export function refineDetInference(model: `refinedet-${string}`, batch: number): InferenceBench {
  const recipe = modelRecipe(model, classes);
  const { p, outputs } = evaluationGraph(recipe, undefined, batch);
  const shape = [batch, recipe.size, recipe.size, 3];
  const heads = refineDet(p, recipe, normalizePictures(input('images', 'uint8', shape), recipe.normalisation));
  const { armLoc, armConf, odmLoc, odmConf } = heads;
  const pixels = Uint8Array.from(noise(batch * recipe.size ** 2 * 3, 127), (number) => number + 128);
  const images: Tensor = { dtype: 'uint8', shape, data: pixels };
  const sizes = new Float32Array(batch * 2).fill(recipe.size);
  return {
    network: { armLoc, armConf, odmLoc, odmConf },
    detections: { ...outputs },
    weights: initialValues(p.specs.values(), 1),
    feeds: { images, sizes: { dtype: 'float32', shape: [batch, 2], data: sizes } },
    pictures: { images },
  };
}
