import { existsSync } from 'node:fs';
import type { Batch } from '../data/batches/batch.js';
import type { BatchLoader } from '../data/batches/batches.js';
import { type DataProblem, describeProblem } from '../data/dataset.js';
import { Engine } from '../engine/engine.js';
import type { Tensors } from '../engine/protocol.js';
import { BoxwrightError } from '../errors.js';
import { optimalLrp, suggestedThresholds, summarise } from '../evaluate/index.js';
import type { Tensor } from '../graph/index.js';
import { resizeRule } from '../models/model.js';
import { learningRate, type Schedule } from '../nn/schedules.js';
import { currentEnvironment, peakMemory } from '../report/run/environment.js';
import { evaluationDetails } from '../report/run/evaluation-details.js';
import { partFigures } from '../report/run/part-figures.js';
import { RunReporter } from '../report/run/run-reporter.js';
import { type Checkpoint, type Progress, weightsToUse } from '../weights/checkpoint.js';
import { adviceFor } from './advice.js';
import type { TrainConfig, TrainOptions } from './config.js';
import { evaluateRun } from './evaluate-run.js';
import type { TrainEvent } from './events.js';
import { returnedArrays } from './feeds.js';
import { firstNotFinite } from './finite.js';
import { Pace } from './pace.js';
import { openRun, prepare, type RunSetup, setupOf } from './prepare.js';
import { RunFolder } from './run-folder.js';
import { epochsWithin, measureCosts } from './time-budget.js';
import type { TrainingSession } from './training-session.js';
import { loaderOf, sessionOf, trainingFeeds } from './working-parts.js';

/**
 * Trains a detector and writes a run folder. Yields an event for everything that happens; ends with an `end` event, or
 * throws. Stopped by its signal it finishes the step under way, saves, and ends with reason `stopped`; an evaluation under
 * way is left, and made up for when the run goes on. Stopped before the run begins it throws, and nothing is written.
 *
 * @example
 * for await (const event of train({ model: 'refinedet-resnet18-320', data: 'cells/', epochs: 40 })) {
 *   if (event.kind === 'evaluation') console.log(event.metrics.AP50);
 * }
 *
 * @throws BoxwrightError `diverged` if a loss or a weight is no longer finite (the last checkpoint stays); `aborted` when
 *   the signal stops it before there is a run; and for settings, data, weights and folders that do not fit.
 */
export async function* train(options: TrainOptions): AsyncGenerator<TrainEvent, void, undefined> {
  const run = new Run(await planned(options));
  await using _ = { [Symbol.asyncDispose]: () => run.dispose() };
  yield* run.events();
}

/** The setup of a run, with as many epochs as fit where a time is given. */
async function planned(options: TrainOptions): Promise<RunSetup> {
  if (options.time === undefined || options.resume) return prepare(options);
  if (options.epochs !== undefined)
    throw new BoxwrightError('config', 'Give the epochs or the time that a run may take, not both.');
  if (options.milestones !== undefined)
    throw new BoxwrightError('config', 'Milestones are epochs of a run: give its epochs with them, not a time.');
  if (!(options.time > 0))
    throw new BoxwrightError('config', `The time must be more than 0 seconds, not ${options.time}.`);
  const opened = await openRun(options);
  const costs = await measureCosts(setupOf(opened));
  return setupOf(opened, { epochs: epochsWithin(options.time, costs, options.evaluateEvery), costs });
}

class Run {
  readonly #setup: RunSetup;
  readonly #config: TrainConfig;
  readonly #pace = new Pace();
  /** Problems told once each, though every evaluation meets its own again. */
  readonly #told = new Set<string>();
  readonly #warnings: string[] = [];
  #folder!: RunFolder;
  #engine: Engine | undefined;
  #loader: BatchLoader | undefined;
  #session!: TrainingSession;
  #reporter!: RunReporter;
  #progress: Progress;
  #best: Readonly<Record<string, number>> | undefined;

  constructor(setup: RunSetup) {
    this.#setup = setup;
    this.#config = setup.config;
    this.#progress = setup.checkpoint?.progress ?? { epoch: 0, batch: 0, step: 0 };
    this.#best = setup.checkpoint?.metrics;
  }

  async *events(): AsyncGenerator<TrainEvent, void, undefined> {
    try {
      for await (const event of this.#all()) yield* this.#tell(event);
    } catch (error) {
      await this.#reporter?.failed(error);
      throw error;
    }
  }

  async *#tell(event: TrainEvent): AsyncGenerator<TrainEvent, void, undefined> {
    this.#folder.append(event);
    await this.#reporter.note(event);
    yield event;
    const message = this.#reporter.takeProblem();
    if (message) yield* this.#tell({ kind: 'warning', message });
  }

