// Graphs, weights and feeds of Cascade R-CNN as users of pretrained weights run it.
import { elementCount, type Tensor } from '../src/graph/tensor.js';
import { input, type Value } from '../src/graph/value.js';
import type { CanvasSize } from '../src/models/canvas.js';
import { runCascade } from '../src/models/cascade-rcnn/cascade.js';
import { limitsOf, preprocess } from '../src/models/cascade-rcnn/detector.js';
import { pyramidAndRpn } from '../src/models/cascade-rcnn/network.js';
import { proposals } from '../src/models/cascade-rcnn/proposals.js';
import type { CascadeRcnnRecipe } from '../src/models/cascade-rcnn/recipe.js';
import { encodeRpnTargets } from '../src/models/cascade-rcnn/targets.js';
import { type DetectionGraph, evaluationGraph, modelRecipe, trainingLosses } from '../src/models/model.js';
import { initialValues, Parameters } from '../src/nn/parameters.js';
import { initialOptimizerState, type TrainingStep, trainingStep } from '../src/nn/training-step.js';
import { inputsOf, noise, noiseTensor, zeroTensor } from './session.js';

export interface CascadeBench {
  readonly model: `cascade-rcnn-${string}`;
  readonly canvas: CanvasSize;
  readonly batch: number;
  /** Sampling points of RoIAlign a bin and axis; 0 is adaptive. */
  readonly sampling: number;
}

const classes = 80;
const maxBoxes = 100;
const boxesInPicture = 8;

/** What comes with pretrained weights and stays as it is. */
const isFrozen = (name: string) => /^backbone\.(conv1|bn1|layer1)\b/.test(name);

export function cascadeRecipe({ model, sampling }: CascadeBench): CascadeRcnnRecipe {
  const recipe = modelRecipe(model, classes);
  return { ...recipe, roiAlign: { ...recipe.roiAlign, sampling } };
}

/** A training step's graph: stem and first stage frozen, batch norm with its pretrained statistics. */
export interface CascadeStep {
  readonly p: Parameters;
  readonly loss: Value;
  readonly step: TrainingStep;
}

export function cascadeStep(bench: CascadeBench): CascadeStep {
  const { batch, canvas } = bench;
  const recipe = cascadeRecipe(bench);
  const p = new Parameters({ training: true, fixedStatistics: () => true });
  const losses = trainingLosses(p, recipe, { batch, maxBoxes, canvas });
  return { p, loss: losses.total, step: trainingStep(p, losses, { optimizer: recipe.optimizer, frozen: isFrozen }) };
}

/** What a step runs on. */
export interface StepValues {
  readonly state: Record<string, Tensor>;
  /** Parameters that the graph carries as constants. */
  readonly frozen: ReadonlyMap<string, Tensor>;
  readonly feeds: Record<string, Tensor>;
}

export function stepValues(bench: CascadeBench, { p, step }: CascadeStep): StepValues {
  const values = arbitraryValues(p);
  const trained = new Set(step.trained.map(({ name }) => name));
  const frozen = new Map([...values].filter(([name]) => !trained.has(name)));
  const moving = Object.fromEntries([...values].filter(([name]) => trained.has(name)));
  const state = { ...moving, ...initialOptimizerState(step, values) };
  const feeds: Record<string, Tensor> = {};
  for (const [name, value] of inputsOf(Object.values(step.batch.outputs)))
    if (!(name in state) && !frozen.has(name)) feeds[name] = zeroTensor(value);
  fillFeeds(feeds, cascadeRecipe(bench), bench);
  return { state, frozen, feeds };
}

/** Layers whose outputs move boxes. */
const isRegression = (name: string) => /\breg\.weight$/.test(name);

/**
 * Weights of an untrained network. The large tensors are not drawn as they should be, which takes long. Boxes stay where
 * they are, so that RoIs are anchors: on what a network of noise says, most would be thin and as high as the picture.
 */
