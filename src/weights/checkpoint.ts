import { BoxwrightError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import { modelRecipe } from '../models/model.js';
import { readSafetensors, writeSafetensors } from './formats/safetensors.js';
import { type ScoreThresholds, scoreThresholdsKey, scoreThresholdsOf } from './score-thresholds.js';

/** Where a training run stands, so that it can go on. */
export interface Progress {
  /** Epochs that are complete. */
  readonly epoch: number;
  /** Batches of the epoch under way that are done. */
  readonly batch: number;
  /** Batches of all epochs so far. */
  readonly step: number;
  /** The last complete epoch is still to be judged. */
  readonly evaluationDue?: boolean;
}

/** A detector's weights and what they mean. */
export interface Checkpoint {
  /** Name of the model, see `modelRecipe`. */
  readonly model: string;
  readonly classes: readonly string[];
  /** The model's parameters by name: the ones to detect with. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** State of the optimizer by name; names hold a colon or are `step_count`. Empty in a file that is only for use. */
  readonly state: ReadonlyMap<string, Tensor>;
  readonly progress?: Progress;
  /** Figures of the best evaluation so far, such as AP and AP50. */
  readonly metrics?: Readonly<Record<string, number>>;
  /** Lowest score to keep of each class, where an evaluation found one. */
  readonly scoreThresholds?: ScoreThresholds;
}

const isState = (name: string) => name.includes(':') || name === 'step_count';

/** Writes a checkpoint atomically: the file at `path` is the old one or the new one, never half of it. */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const { model, classes, parameters, state, progress, metrics, scoreThresholds } = checkpoint;
  const metadata: Record<string, string> = { format: 'boxwright', model, classes: JSON.stringify(classes) };
  if (progress) metadata.progress = JSON.stringify(progress);
  if (metrics) metadata.metrics = JSON.stringify(metrics);
  if (scoreThresholds) metadata[scoreThresholdsKey] = JSON.stringify(scoreThresholds);
  await writeSafetensors(path, new Map([...parameters, ...state]), metadata);
}

/**
 * Reads a checkpoint that `writeCheckpoint` wrote.
 *
 * @throws BoxwrightError `weights` if the file is damaged or holds no boxwright detector.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const file = await readSafetensors(path);
  if (!isCheckpoint(file)) {
    throw new BoxwrightError(
      'weights',
      `${path} holds weights but no boxwright detector (its metadata lacks "format": "boxwright"). To start training from it, use --weights.`,
    );
  }
  return checkpointOf(path, file);
}

/** Whether `writeCheckpoint` wrote a file. */
export function isCheckpoint({ metadata }: { readonly metadata: Readonly<Record<string, string>> }): boolean {
  return metadata.format === 'boxwright';
}

/** A file that `isCheckpoint` as what it means; `path` is for errors. */
export function checkpointOf(
  path: string,
  { tensors, metadata }: { tensors: ReadonlyMap<string, Tensor>; metadata: Readonly<Record<string, string>> },
): Checkpoint {
  const classes = parse<string[]>(path, metadata, 'classes') ?? [];
  modelRecipe(metadata.model ?? '', classes.length); // an unknown model is an error here, with the file at hand
  const entries = [...tensors];
  return {
    model: metadata.model,
    classes,
    parameters: new Map(entries.filter(([name]) => !isState(name))),
    state: new Map(entries.filter(([name]) => isState(name))),
    progress: parse<Progress>(path, metadata, 'progress'),
    metrics: parse<Record<string, number>>(path, metadata, 'metrics'),
    scoreThresholds: scoreThresholdsOf(path, metadata, classes),
  };
}

function parse<T>(path: string, metadata: Readonly<Record<string, string>>, key: string): T | undefined {
  if (metadata[key] === undefined) return undefined;
  try {
    return JSON.parse(metadata[key]) as T;
  } catch (cause) {
    throw new BoxwrightError('weights', `${path}: its metadata "${key}" is no JSON.`, { cause });
  }
}

/** The weights to detect with: the moving averages where a run kept them, else the parameters themselves. */
export function weightsToUse({ parameters, state }: Checkpoint): Map<string, Tensor> {
  return new Map([...parameters].map(([name, tensor]) => [name, state.get(`average:${name}`) ?? tensor]));
}
