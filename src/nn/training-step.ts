import { BoxwrightError } from '../errors.js';
import { gradient } from '../graph/gradient.js';
import {
  add,
  div,
  input,
  maximum,
  minimum,
  mul,
  reduceSumSquare,
  scope,
  sqrt,
  sub,
  sumOf,
  type Tensor,
  type Value,
} from '../graph/index.js';
import { type OptimizerRecipe, optimizerState, optimizerUpdate } from './optimizers.js';
import { packed, packsOf, unpacked } from './packing.js';
import type { ParameterSpec, Parameters } from './parameters.js';

export interface StepRecipe {
  readonly optimizer: OptimizerRecipe;
  /** Gradients longer than this (L2 norm over all parameters) are scaled down to it. */
  readonly clipNorm?: number;
  /** Keeps a moving average of the weights: average = decay·average + (1 − decay)·weight, decay being fed. */
  readonly averageWeights?: boolean;
  /** Batches whose gradients are averaged before one update. */
  readonly accumulate?: number;
  /** Parameters that do not move. They cost no gradient and are no state. */
  readonly frozen?: (name: string) => boolean;
  /** Factor on a parameter's learning rate, 1 by default: layers that came trained may move more slowly. */
  readonly rateOf?: (name: string) => number;
}

export interface Losses {
  /** What is minimised: a scalar. */
  readonly total: Value;
  /** Parts to report, scalars. */
  readonly parts: Readonly<Record<string, Value>>;
}

/** A graph of the training step: outputs by name, and which of them are the next values of state. */
export interface StepGraph {
  readonly outputs: Readonly<Record<string, Value>>;
  /** Output name → state name. */
  readonly updates: Readonly<Record<string, string>>;
}

export interface TrainingStep {
  /** One batch: losses and, without accumulation, the update. */
  readonly batch: StepGraph;
  /** With accumulation: the update from the gathered gradients. */
  readonly apply?: StepGraph;
  /** State beyond the parameters, with its first value's shape (zeros; averages start as the weights). */
  readonly optimizerState: ReadonlyMap<string, readonly number[]>;
  readonly trained: readonly ParameterSpec[];
  readonly averaged: readonly string[];
}

/** Inputs of every step graph beside the batch and the state. */
export const rateInput = 'learning_rate';
export const averageInput = 'average_decay';

/** Name of the state that keeps something for a parameter, such as its momentum. */
export function stateName(kind: string, parameter: string): string {
  return `${kind}:${parameter}`;
}

/** Name of the output that is the next value of a state tensor. */
const nextOf = (state: string) => `next:${state}`;

/**
 * Writes the training step of a model: losses, gradients, clipping, optimizer, running statistics and averages in one
 * graph. `p` holds the parameters that the model asked for while it wrote `losses`.
 */
export function trainingStep(p: Parameters, losses: Losses, recipe: StepRecipe): TrainingStep {
  return new StepWriter(p, losses, recipe).write();
}

class StepWriter {
  readonly #outputs: Record<string, Value> = {};
  readonly #updates: Record<string, string> = {};
  readonly #state = new Map<string, readonly number[]>();
  readonly #trained: ParameterSpec[];
  readonly #p: Parameters;
  readonly #losses: Losses;
  readonly #recipe: StepRecipe;

  constructor(p: Parameters, losses: Losses, recipe: StepRecipe) {
    this.#p = p;
    this.#losses = losses;
    this.#recipe = recipe;
    const { frozen = () => false, rateOf = () => 1 } = recipe;
    this.#trained = [...p.specs.values()]
      .filter(({ name, trainable }) => trainable && !frozen(name))
      .map((spec) => ({ ...spec, rate: spec.rate * rateOf(spec.name) }));
    if (this.#trained.length === 0)
      throw new BoxwrightError('config', 'Every parameter is frozen: there is nothing to train.');
  }

  write(): TrainingStep {
    const { accumulate = 1 } = this.#recipe;
    const values = this.#trained.map(({ name }) => this.#p.values.get(name)!);
    const gradients = gradient(this.#losses.total, values);
    this.#outputs.loss = this.#losses.total;
    Object.assign(this.#outputs, this.#losses.parts);
    for (const [name, next] of this.#p.updates) this.#next(name, next);
    if (accumulate === 1) {
      this.#update(gradients);
      return this.#finish(undefined);
    }
    this.#accumulate(gradients, accumulate);
    const batch = this.#take();
    this.#update(this.#gathered());
    return this.#finish(batch);
  }

  #finish(batch: StepGraph | undefined): TrainingStep {
    const last = this.#take();
    return {
      batch: batch ?? last,
      apply: batch && last,
      optimizerState: this.#state,
      trained: this.#trained,
      averaged: this.#recipe.averageWeights ? [...this.#p.specs.keys()] : [],
    };
  }

  /** The graph written since the last call. */
  #take(): StepGraph {
    const graph = { outputs: { ...this.#outputs }, updates: { ...this.#updates } };
    for (const name of Object.keys(this.#outputs)) delete this.#outputs[name];
    for (const name of Object.keys(this.#updates)) delete this.#updates[name];
    return graph;
  }

  #next(state: string, value: Value): void {
    this.#outputs[nextOf(state)] = value;
    this.#updates[nextOf(state)] = state;
  }

  #stateInput(state: string, shape: readonly number[]): Value {
    this.#state.set(state, shape);
    return input(state, 'float32', shape, 'optimizer state');
  }

  #accumulate(gradients: readonly Value[], count: number): void {
    this.#trained.forEach(({ name, shape }, i) => {
      const state = stateName('gradient', name);
      this.#next(state, add(this.#stateInput(state, shape), mul(gradients[i], 1 / count)));
    });
  }

  /** The accumulated gradients as inputs of the update's graph, which sets them to zero again. */
  #gathered(): Value[] {
    return this.#trained.map(({ name, shape }) => {
      const state = stateName('gradient', name);
      const value = this.#stateInput(state, shape);
      this.#next(state, mul(value, 0));
      return value;
    });
  }

