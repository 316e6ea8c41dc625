import { roomFactor, withExtras } from '../data/augment/extras.js';
import type { OpenOptions } from '../data/layout.js';
import type { Provider } from '../engine/protocol.js';
import { BoxwrightError } from '../errors.js';
import type { CanvasSize } from '../models/canvas.js';
import type { OptimizerRecipe } from '../nn/optimizers.js';
import { parseAugment } from './augment.js';
import { usualBatch } from './batch-size.js';

/** How the data set is opened, where it is not recognised as it should be; see `OpenOptions`. */
export type DataFormatOptions = Pick<OpenOptions, 'format' | 'pictures' | 'firstPixel' | 'boxOrder'>;

/** How to train. Everything but `data` has a default. */
export interface TrainOptions {
  /**
   * Name of a model, see `modelNames`. A RefineDet's without its size (`refinedet-resnet18`) gets one that suits the
   * data; left out, it is the model of the weights, or `refinedet-resnet18`.
   */
  readonly model?: string;
  /** Folder or file of the data set. */
  readonly data: string;
  /** Part to learn from and part to judge by; default `train` and `val`. */
  readonly trainPart?: string;
  readonly valPart?: string;
  /** Folder of the run; default `runs/<model>-<data>`, numbered. It must not exist unless `resume` is set. */
  readonly out?: string;
  /** Go on with the run in `out`, with its own settings: all others but `workers` and `signal` are left out, `model` and `data` ignored. */
  readonly resume?: boolean;
  /** Weights to start from: a file of any format and source that is known (docs/weights.md), or a card's name (docs/hub.md). */
  readonly weights?: string;
  readonly epochs?: number;
  /** Seconds that the run may take: in place of `epochs`, as many as fit, by a few steps and detections that are timed first. */
  readonly time?: number;
  readonly batch?: number;
  /** Batches whose gradients make one update. */
  readonly accumulate?: number;
  readonly optimizer?: 'adamw' | 'sgd';
  readonly learningRate?: number;
  readonly weightDecay?: number;
  readonly schedule?: 'cosine' | 'step' | 'constant';
  /** For `step`: epochs after which the rate is a tenth of what it was, rising; two thirds and five sixths of the run by default. */
  readonly milestones?: readonly number[];
  /** Updates of linear warm-up. */
  readonly warmup?: number;
  /** Largest length of the gradient; 0 leaves it as it is. */
  readonly clip?: number;
  /** Decay of the moving average of weights, 0 to go without. */
  readonly average?: number;
  /** Parameters that stay as they are: prefixes of their names. */
  readonly freeze?: readonly string[];
  /** Factors on the learning rate by the start of parameters' names, such as `{ backbone: 0.1 }`; the longest that fits counts. */
  readonly rates?: Readonly<Record<string, number>>;
  /**
   * `recipe` (default) is the model family's augmentation, `flip` only mirrors pictures, `none` leaves them; after a comma
   * what comes on top: mosaic, mix-up, scale-jitter, rotate90, cut-out, as in `flip,mosaic`.
   */
  readonly augment?: string;
  readonly open?: DataFormatOptions;
  readonly seed?: number;
  /** Epochs between evaluations; 0 evaluates only at the end. */
  readonly evaluateEvery?: number;
  readonly threads?: number;
  readonly workers?: number;
  readonly provider?: Provider;
  readonly signal?: AbortSignal;
}

/** All settings of a run, as its `config.json` has them. */
export interface TrainConfig {
  readonly model: string;
  readonly classes: readonly string[];
  readonly data: string;
  readonly trainPart: string;
  readonly valPart: string;
  readonly weights?: string;
  readonly epochs: number;
  readonly batch: number;
  readonly accumulate: number;
  readonly maxBoxes: number;
  /** Sizes to which pictures come, few for a data set: a graph of the step for each. */
  readonly canvases: readonly CanvasSize[];
  readonly optimizer: OptimizerRecipe;
  readonly learningRate: number;
  readonly schedule: 'cosine' | 'step' | 'constant';
  /** Absent: two thirds and five sixths of the updates. */
  readonly milestones?: readonly number[];
  readonly warmup: number;
  readonly clip: number;
  readonly average: number;
  readonly freeze: readonly string[];
  readonly rates: Readonly<Record<string, number>>;
  /** Batch norm layers that keep the statistics that came with the weights. */
  readonly fixedStatistics: readonly string[];
  readonly augment: string;
  readonly open?: DataFormatOptions;
  readonly seed: number;
  readonly evaluateEvery: number;
  readonly threads: number;
  readonly provider: Provider;
}

/** Decides everything random where none is given. */
export const defaultSeed = 0;

/** What the defaults depend on. */
export interface DataFacts {
  readonly classes: readonly string[];
  readonly pictures: number;
  /** Pictures, seen again and again, after which a small data set is learnt: what the default number of epochs is for. */
  readonly enough: number;
  readonly maxBoxes: number;
  readonly canvases: readonly CanvasSize[];
  /** Whether the network has batch norm; without it steps must be smaller. */
  readonly hasBatchNorm: boolean;
  /** Layers that stay as they are by default when weights are given: edges and blobs are the same on all pictures. */
  readonly earlyLayers: readonly string[];
  readonly fixedStatistics: readonly string[];
}

