import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Dataset } from '../data/dataset.js';
import { openDataset } from '../data/open.js';
import { BoxwrightError } from '../errors.js';
import type { Tensor } from '../graph/index.js';
import { cardHint, lastingSource, weightsFile } from '../hub/weights-file.js';
import { chooseCanvases } from '../models/canvas.js';
import { type DetectorRecipe, evaluationGraph, modelRecipe, resizeRule } from '../models/model.js';
import { initialValues, type ParameterSpec } from '../nn/parameters.js';
import { type Checkpoint, isCheckpoint } from '../weights/checkpoint.js';
import { describeReport } from '../weights/loading/load-report.js';
import { type LoadedWeights, startFrom } from '../weights/loading/load-weights.js';
import { requireWeights } from '../weights/loading/required-weights.js';
import type { WeightFile } from '../weights/weight-file.js';
import { readWeightFile } from '../weights/weight-readers.js';
import { chooseBatch, type MemoryFacts, warnOfBatch } from './batch-size.js';
import { type DataFacts, defaultSeed, type TrainConfig, type TrainOptions, trainConfig } from './config.js';
import { availableMemory } from './free-memory.js';
import { chooseModel, type ModelChoice, requireModel } from './input-size.js';
import { requireParts } from './parameter-parts.js';
import { type Choice, planOf } from './plan.js';
import { freeRunFolder, RunFolder } from './run-folder.js';
import { trainingMemory } from './step-memory.js';
import type { Costs } from './time-budget.js';
import { sessionSetupOf } from './working-parts.js';

/** Everything that a run starts from. */
export interface RunSetup {
  readonly config: TrainConfig;
  readonly recipe: DetectorRecipe;
  readonly dataset: Dataset;
  readonly validation: Dataset;
  /** First values of all parameters. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** What came from `--weights`, in words. */
  readonly weights?: string;
  readonly checkpoint: Checkpoint | undefined;
  readonly path: string;
  /** Present in a run that goes on. */
  readonly folder: RunFolder | undefined;
  readonly options: TrainOptions;
  /** What was chosen for a new run. */
  readonly plan: readonly Choice[];
  /** What may go wrong with these settings on this machine. */
  readonly warnings: readonly string[];
}

/** A new run whose data and weights are open; its length is still to be said. */
export interface OpenedRun {
  /** With paths as they are from everywhere, since a run may be resumed in another folder. */
  readonly options: TrainOptions & { readonly model: string };
  readonly model: ModelChoice;
  readonly recipe: DetectorRecipe;
  readonly dataset: Dataset;
  readonly validation: Dataset;
  readonly facts: DataFacts;
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly weights?: string;
  readonly path: string;
}

/** As many epochs as fit into a time, and what that was computed from. */
export interface RunLength {
  readonly epochs: number;
  readonly costs: Costs;
}

/** Opens everything that a run needs; nothing is written before all of it is known to fit. */
export async function prepare(options: TrainOptions): Promise<RunSetup> {
  return options.resume ? prepareToGoOn(options) : setupOf(await openRun(options));
}

/** Opens data and weights of a new run, and chooses its model where none is given. */
export async function openRun(options: TrainOptions): Promise<OpenedRun> {
  if (options.out !== undefined) RunFolder.requireFree(options.out);
  requireModel(options.model); // an unknown model is told before any data is read
  const { dataset, validation } = await openParts(options, options.signal);
  const file = options.weights === undefined ? undefined : await openWeights(options.weights, options.signal);
  const choice = chooseModel(options.model, file?.model, dataset);
  const { model } = choice;
  const path = options.out ?? freeRunFolder(model, options.data);
  const recipe = modelRecipe(model, dataset.classes.length);
  const seed = options.seed ?? defaultSeed;
  const matched = file && startWith(file, { recipe, model, classes: dataset.classes, seed });
  const absolute = {
    ...options,
    model,
    data: resolve(options.data),
    weights: options.weights && lastingSource(options.weights),
  };
  return {
    options: absolute,
    model: choice,
    recipe,
    dataset,
    validation,
    facts: factsOf(dataset, recipe, matched),
    parameters: firstValues(specsOf(recipe), seed, matched),
    weights: matched && describeReport(options.weights!, matched.report),
    path,
  };
}

/** The setup of a new run. @param length where it is to fit into a time. */
export function setupOf(opened: OpenedRun, length?: RunLength): RunSetup {
  const { options, recipe, facts, parameters, model } = opened;
  const asked = { ...options, epochs: length?.epochs ?? options.epochs };
  const usual = trainConfig(asked, facts);
  requireParts([...usual.freeze, ...Object.keys(usual.rates)], parameters.keys());
  const memory = usual.provider === 'cpu' ? memoryOf(opened, usual) : undefined;
  const batch = options.batch === undefined ? chooseBatch(facts.pictures, options.accumulate, memory) : undefined;
  const config = batch ? trainConfig({ ...asked, batch: batch.batch, accumulate: batch.accumulate }, facts) : usual;
  const warning = batch ? batch.warning : memory && warnOfBatch(usual.batch, usual.accumulate, memory);
  const { pictures, hasBatchNorm } = facts;
  const plan = planOf({ options, config, model, batch, costs: length?.costs, pictures, hasBatchNorm });
  return {
    ...{ config, recipe, parameters, plan, options: asked },
    ...{ dataset: opened.dataset, validation: opened.validation, weights: opened.weights, path: opened.path },
    ...{ checkpoint: undefined, folder: undefined },
    warnings: warning === undefined ? [] : [warning],
  };
}

