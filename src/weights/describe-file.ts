import { elementCount, type Tensor } from '../graph/tensor.js';
import { evaluationGraph, modelRecipe } from '../models/model.js';
import type { ByteSource } from './byte-source.js';
import { withFile } from './file-source.js';
import { alikeModels, fittingModels } from './loading/fitting-models.js';
import { startFrom } from './loading/load-weights.js';
import type { WeightFile, WeightFormat } from './weight-file.js';
import { readWeights } from './weight-readers.js';

/** What a file of weights holds, for people and programs. */
export interface FileDescription {
  readonly path: string;
  readonly format: WeightFormat;
  /** Of the file and of those beside it that hold its tensors. */
  readonly bytes: number;
  readonly tensors: readonly TensorDescription[];
  /** Elements of all tensors. */
  readonly elements: number;
  /** Elements by type, as they are read: half precision is float32 here. */
  readonly types: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Models that it has all weights of. */
  readonly fits: readonly ModelFit[];
  /** Where it fits none: the models that training can start from it, those first of which it gives most parameters. */
  readonly starts: readonly ModelStart[];
}

/** A tensor as `describeFile` lists it. */
export interface TensorDescription {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
}

/** A group of models that have all their weights in a file. */
export interface ModelFit {
  /** They differ in what no weight tells, such as the size of pictures. */
  readonly models: readonly string[];
  readonly classCount: number;
  /** Whose names the file has, such as `mmdetection`. */
  readonly namesOf: string;
  /** Tensors of the model, all of which the file has. */
  readonly taken: number;
  /** What was done to tensors on the way, in words. */
  readonly changes: readonly string[];
  /** Tensors of the file that the model has no place for. */
  readonly left: readonly string[];
  /** Those that no detector of this project needs, such as counters of batch norm or optimizer state. */
  readonly unused: readonly string[];
}

/** A group of models that have some of their weights in a file. */
export interface ModelStart {
  readonly models: readonly string[];
  readonly namesOf: string;
  /** Tensors of the model that the file gives values to, by name and shape, of so many. */
  readonly taken: number;
  readonly of: number;
}

const shownStarts = 4;

/** @throws BoxwrightError as `readWeightFile`. */
export async function describeFile(path: string): Promise<FileDescription> {
  const sizes = new Map<string, number>();
  const file = await withFile(path, (source) => readWeights(noted(source, sizes)));
  const tensors = [...file.tensors].map(([name, { dtype, shape }]) => ({ name, type: dtype, shape }));
  const types: Record<string, number> = {};
  for (const { type, shape } of tensors) types[type] = (types[type] ?? 0) + elementCount(shape);
  const fits = fittingModels(path, file).map(({ models, classes, report }) => ({
    models,
    classCount: classes,
    namesOf: report.source,
    taken: report.taken.length,
    changes: report.changes,
    left: report.left,
    unused: report.unused,
  }));
  return {
    path,
    format: file.format,
    bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0),
    tensors,
    elements: tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    types,
    metadata: file.metadata,
    fits,
    starts: fits.length > 0 ? [] : startsFor(path, file),
  };
}

/** `source`, with its size and those of all files that are opened beside it put into `sizes`. */
function noted(source: ByteSource, sizes: Map<string, number>): ByteSource {
  sizes.set(source.name, source.size);
  const { beside } = source;
  return beside ? { ...source, beside: (name, use) => beside(name, (other) => use(noted(other, sizes))) } : source;
}

function startsFor(path: string, file: WeightFile): ModelStart[] {
  const starts = alikeModels().flatMap((models) => {
    const start = startOf(path, file, models[0]);
    return start ? [{ models, ...start }] : [];
  });
  starts.sort((a, b) => b.taken - a.taken || a.of - b.of);
  // Layers of other networks that happen to have the same shape are no start.
  return starts.filter(({ taken }) => taken > starts[0].taken / 2).slice(0, shownStarts);
}

function startOf(path: string, file: WeightFile, model: string): Omit<ModelStart, 'models'> | undefined {
  const recipe = modelRecipe(model, 1);
  // No class is known by this name, so that no row is asked for.
  const target = { recipe, model, classes: [''] };
  try {
    const { report } = startFrom(path, file, target, ({ shape }) => zeros(shape));
    return { namesOf: report.source, taken: report.taken.length, of: evaluationGraph(recipe).p.specs.size };
  } catch {
    return undefined;
  }
}

function zeros(shape: readonly number[]): Tensor<'float32'> {
  return { dtype: 'float32', shape, data: new Float32Array(elementCount(shape)) };
}
