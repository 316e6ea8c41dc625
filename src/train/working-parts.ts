// What a run works with, made from its setup: the loader of its pictures, its session, and what a step is fed.
import type { Batch } from '../data/batches/batch.js';
import { BatchLoader } from '../data/batches/batches.js';
import type { DataProblem } from '../data/dataset.js';
import type { Engine } from '../engine/engine.js';
import type { Tensors } from '../engine/protocol.js';
import { randomNumbers, resizeRule } from '../models/model.js';
import { batchFeeds, stepDraws } from './feeds.js';
import { isWithin, rateFactor } from './parameter-parts.js';
import { pipelineOf } from './pipeline.js';
import type { RunSetup } from './prepare.js';
import { type SessionSetup, TrainingSession } from './training-session.js';

type Setup = Pick<RunSetup, 'config' | 'recipe' | 'dataset' | 'checkpoint' | 'options' | 'parameters'>;

/** @param onProblem is told of each picture that cannot be decoded. */
export function loaderOf(
  { config, recipe, dataset, options }: Setup,
  onProblem: (problem: DataProblem) => void,
): BatchLoader {
  return new BatchLoader({
    dataset,
    batchSize: config.batch,
    resize: resizeRule(recipe),
    canvases: config.canvases,
    ...pipelineOf(recipe, config.augment),
    seed: config.seed,
    maxBoxes: config.maxBoxes,
    targets: recipe.targets,
    workers: options.workers,
    onProblem,
  });
}

/** A session on the engine with the run's first values, or those of its checkpoint. */
export function sessionOf(setup: Setup, engine: Engine): Promise<TrainingSession> {
  return TrainingSession.create(engine, sessionSetupOf(setup));
}

/** What a session of the run is made of. */
export function sessionSetupOf({
  config,
  recipe,
  checkpoint,
  parameters,
}: Pick<Setup, 'config' | 'recipe' | 'checkpoint' | 'parameters'>): SessionSetup {
  return {
    recipe,
    step: {
      optimizer: config.optimizer,
      clipNorm: config.clip || undefined,
      averageWeights: config.average > 0,
      accumulate: config.accumulate,
      frozen: (name) => config.freeze.some((prefix) => isWithin(name, prefix)),
      rateOf: (name) => rateFactor(config.rates, name),
    },
    batch: config.batch,
    maxBoxes: config.maxBoxes,
    canvases: config.canvases,
    parameters,
    state: checkpoint?.state,
    gathered: (checkpoint?.progress?.step ?? 0) % config.accumulate,
    fixedStatistics: (layer) => config.fixedStatistics.includes(layer),
  };
}

/** The batch, and the random numbers of this step where the model draws any. */
export function trainingFeeds({ config, recipe }: Setup, batch: Batch, step: number): Tensors {
  const draws = randomNumbers(recipe, config.maxBoxes);
  const feeds = batchFeeds(batch);
  return draws ? { ...feeds, random: stepDraws(config.seed, step, config.batch, draws) } : feeds;
}