/** What the run takes of this machine's memory in batches of some size. */
function memoryOf({ recipe, parameters }: OpenedRun, usual: TrainConfig): MemoryFacts {
  return {
    available: availableMemory(),
    needed: (batch, accumulate) => {
      const config = { ...usual, batch, accumulate };
      return trainingMemory(sessionSetupOf({ config, recipe, checkpoint: undefined, parameters }));
    },
  };
}

/** What decides a run's outcome: a run that goes on has its own. */
const ownSettings = [
  'trainPart',
  'valPart',
  'weights',
  'epochs',
  'time',
  'batch',
  'accumulate',
  'optimizer',
  'learningRate',
  'weightDecay',
  'schedule',
  'milestones',
  'warmup',
  'clip',
  'average',
  'freeze',
  'rates',
  'augment',
  'open',
  'seed',
  'evaluateEvery',
] as const satisfies readonly (keyof TrainOptions)[];

function requireNoSettings(options: TrainOptions): void {
  const given = ownSettings.filter((name) => options[name] !== undefined);
  if (given.length === 0) return;
  const problem = `A run that is resumed keeps its own settings (see its config.json): leave out ${given.join(', ')}`;
  throw new BoxwrightError('config', `${problem}, or start a new run from its weights.`);
}

async function prepareToGoOn(options: TrainOptions): Promise<RunSetup> {
  requireNoSettings(options);
  const path = requireOut(options);
  const folder = RunFolder.open(path);
  const config = folder.readConfig();
  const recipe = modelRecipe(config.model, config.classes.length);
  const { dataset, validation } = await openParts(config, options.signal, config.classes);
  const checkpoint = await folder.readLast();
  const specs = specsOf(recipe);
  // Without a checkpoint the run starts where it started before, weights and all.
  const file = checkpoint || !config.weights ? undefined : await openWeights(config.weights, options.signal);
  const matched = file && startWith(file, { recipe, ...config });
  const parameters = checkpoint
    ? requireWeights(folder.last, config.model, specs, checkpoint.parameters)
    : firstValues(specs, config.seed, matched);
  return {
    ...{ config, recipe, dataset, validation, parameters, checkpoint, path, folder, options },
    ...{ plan: [], warnings: [] },
  };
}

function requireOut({ out }: TrainOptions): string {
  if (!out) throw new BoxwrightError('config', '--resume needs the folder of the run: give it by --out.');
  if (!existsSync(out))
    throw new BoxwrightError('io', `There is no run to resume in ${out}: the folder does not exist.`);
  return out;
}

async function openParts(
  { data, trainPart = 'train', valPart = 'val', open }: Pick<TrainOptions, 'data' | 'trainPart' | 'valPart' | 'open'>,
  signal: AbortSignal | undefined,
  classes?: readonly string[],
): Promise<{ dataset: Dataset; validation: Dataset }> {
  const dataset = await openDataset(data, { ...open, part: trainPart, classes, signal });
  return { dataset, validation: await openDataset(data, { ...open, part: valPart, classes: dataset.classes, signal }) };
}

function specsOf(recipe: DetectorRecipe): ReadonlyMap<string, ParameterSpec> {
  return evaluationGraph(recipe).p.specs;
}

interface Start {
  readonly recipe: DetectorRecipe;
  readonly model: string;
  readonly classes: readonly string[];
  readonly seed: number;
}

/** A file of weights that is read, with what is known of it beside. */
interface OpenedWeights {
  readonly path: string;
  readonly file: WeightFile;
  /** Of its card. */
  readonly classes?: readonly string[];
  /** The model that it says it is of, or that its card does. */
  readonly model?: string;
}

/** @param source a file, or a card, whose file is downloaded if it is not there. */
async function openWeights(source: string, signal: AbortSignal | undefined): Promise<OpenedWeights> {
  const { path, card } = await weightsFile(source, { signal });
  if (!existsSync(path)) throw new BoxwrightError('io', `${path}: there are no such weights.${cardHint(source)}`);
  const file = await readWeightFile(path);
  const model = card?.model ?? (isCheckpoint(file) ? file.metadata.model : undefined);
  return { path, file, classes: card?.classes, model };
}

function startWith(
  { path, file, classes: sourceClasses }: OpenedWeights,
  { recipe, model, classes, seed }: Start,
): LoadedWeights {
  const fresh = (spec: ParameterSpec) => initialValues([spec], seed).get(spec.name)!;
  return startFrom(path, file, { recipe, model, classes, sourceClasses }, fresh);
}

function factsOf(dataset: Dataset, recipe: DetectorRecipe, matched: LoadedWeights | undefined): DataFacts {
  const { backbone } = recipe;
  return {
    classes: dataset.classes,
    pictures: dataset.images.length,
    enough: recipe.kind === 'refinedet' ? 5000 : 3500,
    maxBoxes: dataset.images.reduce((most, { objects }) => Math.max(most, objects.length), 1),
    canvases: chooseCanvases(resizeRule(recipe), dataset.images),
    hasBatchNorm: recipe.kind === 'refinedet' ? recipe.tcb.norm !== undefined : true,
    earlyLayers: backbone.kind === 'resnet' ? ['backbone.conv1', 'backbone.bn1', 'backbone.layer1'] : [],
    fixedStatistics: [...(matched?.fixedLayers ?? [])],
  };
}

/** Fresh parameters, and those of the weights in their place. */
function firstValues(
  specs: ReadonlyMap<string, ParameterSpec>,
  seed: number,
  matched: LoadedWeights | undefined,
): Map<string, Tensor> {
  return new Map<string, Tensor>([...initialValues(specs.values(), seed), ...(matched?.taken ?? [])]);
}