function arbitraryValues(p: Parameters): Map<string, Tensor> {
  const values = new Map<string, Tensor>();
  for (const spec of p.specs.values()) {
    if (isRegression(spec.name)) {
      values.set(spec.name, { dtype: 'float32', shape: spec.shape, data: new Float32Array(elementCount(spec.shape)) });
      continue;
    }
    const inputs = elementCount(spec.shape.slice(1));
    const large = elementCount(spec.shape) > 2 ** 16 && !spec.name.startsWith('rpn.');
    const value = large ? noiseTensor(spec.shape, Math.sqrt(6 / inputs)) : initialValues([spec], 1).get(spec.name)!;
    values.set(spec.name, value);
  }
  return values;
}

/** Pictures of noise that fill the canvas, a few boxes of 20 to 270 pixels in each. */
function fillFeeds(feeds: Record<string, Tensor>, recipe: CascadeRcnnRecipe, { batch, canvas }: CascadeBench): void {
  const numbers = noise(feeds.random.data.length).map((number) => (number + 1) / 2);
  let drawn = 0;
  const random = () => numbers[drawn++ % numbers.length];
  feeds.learning_rate.data[0] = 1e-4;
  (feeds.random.data as Float32Array).set(numbers);
  Object.assign(feeds, pictureFeeds(batch, canvas));
  for (let picture = 0; picture < batch; picture++) {
    const boxes = Float32Array.from(Array.from({ length: boxesInPicture }, () => arbitraryBox(canvas, random)).flat());
    (feeds.boxes.data as Float32Array).set(boxes, 4 * picture * maxBoxes);
    for (let i = 0; i < boxesInPicture; i++) feeds.labels.data[picture * maxBoxes + i] = 1 + i;
    for (const [name, { data }] of Object.entries(encodeRpnTargets(recipe.targets, canvas, canvas, boxes, random)))
      feeds[name].data.set(data as never, picture * data.length);
  }
}

function arbitraryBox({ width, height }: CanvasSize, random: () => number): number[] {
  const [w, h] = [20 + 250 * random(), 20 + 250 * random()];
  const [x, y] = [random() * (width - w), random() * (height - h)];
  return [x, y, x + w, y + h];
}

function pictureFeeds(batch: number, { width, height }: CanvasSize): Record<string, Tensor> {
  const pixels = noise(batch * height * width * 3, 127).map((number) => number + 128);
  const frames = Array.from({ length: batch }, () => [height, width, 1, 1]).flat();
  return {
    images: { dtype: 'uint8', shape: [batch, height, width, 3], data: Uint8Array.from(pixels) },
    frames: { dtype: 'float32', shape: [batch, 4], data: Float32Array.from(frames) },
  };
}

/** Detection as an evaluation runs it: weights as constants, any size of picture. */
export function cascadeInference(bench: CascadeBench): DetectionGraph {
  return evaluationGraph(cascadeRecipe(bench));
}

export function inferenceValues(
  { batch, canvas }: CascadeBench,
  { p }: DetectionGraph,
): { weights: ReadonlyMap<string, Tensor>; feeds: Record<string, Tensor> } {
  return { weights: arbitraryValues(p), feeds: pictureFeeds(batch, canvas) };
}

/** The forward pass at a fixed size, up to what the stages say: where every product has a known shape. */
export function cascadeForward(bench: CascadeBench): Value[] {
  const { batch, canvas } = bench;
  const recipe = cascadeRecipe(bench);
  const p = new Parameters({ training: false });
  const canvases = {
    images: input('images', 'uint8', [batch, canvas.height, canvas.width, 3]),
    frames: input('frames', 'float32', [batch, 4]),
  };
  const limits = limitsOf(canvases);
  const pyramid = pyramidAndRpn(p, recipe, preprocess(recipe, canvases));
  const { boxes } = proposals(recipe, pyramid, limits, recipe.rpn.inference);
  return runCascade(p, recipe, pyramid.maps, boxes, limits).results.flatMap(({ cls, reg }) => [cls, reg]);
}