/** Fills in the defaults. @throws BoxwrightError `config` for values out of range. */
export function trainConfig(options: TrainOptions & { readonly model: string }, facts: DataFacts): TrainConfig {
  const batch = options.batch ?? usualBatch(facts.pictures);
  const epochs = options.epochs ?? Math.min(100, Math.max(12, Math.ceil(facts.enough / facts.pictures)));
  const accumulate = options.accumulate ?? 1;
  const updates = Math.max(1, Math.floor((epochs * Math.floor(facts.pictures / batch)) / accumulate));
  const kind = options.optimizer ?? 'adamw';
  const augment = options.augment ?? 'recipe';
  const config: TrainConfig = {
    model: options.model,
    classes: facts.classes,
    data: options.data,
    trainPart: options.trainPart ?? 'train',
    valPart: options.valPart ?? 'val',
    weights: options.weights,
    epochs,
    batch,
    accumulate,
    maxBoxes: facts.maxBoxes * roomFactor(withExtras({}, parseAugment(augment).extras)),
    canvases: facts.canvases,
    optimizer: optimizerOf(kind, options.weightDecay),
    learningRate: options.learningRate ?? defaultRate(kind, facts, options.weights !== undefined),
    schedule: options.schedule ?? 'cosine',
    ...(options.milestones ? { milestones: options.milestones } : {}),
    warmup: options.warmup ?? Math.min(500, Math.ceil(updates / 10)),
    clip: options.clip ?? 10,
    average: options.average ?? 0.998,
    freeze: options.freeze ?? (options.weights ? facts.earlyLayers : []),
    rates: options.rates ?? {},
    fixedStatistics: facts.fixedStatistics,
    augment,
    ...(options.open ? { open: options.open } : {}),
    seed: options.seed ?? defaultSeed,
    evaluateEvery: options.evaluateEvery ?? evaluateEvery(epochs),
    threads: options.threads ?? 0,
    provider: options.provider ?? 'cpu',
  };
  requireSane(config);
  return config;
}

/** Epochs between evaluations where nothing is said: some ten of them in a run. */
export function evaluateEvery(epochs: number): number {
  return Math.max(1, Math.round(epochs / 10));
}

function optimizerOf(kind: 'adamw' | 'sgd', weightDecay: number | undefined): OptimizerRecipe {
  if (kind === 'sgd') return { kind, momentum: 0.9, weightDecay: weightDecay ?? 5e-4 };
  return { kind, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: weightDecay ?? 0.01 };
}

/** SGD's rate is the paper's; AdamW's 5e-4 held in the run of docs/benchmarks.md; VGG-16 learned there at twice its 1e-4. */
function defaultRate(kind: 'adamw' | 'sgd', { hasBatchNorm }: DataFacts, pretrained: boolean): number {
  if (kind === 'sgd') return 1e-3;
  if (!hasBatchNorm) return 1e-4;
  return pretrained ? 5e-4 : 1e-3;
}

function requireSane(config: TrainConfig): void {
  const wholes = { epochs: config.epochs, batch: config.batch, accumulate: config.accumulate };
  for (const [name, value] of Object.entries(wholes)) {
    if (!Number.isInteger(value) || value < 1)
      throw new BoxwrightError('config', `${name} must be a whole number from 1, not ${value}.`);
  }
  requireMilestones(config);
  const every = config.evaluateEvery;
  if (!Number.isInteger(every) || every < 0) {
    const meaning = 'a whole number of epochs from 0, which evaluates at the end only';
    throw new BoxwrightError('config', `evaluateEvery must be ${meaning}, not ${every}.`);
  }
  const rates = { 'learning rate': config.learningRate, 'gradient clipping': config.clip, warmup: config.warmup };
  for (const [name, value] of Object.entries(rates)) {
    if (!Number.isFinite(value) || value < 0)
      throw new BoxwrightError('config', `The ${name} must be a number from 0, not ${value}.`);
  }
  for (const [prefix, factor] of Object.entries(config.rates)) {
    if (!Number.isFinite(factor) || factor <= 0)
      throw new BoxwrightError(
        'config',
        `The factor on the learning rate of ${prefix} must be a number above 0, not ${factor}; to keep it as it is, freeze it.`,
      );
  }
  if (!(config.average >= 0 && config.average < 1)) {
    throw new BoxwrightError(
      'config',
      `The decay of the averaged weights must be from 0 to below 1, not ${config.average}.`,
    );
  }
}

function requireMilestones({ milestones, schedule, epochs }: TrainConfig): void {
  if (milestones === undefined) return;
  const given = milestones.join(', ');
  if (schedule !== 'step')
    throw new BoxwrightError('config', `milestones (${given}) are those of the schedule step, not of ${schedule}.`);
  const fit = milestones.every(
    (epoch, i) => Number.isInteger(epoch) && epoch > (milestones[i - 1] ?? 0) && epoch < epochs,
  );
  if (!fit || milestones.length === 0)
    throw new BoxwrightError('config', `milestones must be rising whole epochs from 1 to ${epochs - 1}, not ${given}.`);
}