  async dispose(): Promise<void> {
    await this.#loader?.dispose();
    await this.#engine?.dispose();
  }

  async *#all(): AsyncGenerator<TrainEvent, void, undefined> {
    yield await this.#start();
    const { dataset, validation, plan, warnings } = this.#setup;
    if (plan.length > 0) yield { kind: 'plan', choices: plan };
    for (const message of warnings) yield { kind: 'warning', message };
    for (const problem of [...dataset.problems, ...validation.problems])
      yield { kind: 'warning', message: describeProblem(problem) };
    const began = performance.now();
    const stopped = yield* this.#epochs();
    const { total, waited } = this.#pace.elapsed;
    yield {
      kind: 'end',
      reason: stopped ? 'stopped' : 'completed',
      run: this.#setup.path,
      step: this.#progress.step,
      seconds: (performance.now() - began) / 1000,
      waiting: waited / Math.max(total, 1),
      broken: this.#loader?.problems.length ?? 0,
      best: this.#best,
    };
  }

  async #start(): Promise<TrainEvent> {
    const { config, dataset, validation, folder, path, parameters } = this.#setup;
    this.#requireGoing();
    this.#loader = loaderOf(this.#setup, (problem) => this.#note(problem));
    this.#engine = await Engine.start({ provider: config.provider, threads: config.threads });
    this.#requireGoing();
    this.#session = await sessionOf(this.#setup, this.#engine);
    this.#requireGoing();
    this.#folder = folder ?? RunFolder.create(path);
    if (folder) await folder.rewindEvents(this.#progress);
    else await this.#folder.writeConfig(config);
    const { step, evaluationDue = false } = this.#progress;
    this.#reporter = await RunReporter.start(path, {
      config,
      data: {
        classes: config.classes,
        parts: [partFigures(config.trainPart, dataset), partFigures(config.valPart, validation)],
      },
      environment: currentEnvironment(config.provider, config.threads),
      resumedAt: folder && { step, evaluationDue },
    });
    return {
      kind: 'start',
      run: path,
      config,
      parameters: count(parameters.values()),
      trained: this.#session.trained,
      pictures: { train: dataset.images.length, val: validation.images.length },
      batchesPerEpoch: this.#loader.batchesPerEpoch,
      resumedAt: this.#progress.step,
      dataNote: dataset.note,
      advice: folder ? [] : adviceFor(this.#setup.recipe, config.model, dataset),
      weightsNote: this.#setup.weights,
    };
  }

  /** Loading a large network takes long, and cannot be broken off itself. */
  #requireGoing(): void {
    if (this.#setup.options.signal?.aborted) throw new BoxwrightError('aborted', 'Stopped before the run began.');
  }

  /** @returns whether the signal stopped it. */
  async *#epochs(): AsyncGenerator<TrainEvent, boolean, undefined> {
    const { epochs, evaluateEvery } = this.#config;
    const { signal } = this.#setup.options;
    for (;;) {
      if (this.#progress.evaluationDue) {
        yield* this.#evaluate();
        if (this.#progress.evaluationDue) return true; // stopped on the way
        yield await this.#save();
      }
      const { epoch } = this.#progress;
      if (signal?.aborted || epoch >= epochs) return epoch < epochs;
      for await (const batch of this.#loader!.epoch(epoch, this.#progress.batch)) {
        yield await this.#step(batch);
        yield* this.#untold();
        if (signal?.aborted) {
          yield await this.#save();
          return true;
        }
      }
      const evaluationDue = epoch + 1 === epochs || (evaluateEvery > 0 && (epoch + 1) % evaluateEvery === 0);
      // Saved before it is judged, so that nothing is lost with an evaluation that is stopped.
      this.#progress = { ...this.#progress, epoch: epoch + 1, batch: 0, evaluationDue };
      yield await this.#save();
    }
  }

  #note(problem: DataProblem): void {
    const message = describeProblem(problem);
    if (!this.#told.has(message)) this.#warnings.push(message);
    this.#told.add(message);
  }

  *#untold(): Generator<TrainEvent, void, undefined> {
    for (const message of this.#warnings.splice(0)) yield { kind: 'warning', message };
  }

  async #step(batch: Batch): Promise<TrainEvent> {
    const { batch: size, average, accumulate } = this.#config;
    const { step } = this.#progress;
    const update = Math.floor(step / accumulate);
    const rate = learningRate(this.#schedule(), update);
    // A long memory would hold the first, useless weights: it grows with the updates.
    const decay = Math.min(average, (1 + update) / (10 + update));
    const back = (feeds: Tensors) => batch.release(returnedArrays(batch, feeds));
    const { canvas } = batch;
    const feeds = trainingFeeds(this.#setup, batch, step);
    const { loss, losses, gradientNorm } = await this.#session.step(canvas, feeds, rate, decay, back);
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
      const figures = `the loss is ${loss} and the gradient's length ${gradientNorm}`;
      throw this.#diverged(`In step ${step + 1} ${figures}. Its pictures: ${batch.files.join(', ')}.`);
    }
    this.#progress = { ...this.#progress, batch: batch.index + 1, step: step + 1 };
    this.#pace.step(batch.waitedMs);
    const { stepMs, waiting } = this.#pace.recent;
    const steps = this.#config.epochs * this.#loader!.batchesPerEpoch;
    return {
      kind: 'step',
      epoch: batch.epoch + 1,
      step: step + 1,
      steps,
      loss,
      losses,
      gradientNorm,
      learningRate: rate,
      picturesPerSecond: stepMs ? (1000 * size) / stepMs : 0,
      waiting,
      secondsLeft: ((steps - step - 1) * stepMs) / 1000,
    };
  }

  #schedule(): Schedule {
    const { learningRate: base, warmup, schedule, milestones, epochs, accumulate } = this.#config;
    const after = (epoch: number) => Math.floor((epoch * this.#loader!.batchesPerEpoch) / accumulate);
    const total = after(epochs);
    // The paper's proportions: a tenth at two thirds, a hundredth at five sixths.
    const falls = milestones?.map(after) ?? [Math.floor((total * 2) / 3), Math.floor((total * 5) / 6)];
    const decay = {
      constant: { kind: 'constant' },
      cosine: { kind: 'cosine', total, end: 0.01 },
      step: { kind: 'step', milestones: falls, factor: 0.1 },
    } as const;
    return { base, warmup: warmup ? { steps: warmup, start: 0.01 } : undefined, decay: decay[schedule] };
  }

  #diverged(what: string): BoxwrightError {
    const kept = existsSync(this.#folder.last)
      ? `The checkpoint before it stays: ${this.#folder.last}.`
      : 'There was no checkpoint yet.';
    return new BoxwrightError('diverged', `${what} ${kept} A smaller --lr, or --clip, usually helps.`);
  }

  /** The evaluation that is due; it stays due if the signal stops it. */
  async *#evaluate(): AsyncGenerator<TrainEvent, void, undefined> {
    const { validation, recipe, options } = this.#setup;
    const began = performance.now();
    const evaluator = await evaluateRun(this.#session, validation, {
      resize: resizeRule(recipe),
      batch: this.#config.batch,
      workers: options.workers,
      onProblem: (problem) => this.#note(problem),
      signal: options.signal,
    });
    yield* this.#untold();
    if (!evaluator) return;
    const tables = evaluator.tables();
    const result = summarise(tables);
    this.#progress = { ...this.#progress, evaluationDue: false };
    const metrics = { ...result.coco };
    const best = this.#best === undefined || metrics.AP > this.#best.AP;
    if (best) {
      this.#best = metrics;
      const checkpoint = await this.#checkpoint();
      const parameters = weightsToUse(checkpoint);
      const scoreThresholds = suggestedThresholds(optimalLrp(evaluator.data()));
      const file = { ...checkpoint, parameters, state: new Map(), progress: undefined, scoreThresholds };
      await this.#folder.write(this.#folder.best, file);
      await this.#reporter.judged(() => evaluationDetails(evaluator.data(), tables, validation.images, this.#progress));
    }
    this.#pace.pause();
    yield {
      kind: 'evaluation',
      epoch: this.#progress.epoch,
      step: this.#progress.step,
      metrics,
      perClass: result.perClass,
      best,
      seconds: (performance.now() - began) / 1000,
      peakMemory: peakMemory(),
    };
  }

  /** Everything as it is now. The last step's loss was of the weights before it: what it made of them is looked at here. */
  async #checkpoint(): Promise<Checkpoint> {
    const { model, classes } = this.#config;
    const { parameters, state } = await this.#session.snapshot();
    const broken = firstNotFinite([...parameters, ...state]);
    if (broken)
      throw this.#diverged(`After step ${this.#progress.step} "${broken}" holds numbers that are not finite.`);
    return { model, classes, parameters, state, progress: this.#progress, metrics: this.#best };
  }

  async #save(): Promise<TrainEvent> {
    await this.#folder.write(this.#folder.last, await this.#checkpoint());
    return { kind: 'checkpoint', path: this.#folder.last, step: this.#progress.step };
  }
}

function count(tensors: Iterable<Tensor>): number {
  let sum = 0;
  for (const { data } of tensors) sum += data.length;
  return sum;
}
