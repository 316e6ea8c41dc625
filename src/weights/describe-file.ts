import { stat } from 'node:fs/promises';
import { elementCount } from '../graph/tensor.js';
import { evaluationGraph, modelRecipe } from '../models/model.js';
import { chooseMap } from './choose-map.js';
import { alikeModels, fittingModels } from './fitting-models.js';
import { readWeightFile, type WeightFile, type WeightFormat } from './weight-file.js';

/** What a file of weights holds, for people and programs. */
export interface FileDescription {
  readonly path: string;
  readonly format: WeightFormat;
  readonly bytes: number;
  readonly tensors: readonly TensorDescription[];
  /** Elements of all tensors. */
  readonly elements: number;
  /** Elements by type, as they are read: half precision is float32 here. */
  readonly types: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Models that it has all weights of. */
  readonly fits: readonly ModelFit[];
  /** Where it fits none: the models of which it has most parameters, to start training from. */
  readonly starts: readonly ModelStart[];
}

export interface TensorDescription {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
}

export interface ModelFit {
  /** They differ in what no weight tells, such as the size of pictures. */
  readonly models: readonly string[];
  readonly classes: number;
  /** Whose names the file has. */
  readonly source: string;
  readonly parameters: number;
  readonly changes: readonly string[];
  /** Tensors that the model has no place for, and those that no detector of this source needs. */
  readonly left: readonly string[];
  readonly unused: number;
}

export interface ModelStart {
  readonly models: readonly string[];
  readonly source: string;
  /** Parameters whose names the file has, of so many. */
  readonly found: number;
  readonly of: number;
}

const shownStarts = 4;

/** @throws BoxwrightError as `readWeightFile`. */
export async function describeFile(path: string): Promise<FileDescription> {
  const file = await readWeightFile(path);
  const { size: bytes } = await stat(path);
  const tensors = [...file.tensors].map(([name, { dtype, shape }]) => ({ name, type: dtype, shape }));
  const types: Record<string, number> = {};
  for (const { type, shape } of tensors) types[type] = (types[type] ?? 0) + elementCount(shape);
  const fits = fittingModels(path, file).map(({ models, classes, report }) => ({
    models,
    classes,
    source: report.source,
    parameters: report.taken.length,
    changes: report.changes,
    left: report.left,
    unused: report.unused.length,
  }));
  return {
    path,
    format: file.format,
    bytes,
    tensors,
    elements: tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    types,
    metadata: file.metadata,
    fits,
    starts: fits.length > 0 ? [] : startsFor(file),
  };
}

function startsFor({ tensors }: WeightFile): ModelStart[] {
  const starts = alikeModels().flatMap((models) => {
    const names = [...evaluationGraph(modelRecipe(models[0], 1)).p.specs.keys()];
    const { map, found } = chooseMap(names, tensors);
    return found > 0 ? [{ models, source: map.source, found, of: names.length }] : [];
  });
  return starts.sort((a, b) => b.found - a.found).slice(0, shownStarts);
}
