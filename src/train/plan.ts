import type { BatchChoice } from './batch-size.js';
import type { TrainConfig, TrainOptions } from './config.js';
import type { ModelChoice } from './input-size.js';
import type { Costs } from './time-budget.js';

/** A setting that was not given, what was chosen for it, and why. */
export interface Choice {
  /** Name in the run's config. */
  readonly setting: keyof TrainConfig;
  readonly value: string;
  readonly why: string;
}

/** What choices were made from. */
export interface Choices {
  readonly options: TrainOptions;
  readonly config: TrainConfig;
  readonly model: ModelChoice;
  /** Absent where a batch was given. */
  readonly batch?: BatchChoice;
  /** How long things take, where the epochs are those of a time. */
  readonly costs?: Costs;
  readonly pictures: number;
  readonly hasBatchNorm: boolean;
}

/** What was chosen for a run, in the order in which it matters. Settings that were given are not among it. */
export function planOf(choices: Choices): Choice[] {
  const { options, config, model, batch, costs } = choices;
  const plan: Choice[] = [];
  const chosen = (setting: keyof TrainConfig, value: string | number, why: string) =>
    plan.push({ setting, value: `${value}`, why });
  if (model.why !== undefined) chosen('model', config.model, model.why);
  if (batch) {
    chosen('batch', batch.batch, batch.why);
    if (options.accumulate === undefined && batch.accumulate > 1)
      chosen('accumulate', batch.accumulate, 'so that an update is of as many pictures');
  }
  if (options.epochs === undefined) chosen('epochs', config.epochs, whyEpochs(choices, costs));
  if (options.optimizer === undefined && options.learningRate === undefined)
    chosen('learningRate', config.learningRate, `${config.optimizer.kind}, ${whyRate(choices)}`);
  else if (options.learningRate === undefined)
    chosen('learningRate', config.learningRate, `of ${config.optimizer.kind}: ${whyRate(choices)}`);
  if (options.schedule === undefined && options.warmup === undefined)
    chosen('schedule', config.schedule, `after ${config.warmup} updates in which the rate rises`);
  if (options.freeze === undefined && config.freeze.length > 0)
    chosen('freeze', config.freeze.join(' '), 'edges and blobs are the same on all pictures');
  return plan;
}

function whyEpochs({ config, options, pictures }: Choices, costs: Costs | undefined): string {
  if (!costs) return `${config.epochs * pictures} pictures are seen in all`;
  const steps = config.epochs * costs.batchesPerEpoch * costs.step;
  const speed = `${short(costs.step)} s a step, ${short(costs.evaluation)} s an evaluation`;
  return `as many as fit into ${span(options.time ?? 0)}: ${span(steps)} of steps (${speed}), evaluations, and a tenth to spare`;
}

function whyRate({ options, config, hasBatchNorm }: Choices): string {
  if (config.optimizer.kind === 'sgd') return 'as published';
  if (!hasBatchNorm) return 'as the network has no batch norm';
  return options.weights === undefined ? 'from scratch' : 'from weights';
}

function span(seconds: number): string {
  return seconds < 120 ? `${short(seconds)} s` : `${short(seconds / 60)} minutes`;
}

function short(value: number): string {
  return `${Number(value.toPrecision(2))}`;
}
