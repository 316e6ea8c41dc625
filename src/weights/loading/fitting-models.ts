import { evaluationGraph, modelNames, modelRecipe } from '../../models/model.js';
import type { WeightFile } from '../weight-file.js';
import { chooseMap } from './choose-map.js';
import { classCount, classRows } from './class-rows.js';
import type { LoadReport } from './load-report.js';
import { loadWeights } from './load-weights.js';
import { nameMaps } from './maps/all-maps.js';
import { sourceName } from './maps/name-map.js';
import { ownNames } from './maps/own.js';

/** Models that a file has all weights of. */
export interface Fit {
  /** They differ in what no weight tells, such as the size of pictures. */
  readonly models: readonly string[];
  /** Classes that its heads tell apart. */
  readonly classes: number;
  readonly report: LoadReport;
}

/**
 * Every model whose names and shapes a file has, nothing missing, and which detects what the file's source does. A deeper
 * network has all that a shallower one of its kind needs: those that leave the fewest tensors count.
 */
export function fittingModels(path: string, file: WeightFile): Fit[] {
  const fits = alikeModels().flatMap((models) => {
    const classes = classesTold(models[0], file);
    const fit = classes === undefined ? undefined : fitOf(path, file, models, classes);
    return fit ? [fit] : [];
  });
  const fewest = Math.min(...fits.map(({ report }) => report.left.length));
  return fits.filter(({ report }) => report.left.length === fewest);
}

/** Model names in groups of equal parameters: RefineDet's do not depend on its size. */
export function alikeModels(): string[][] {
  const groups = new Map<string, string[]>();
  for (const name of modelNames) {
    const key = name.replace(/-\d+(?=-|$)/, '');
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  return [...groups.values()];
}

/** Classes that the file's tensors tell apart if they are this model's; undefined if too few of its names are there. */
export function classesTold(model: string, { tensors }: WeightFile): number | undefined {
  const recipe = modelRecipe(model, 1);
  const { specs } = evaluationGraph(recipe).p;
  const maps = nameMaps.filter((map) => map === ownNames || map.models?.test(model));
  const { map, prefix, found } = chooseMap([...specs.keys()], tensors, maps);
  if (found < specs.size / 2) return undefined;
  const head = [...specs.keys()].find((name) => name.endsWith('.bias') && classRows(recipe, name));
  const tensor = head === undefined ? undefined : tensors.get(prefix + (sourceName(map, head) ?? ''));
  return tensor && classCount(classRows(recipe, head!)!, tensor.data.length);
}

function fitOf(path: string, file: WeightFile, models: readonly string[], classes: number): Fit | undefined {
  const [model] = models;
  const names = Array.from({ length: classes }, (_, i) => `${i}`);
  // Only their number counts here.
  const nameless = { ...file, metadata: { ...file.metadata, classes: JSON.stringify(names) } };
  try {
    const { report } = loadWeights(path, nameless, { recipe: modelRecipe(model, classes), model, classes: names });
    const map = nameMaps.find(({ source }) => source === report.source);
    return { models: models.filter((name) => map === ownNames || map?.models?.test(name)), classes, report };
  } catch {
    return undefined;
  }
}
