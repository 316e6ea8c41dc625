import { BoxwrightError } from '../errors.js';
import { modelRecipe } from '../models/model.js';
import { type Checkpoint, checkpointOf, isCheckpoint } from './checkpoint.js';
import { classesOf } from './file-classes.js';
import { classesTold, fittingModels } from './loading/fitting-models.js';
import { describeReport } from './loading/load-report.js';
import { loadWeights } from './loading/load-weights.js';
import type { WeightFile } from './weight-file.js';
import { readWeightFile } from './weight-readers.js';

/** What a file of weights does not say itself. */
export interface DetectorChoice {
  /** Name of the model, see `modelNames`; by default the only one that the file fits. */
  readonly model?: string;
  /** Its classes in their order. */
  readonly classes?: readonly string[];
}

/** A detector from a file of weights, and what was done to get it. */
export interface DetectorFile {
  readonly checkpoint: Checkpoint;
  /** In words, for people; undefined for a checkpoint of ours. */
  readonly note?: string;
}

/**
 * Reads a detector from weights of any known format and source. A checkpoint of ours says itself what it is.
 *
 * @throws BoxwrightError `weights` if the file is damaged, fits no model or several, or does not fit the chosen one;
 *   `config` if its classes are not known; `model` for an unknown model.
 */
export async function readDetector(path: string, choice: DetectorChoice = {}): Promise<DetectorFile> {
  const file = await readWeightFile(path);
  const own = file.format === 'safetensors' && isCheckpoint(file);
  if (own && choice.model === undefined && choice.classes === undefined)
    return { checkpoint: checkpointOf(path, file) };
  return detectorOf(path, file, choice);
}

/** As `readDetector`, of a file that is read already. */
export function detectorOf(path: string, file: WeightFile, choice: DetectorChoice): DetectorFile {
  if (choice.model !== undefined) modelRecipe(choice.model, 1); // an unknown one is told first
  const model = choice.model ?? onlyFit(path, file);
  const classes = choice.classes ?? classesOf(file);
  if (!classes) throw classesMissing(path, model, file);
  const { taken, report } = loadWeights(path, file, { recipe: modelRecipe(model, classes.length), model, classes });
  const chosen = choice.model === undefined ? `${path} is taken as ${model}. ` : '';
  return {
    checkpoint: { model, classes, parameters: taken, state: new Map() },
    note: `${chosen}${describeReport(path, report)}.`,
  };
}

function onlyFit(path: string, file: WeightFile): string {
  // A checkpoint or an exported file of ours says it itself.
  const own = isCheckpoint(file) ? file.metadata.model : undefined;
  const models = own === undefined ? fittingModels(path, file).flatMap((fit) => fit.models) : [own];
  if (models.length === 1) return models[0];
  const found = models.length === 0 ? 'fits no model as a whole' : `fits ${models.join(' and ')}`;
  const advice = models.length === 0 ? 'To see why, name the model that it was made for' : 'Name one of them';
  throw new BoxwrightError('weights', `${path}: ${found}. ${advice} (--model; in programs the option model).`);
}

function classesMissing(path: string, model: string, file: WeightFile): BoxwrightError {
  const count = classesTold(model, file);
  const told = count === undefined ? '' : `, which are ${count}`;
  return new BoxwrightError(
    'config',
    `${path}: the file does not name its classes${told}. Give them in their order (--classes a,b,c, a file with one a line, or coco; in programs the option classes).`,
  );
}
