import { add, div, exp, mul, sqrt, sub, type Value } from '../graph/index.js';
import type { ParameterSpec } from './parameters.js';

/** An optimizer as plain data. Weight decay applies to parameters whose spec has `decay`. */
export type OptimizerRecipe =
  | {
      readonly kind: 'sgd';
      readonly momentum: number;
      /** Added to the gradient (L2), as SGD in PyTorch, Caffe and MindSpore has it. */
      readonly weightDecay: number;
    }
  | {
      readonly kind: 'adamw';
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      /** Decoupled (Loshchilov & Hutter 2019, algorithm 2). */
      readonly weightDecay: number;
    };

/** What an optimizer keeps between steps, by name: zero at first, of the parameter's shape, or scalars. */
export interface OptimizerState {
  readonly perParameter: readonly string[];
  readonly scalars: readonly string[];
}

/** Which state an optimizer keeps: a tensor for every parameter of each kind, and scalars for all of them together. */
export function optimizerState(recipe: OptimizerRecipe): OptimizerState {
  return recipe.kind === 'sgd'
    ? { perParameter: ['momentum'], scalars: [] }
    : { perParameter: ['first_moment', 'second_moment'], scalars: ['step_count'] };
}

export interface Update {
  readonly parameter: Value;
  /** Next values of the parameter's state, in the order of `optimizerState`. */
  readonly state: readonly Value[];
}

/**
 * One parameter's update. `rate` is the learning rate (a scalar), `count` the number of this step from 1 (AdamW only).
 */
export function optimizerUpdate(
  recipe: OptimizerRecipe,
  spec: ParameterSpec,
  parameter: Value,
  gradient: Value,
  state: readonly Value[],
  rate: Value,
  count: Value | undefined,
): Update {
  const decay = spec.decay ? recipe.weightDecay : 0;
  const own = spec.rate === 1 ? rate : mul(rate, spec.rate);
  if (recipe.kind === 'sgd') {
    const whole = decay ? add(gradient, mul(parameter, decay)) : gradient;
    const velocity = add(mul(state[0], recipe.momentum), whole);
    return { parameter: sub(parameter, mul(velocity, own)), state: [velocity] };
  }
  const { beta1, beta2, epsilon } = recipe;
  const first = add(mul(state[0], beta1), mul(gradient, 1 - beta1));
  const second = add(mul(state[1], beta2), mul(mul(gradient, gradient), 1 - beta2));
  const unbiased = (moment: Value, beta: number) => div(moment, sub(1, powerOf(beta, count!)));
  const step = div(unbiased(first, beta1), add(sqrt(unbiased(second, beta2)), epsilon));
  const kept = decay ? sub(parameter, mul(parameter, mul(own, decay))) : parameter;
  return { parameter: sub(kept, mul(step, own)), state: [first, second] };
}

function powerOf(beta: number, count: Value): Value {
  return exp(mul(count, Math.log(beta)));
}
