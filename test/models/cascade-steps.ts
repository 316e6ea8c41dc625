// Training steps of a Cascade R-CNN on one batch of noise, with whatever ground truth.
import type { Engine, Session } from '../../src/engine/engine.js';
import type { Tensor } from '../../src/graph/tensor.js';
import type { Target } from '../../src/lowering/index.js';
import type { CanvasSize } from '../../src/models/canvas.js';
import type { CascadeRcnnRecipe } from '../../src/models/cascade-rcnn/recipe.js';
import { randomNumbers, type TrainingShapes, trainingLosses } from '../../src/models/model.js';
import { encodeTargets } from '../../src/models/targets.js';
import { initialValues, type ParameterSpec, Parameters } from '../../src/nn/parameters.js';
import { initialOptimizerState, type TrainingStep, trainingStep } from '../../src/nn/training-step.js';
import { uniforms } from '../boxes/random-boxes.js';
import { numbersOf } from '../graph/harness.js';
import { load } from './graph-session.js';

/** A picture's boxes, x1, y1, x2, y2 in pixels of the canvas; their classes count through from 1. */
export type Boxes = readonly (readonly [number, number, number, number])[];

/** The fixed shapes of a step's graph, and its form. */
export interface StepShapes extends TrainingShapes {
  readonly target: Target;
}

export interface StepsFromScratch {
  /** Of each picture of the batch. */
  readonly truth: readonly Boxes[];
  /** What of the canvas is picture; all of it by default. */
  readonly extent?: CanvasSize;
  readonly steps: number;
  readonly rate: number;
  /** Changes first weights by name. */
  readonly weights?: Readonly<Record<string, (tensor: Tensor<'float32'>) => void>>;
}

/** All scalars that the steps report, and whether all state is finite behind the last one. */
export interface StepResults {
  readonly steps: readonly Readonly<Record<string, number>>[];
  readonly finite: boolean;
}

/** A training step in a session, to be run from first weights on many batches. */
export class CascadeStep {
  readonly #engine: Engine;
  readonly #session: Session;
  readonly #recipe: CascadeRcnnRecipe;
  readonly #shapes: StepShapes;
  readonly #step: TrainingStep;
  readonly #parameters: readonly ParameterSpec[];

  private constructor(
    engine: Engine,
    session: Session,
    recipe: CascadeRcnnRecipe,
    shapes: StepShapes,
    step: TrainingStep,
    parameters: readonly ParameterSpec[],
  ) {
    this.#engine = engine;
    this.#session = session;
    this.#recipe = recipe;
    this.#shapes = shapes;
    this.#step = step;
    this.#parameters = parameters;
  }

  static async load(engine: Engine, recipe: CascadeRcnnRecipe, shapes: StepShapes): Promise<CascadeStep> {
    const p = new Parameters({ training: true });
    const losses = trainingLosses(p, recipe, shapes);
    const step = trainingStep(p, losses, { optimizer: recipe.optimizer, clipNorm: 10 });
    const session = await load(engine, { ...step.batch.outputs }, shapes.target);
    return new CascadeStep(engine, session, recipe, shapes, step, [...p.specs.values()]);
  }

  async run({ steps, rate, weights: changes = {}, ...batch }: StepsFromScratch): Promise<StepResults> {
    const weights = initialValues(this.#parameters, 1);
    for (const [name, change] of Object.entries(changes)) change(weights.get(name)!);
    const first = { ...Object.fromEntries(weights), ...initialOptimizerState(this.#step, weights) };
    const state = await this.#engine.createState(first);
    const feeds = { ...feedsOf(this.#recipe, this.#shapes, batch), learning_rate: float32([], [rate]) };
    const reports: Record<string, number>[] = [];
    for (let i = 0; i < steps; i++) {
      const results = await this.#session.run(feeds, { state, updates: this.#step.batch.updates });
      reports.push(Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, Number(data[0])])));
    }
    const after = await state.read();
    await state.dispose();
    return { steps: reports, finite: Object.values(after).every((tensor) => numbersOf(tensor).every(Number.isFinite)) };
  }

  dispose(): Promise<void> {
    return this.#session.dispose();
  }
}

function float32(shape: readonly number[], data: readonly number[]): Tensor<'float32'> {
  return { dtype: 'float32', shape, data: Float32Array.from(data) };
}

/** Noise with a bright patch for each box, and all that the losses want to know. */
function feedsOf(
  recipe: CascadeRcnnRecipe,
  { canvas, maxBoxes }: StepShapes,
  { truth, extent = canvas }: Pick<StepsFromScratch, 'truth' | 'extent'>,
): Record<string, Tensor> {
  const uniform = uniforms(2);
  const { height, width } = canvas;
  const batch = truth.length;
  const images = Uint8Array.from({ length: batch * height * width * 3 }, () => 60 * uniform());
  const pad = (values: readonly number[], length: number) => [...values, ...Array(length - values.length).fill(0)];
  const labels = truth.map((own) => own.map((_, i) => 1 + (i % recipe.classes)));
  truth.forEach((own, b) => {
    for (const [x1, y1, x2, y2] of own)
      for (let row = Math.floor(y1); row < Math.min(y2, height); row++) {
        const at = (column: number) => ((b * height + row) * width + Math.min(Math.floor(column), width)) * 3;
        images.fill(200, at(x1), at(x2));
      }
  });
  const encoded = truth.map((own, b) =>
    encodeTargets(recipe.targets, {
      canvas,
      extent,
      boxes: Float32Array.from(own.flat()),
      labels: Int32Array.from(labels[b]),
      random: uniform,
    }),
  );
  const draws = randomNumbers(recipe, maxBoxes);
  return {
    images: { dtype: 'uint8', shape: [batch, height, width, 3], data: images },
    frames: float32(
      [batch, 4],
      truth.flatMap(() => [extent.height, extent.width, 1, 1]),
    ),
    boxes: float32(
      [batch, maxBoxes, 4],
      truth.flatMap((own) => pad(own.flat(), 4 * maxBoxes)),
    ),
    labels: {
      dtype: 'int32',
      shape: [batch, maxBoxes],
      data: Int32Array.from(labels.flatMap((own) => pad(own, maxBoxes))),
    },
    random: float32([batch, draws], Array.from({ length: batch * draws }, uniform)),
    ...Object.fromEntries(Object.keys(encoded[0]).map((name) => [name, stacked(encoded.map((own) => own[name]))])),
  };
}

/** Tensors of one shape, one behind the other along a new first axis. */
function stacked(tensors: readonly Tensor[]): Tensor {
  const [{ dtype, shape, data }] = tensors;
  const all = new (data.constructor as Float32ArrayConstructor)(tensors.length * data.length);
  tensors.forEach((tensor, i) => {
    all.set(tensor.data as Float32Array, i * data.length);
  });
  return { dtype, shape: [tensors.length, ...shape], data: all } as Tensor;
}
