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
import type { Checkpoint } from '../weights/checkpoint.js';
import { describeReport } from '../weights/loading/load-report.js';
import { type LoadedWeights, startFrom } from '../weights/loading/load-weights.js';
import { requireWeights } from '../weights/loading/required-weights.js';
import { readWeightFile } from '../weights/weight-readers.js';
import { type DataFacts, defaultSeed, type TrainConfig, type TrainOptions, trainConfig } from './config.js';
import { requireParts } from './parameter-parts.js';
import { freeRunFolder, RunFolder } from './run-folder.js';

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
}

/** Opens everything that a run needs; nothing is written before all of it is known to fit. */
export async function prepare(options: TrainOptions): Promise<RunSetup> {
  return options.resume ? prepareToGoOn(options) : prepareNew(options);
}

async function prepareNew(options: TrainOptions): Promise<RunSetup> {
  const path = options.out ?? freeRunFolder(options.model, options.data);
  RunFolder.requireFree(path);
  modelRecipe(options.model, 1); // an unknown model is told before any data is read
  const { dataset, validation } = await openParts(options);
  const recipe = modelRecipe(options.model, dataset.classes.length);
  const specs = specsOf(recipe);
  const start = { recipe, model: options.model, classes: dataset.classes, seed: options.seed ?? defaultSeed };
  const matched = options.weights === undefined ? undefined : await readWeights(options.weights, start, options.signal);
  // Paths as they are from everywhere: a run may be resumed in another folder.
  const absolute = {
    ...options,
    data: resolve(options.data),
    weights: options.weights && lastingSource(options.weights),
  };
  const config = trainConfig(absolute, factsOf(dataset, recipe, matched));
  requireParts([...config.freeze, ...Object.keys(config.rates)], specs.keys());
  const parameters = firstValues(specs, config, matched);
  const weights = matched && describeReport(options.weights!, matched.report);
  return {
    config,
    recipe,
    dataset,
    validation,
    parameters,
    weights,
    checkpoint: undefined,
    path,
    folder: undefined,
    options,
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
  const { dataset, validation } = await openParts(config, config.classes);
  const checkpoint = await folder.readLast();
  const specs = specsOf(recipe);
  // Without a checkpoint the run starts where it started before, weights and all.
  const matched =
    checkpoint || !config.weights
      ? undefined
      : await readWeights(config.weights, { recipe, ...config }, options.signal);
  const parameters = checkpoint
    ? requireWeights(folder.last, config.model, specs, checkpoint.parameters)
    : firstValues(specs, config, matched);
  return { config, recipe, dataset, validation, parameters, checkpoint, path, folder, options };
}

function requireOut({ out }: TrainOptions): string {
  if (!out) throw new BoxwrightError('config', '--resume needs the folder of the run: give it by --out.');
  if (!existsSync(out))
    throw new BoxwrightError('io', `There is no run to resume in ${out}: the folder does not exist.`);
  return out;
}

async function openParts(
  { data, trainPart = 'train', valPart = 'val', open }: Pick<TrainOptions, 'data' | 'trainPart' | 'valPart' | 'open'>,
  classes?: readonly string[],
): Promise<{ dataset: Dataset; validation: Dataset }> {
  const dataset = await openDataset(data, { ...open, part: trainPart, classes });
  return { dataset, validation: await openDataset(data, { ...open, part: valPart, classes: dataset.classes }) };
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

/** @param source a file, or a card, whose file is downloaded if it is not there. */
async function readWeights(
  source: string,
  { recipe, model, classes, seed }: Start,
  signal: AbortSignal | undefined,
): Promise<LoadedWeights> {
  const { path, card } = await weightsFile(source, { signal });
  if (!existsSync(path)) throw new BoxwrightError('io', `${path}: there are no such weights.${cardHint(source)}`);
  const fresh = (spec: ParameterSpec) => initialValues([spec], seed).get(spec.name)!;
  return startFrom(path, await readWeightFile(path), { recipe, model, classes, sourceClasses: card?.classes }, fresh);
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
  { seed }: TrainConfig,
  matched: LoadedWeights | undefined,
): Map<string, Tensor> {
  return new Map<string, Tensor>([...initialValues(specs.values(), seed), ...(matched?.taken ?? [])]);
}
