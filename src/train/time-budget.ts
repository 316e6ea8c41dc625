import { Engine } from '../engine/engine.js';
import type { Tensors } from '../engine/protocol.js';
import { BoxwrightError } from '../errors.js';
import { resizeRule } from '../models/model.js';
import { evaluateEvery } from './config.js';
import { evaluateRun } from './evaluate-run.js';
import { returnedArrays } from './feeds.js';
import type { RunSetup } from './prepare.js';
import { loaderOf, sessionOf, trainingFeeds } from './working-parts.js';

/** How long things take here, in seconds. */
export interface Costs {
  readonly batchesPerEpoch: number;
  readonly step: number;
  readonly evaluation: number;
}

/** Part of the time that is kept back: checkpoints, loading, and other work of the machine. */
const spare = 0.1;
/** Steps that are timed, behind a first one that is not. */
const timedSteps = 4;

/**
 * The most epochs that fit into some seconds, evaluations included.
 *
 * @param every epochs between evaluations, 0 for one at the end; by default as a run has it.
 * @throws BoxwrightError `config` if not even one does.
 */
export function epochsWithin(seconds: number, costs: Costs, every?: number): number {
  const needed = (epochs: number) => {
    const evaluations = every === 0 ? 1 : Math.ceil(epochs / (every ?? evaluateEvery(epochs)));
    return (epochs * costs.batchesPerEpoch * costs.step + evaluations * costs.evaluation) * (1 + spare);
  };
  // From above, since evaluations become fewer where a run is longer: more epochs may take less time.
  for (let epochs = Math.floor(seconds / (costs.batchesPerEpoch * costs.step)); epochs > 0; epochs--)
    if (needed(epochs) <= seconds) return epochs;
  const problem = `One epoch and its evaluation take about ${Math.ceil(needed(1))} seconds here, more than ${seconds}`;
  throw new BoxwrightError('config', `${problem}: give more time, or choose a smaller model.`);
}

/** Runs a few steps and an evaluation of a few pictures, whose results are thrown away. */
export async function measureCosts(setup: RunSetup): Promise<Costs> {
  const { config, recipe, options, validation } = setup;
  await using loader = loaderOf(setup, () => {});
  await using engine = await Engine.start({ provider: config.provider, threads: config.threads });
  const session = await sessionOf(setup, engine);
  const times: number[] = [];
  for (let epoch = 0; times.length <= timedSteps; epoch++) {
    for await (const batch of loader.epoch(epoch)) {
      const back = (feeds: Tensors) => batch.release(returnedArrays(batch, feeds));
      const start = performance.now();
      await session.step(batch.canvas, trainingFeeds(setup, batch, times.length), 0, 0, back);
      times.push((performance.now() - start) / 1000);
      if (options.signal?.aborted || times.length > timedSteps) break;
    }
    if (options.signal?.aborted) throw new BoxwrightError('aborted', 'Stopped while the speed was measured.');
  }
  const some = { ...validation, images: validation.images.slice(0, 2 * config.batch) };
  const judging = { resize: resizeRule(recipe), batch: config.batch, workers: options.workers, onProblem() {} };
  await evaluateRun(session, some, judging); // loads the graph
  const start = performance.now();
  await evaluateRun(session, some, judging);
  const aPicture = (performance.now() - start) / 1000 / some.images.length;
  const timed = times.slice(1);
  return {
    batchesPerEpoch: loader.batchesPerEpoch,
    step: timed.reduce((sum, time) => sum + time, 0) / timed.length,
    evaluation: aPicture * validation.images.length,
  };
}