  #update(gradients: readonly Value[]): void {
    scope('optimizer', () => {
      const { optimizer, clipNorm, accumulate = 1 } = this.#recipe;
      const byName = new Map(this.#trained.map(({ name }, i) => [name, gradients[i]]));
      const packs = packsOf(this.#trained);
      const whole = packs.map((pack) => packed(pack.map(({ name }) => byName.get(name)!)));
      const norm = sqrt(sumOf(whole.map((value) => reduceSumSquare(value))));
      this.#outputs.gradient_norm = norm;
      const scale = clipNorm === undefined ? undefined : minimum(div(clipNorm, maximum(norm, 1e-12)), 1);
      const rate = input(rateInput, 'float32', [], 'learning rate of this step');
      const kinds = optimizerState(optimizer);
      const count = kinds.scalars.includes('step_count') ? add(this.#stateInput('step_count', []), 1) : undefined;
      if (count) this.#next('step_count', count);
      // With accumulation the statistics have moved with each batch; this graph finds them in the state.
      const moved = new Map<string, Value>(accumulate === 1 ? this.#p.updates : []);
      packs.forEach((pack, i) => {
        const state = kinds.perParameter.map((kind) =>
          packed(pack.map(({ name, shape }) => this.#stateInput(stateName(kind, name), shape))),
        );
        const value = scale ? mul(whole[i], scale) : whole[i];
        const parameter = packed(pack.map(({ name }) => this.#p.values.get(name)!));
        const update = optimizerUpdate(optimizer, pack[0], parameter, value, state, rate, count);
        unpacked(update.parameter, pack).forEach((next, k) => {
          this.#next(pack[k].name, next);
          moved.set(pack[k].name, next);
        });
        kinds.perParameter.forEach((kind, k) => {
          for (const [j, next] of unpacked(update.state[k], pack).entries())
            this.#next(stateName(kind, pack[j].name), next);
        });
      });
      if (this.#recipe.averageWeights) this.#average(moved);
    });
  }

  #average(moved: ReadonlyMap<string, Value>): void {
    const decay = input(averageInput, 'float32', [], 'weight of the past in the average of the weights');
    for (const pack of packsOf([...this.#p.specs.values()])) {
      const before = packed(pack.map(({ name, shape }) => this.#stateInput(stateName('average', name), shape)));
      const now = packed(pack.map(({ name }) => moved.get(name) ?? this.#p.values.get(name)!));
      const next = unpacked(add(mul(before, decay), mul(now, sub(1, decay))), pack);
      for (const [k, { name }] of pack.entries()) this.#next(stateName('average', name), next[k]);
    }
  }
}

/** First values of the optimizer's state: zeros, and for averages the parameters themselves. */
export function initialOptimizerState(
  step: TrainingStep,
  parameters: ReadonlyMap<string, Tensor>,
): Record<string, Tensor> {
  const state: Record<string, Tensor> = {};
  for (const [name, shape] of step.optimizerState) {
    const averaged = name.startsWith('average:') ? parameters.get(name.slice('average:'.length)) : undefined;
    const data = averaged
      ? (averaged.data.slice() as Float32Array)
      : new Float32Array(shape.reduce((product, dim) => product * dim, 1));
    state[name] = { dtype: 'float32', shape, data };
  }
  return state;
}
