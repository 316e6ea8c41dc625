import type { Tensor } from '../../graph/tensor.js';
import { elementCount } from '../../graph/tensor.js';
import { type DetectorRecipe, evaluationGraph } from '../../models/model.js';
import type { ParameterSpec } from '../../nn/parameters.js';
import { classesOf } from '../file-classes.js';
import type { WeightFile } from '../weight-file.js';
import { type ChosenMap, chooseMap } from './choose-map.js';
import { type ClassPlaces, type ClassRows, classCount, classRows, rearranged } from './class-rows.js';
import { epsilonOf, foldedConvolution, normOfBias, normOfVariance } from './folded-norm.js';
import { misfitting, missingTensors, nothingFits, otherClasses } from './load-errors.js';
import type { LoadReport, Misfit } from './load-report.js';
import { fromSource, type SourceTraits, sourceName } from './maps/name-map.js';
import { traitsOf } from './source-traits.js';
import { adaptStem, sameNormalisation } from './stem.js';

/** What a file is to be loaded into, and how. */
export interface LoadTarget {
  readonly recipe: DetectorRecipe;
  /** How errors call the model. */
  readonly model: string;
  readonly classes: readonly string[];
  /** The classes that the file was trained for, in its order, if it does not say so itself. */
  readonly sourceClasses?: readonly string[];
}

/** Parameters from a file of weights. */
export interface LoadedWeights {
  /** Values by the names of the model's parameters. */
  readonly taken: ReadonlyMap<string, Tensor<'float32'>>;
  /** Batch norm layers whose statistics came with the weights (or were folded into them) and should stay. */
  readonly fixedLayers: ReadonlySet<string>;
  readonly report: LoadReport;
}

/**
 * A file's weights for detection: every parameter has to be there.
 *
 * @param path of the file, for errors
 * @throws BoxwrightError `weights` naming what is missing, with the nearest names of the file, or does not fit.
 */
export function loadWeights(path: string, file: WeightFile, target: LoadTarget): LoadedWeights {
  const loading = new Loading(path, file, target);
  const loaded = loading.run();
  const { report } = loaded;
  if (report.classes) throw otherClasses(path, loading.classCount, loading.sourceClasses, target.classes);
  if (report.misfits.length > 0) throw misfitting(path, target.model, report);
  if (report.missing.length > 0) throw missingTensors(path, target.model, report, loading.namesOf(report.missing));
  return loaded;
}

/**
 * A file's weights to start training from: what is missing or does not fit starts fresh. Where the heads are for another
 * list of classes, the rows of classes of the same name are kept.
 *
 * @param fresh first values of all parameters
 * @throws BoxwrightError `weights` if nothing fits, with the nearest names.
 */
export function startFrom(
  path: string,
  file: WeightFile,
  target: LoadTarget,
  fresh: (parameter: ParameterSpec) => Tensor<'float32'>,
): LoadedWeights {
  const loaded = new Loading(path, file, target, fresh).run();
  const { misfits, classes } = loaded.report;
  if (loaded.taken.size === 0 && misfits.length > 0) throw misfitting(path, target.model, loaded.report);
  if (loaded.taken.size === 0 && classes) throw otherClasses(path, undefined, undefined, target.classes);
  return loaded;
}

class Loading {
  readonly #file: WeightFile;
  readonly #target: LoadTarget;
  readonly #fresh: ((parameter: ParameterSpec) => Tensor<'float32'>) | undefined;
  readonly #specs: ReadonlyMap<string, ParameterSpec>;
  readonly #chosen: ChosenMap;
  readonly #traits: SourceTraits;
  /** The classes that the file was trained for, as far as it is known. */
  readonly sourceClasses: readonly string[] | undefined;
  /** How many classes its heads tell apart. */
  classCount: number | undefined;

  readonly #taken = new Map<string, Tensor<'float32'>>();
  readonly #used = new Set<string>();
  readonly #fixed = new Set<string>();
  readonly #misfits: Misfit[] = [];
  readonly #otherClasses: string[] = [];
  readonly #carried = new Set<string>();
  readonly #changes = new Set<string>();

  constructor(
    path: string,
    file: WeightFile,
    target: LoadTarget,
    fresh?: (parameter: ParameterSpec) => Tensor<'float32'>,
  ) {
    this.#file = file;
    this.#target = target;
    this.#fresh = fresh;
    this.#specs = evaluationGraph(target.recipe).p.specs;
    this.#chosen = chooseMap([...this.#specs.keys()], file.tensors);
    if (this.#chosen.found === 0) throw nothingFits(path, file, target.model, [...this.#specs.keys()]);
    this.sourceClasses = target.sourceClasses ?? classesOf(file);
    this.#traits = traitsOf(this.#chosen.map, file);
  }

  /** What the file should call parameters. */
  namesOf(parameters: readonly string[]): string[] {
    const { map, prefix } = this.#chosen;
    return parameters.map((parameter) => prefix + (sourceName(map, parameter) ?? parameter));
  }

  run(): LoadedWeights {
    for (const spec of this.#specs.values()) this.#take(spec);
    this.#foldedNorms();
    this.#adaptStem();
    for (const name of this.#taken.keys())
      if (name.endsWith('.running_var')) this.#fixed.add(name.slice(0, -'.running_var'.length));
    return { taken: this.#taken, fixedLayers: this.#fixed, report: this.#report() };
  }

  /** The file's name for a parameter, and the tensor that goes by it. */
  #find(parameter: string): { name: string; tensor: Tensor } | undefined {
    const { map, prefix } = this.#chosen;
    const own = sourceName(map, parameter);
    if (own === undefined) return undefined;
    const names = map.preferred ? [map.preferred(prefix + own), prefix + own] : [prefix + own];
    for (const name of names) {
      const tensor = this.#file.tensors.get(name);
      if (!tensor) continue;
      for (const used of names) this.#used.add(used);
      return { name, tensor };
    }
    return undefined;
  }

  #take(spec: ParameterSpec): void {
    const found = this.#find(spec.name);
    if (!found) return;
    const floats = this.#floats(found.name, found.tensor);
    const tensor = floats && (fromSource(this.#chosen.map, spec.name, floats) as Tensor<'float32'>);
    const rows = classRows(this.#target.recipe, spec.name);
    const fitting = tensor && (rows ? this.#classLayer(spec, rows, tensor) : withShape(spec.shape, tensor));
    if (fitting) this.#taken.set(spec.name, this.#rescaled(spec.name, fitting));
    else if (!this.#otherClasses.includes(spec.name)) this.#misfit(found.name, spec, found.tensor);
  }

  #misfit(name: string, { name: parameter, shape }: ParameterSpec, found: Tensor): void {
    this.#misfits.push({ name, parameter, found: typed(found), expected: typed({ dtype: 'float32', shape }) });
  }

  /** Float32 values, divided by what the source keeps apart; undefined if they are no real numbers. */
  #floats(name: string, tensor: Tensor): Tensor<'float32'> | undefined {
    if (tensor.dtype !== 'float32' && tensor.dtype !== 'float64') return undefined;
    const { map, prefix } = this.#chosen;
    const divisor = map.divisor?.(name.slice(prefix.length));
    const by = divisor === undefined ? undefined : this.#file.tensors.get(prefix + divisor);
    if (by?.data.length !== 1) {
      if (tensor.dtype === 'float32') return tensor as Tensor<'float32'>;
      return { ...tensor, dtype: 'float32', data: Float32Array.from(tensor.data as Float64Array) };
    }
    // Caffe takes 0 for "no statistics yet" and then gives zeros.
    const factor = Number(by.data[0]) === 0 ? 0 : 1 / Number(by.data[0]);
    return { ...tensor, dtype: 'float32', data: Float32Array.from(tensor.data as Float32Array, (x) => x * factor) };
  }

  /** A layer that tells classes apart, its rows in our order; undefined if it is for other classes or does not fit. */
  #classLayer(spec: ParameterSpec, rows: ClassRows, tensor: Tensor<'float32'>): Tensor<'float32'> | undefined {
    const [wanted, ...rest] = spec.shape;
    const found = withShape([elementCount(tensor.shape) / elementCount(rest), ...rest], tensor);
    const count = found && classCount(rows, found.shape[0]);
    if (!found || count === undefined) return undefined;
    this.classCount = count;
    const { classes } = this.#target;
    const background = this.#traits.background ?? rows.background;
    const known = this.sourceClasses?.length === count ? this.sourceClasses : undefined;
    const same = count === classes.length && (known === undefined || known.every((name, i) => name === classes[i]));
    if (same) {
      if (background === rows.background) return wanted === found.shape[0] ? found : undefined;
      this.#changes.add(`the background moved from the ${background} to the ${rows.background} place`);
      return rearranged(found, rows, background, [...classes.keys()]);
    }
    this.#otherClasses.push(spec.name);
    const places = known ? placesOf(known, classes) : [];
    if (!this.#fresh || places.every((place) => place === undefined)) return undefined;
    for (const [i, place] of places.entries()) if (place !== undefined) this.#carried.add(classes[i]);
    return rearranged(found, rows, background, places, this.#fresh(spec));
  }

  /** Deltas of a stage that was trained with other standard deviations. */
  #rescaled(parameter: string, tensor: Tensor<'float32'>): Tensor<'float32'> {
    const { recipe } = this.#target;
    const [, stage] = /^stages\.(\d)\.reg\./.exec(parameter) ?? [];
    const from = stage === undefined ? undefined : this.#traits.stageStds?.[Number(stage)];
    if (!from || recipe.kind !== 'cascade-rcnn') return tensor;
    const to = recipe.stages[Number(stage)].coder.stds;
    const factors = from.map((std, i) => std / to[i]);
    if (factors.every((factor) => Math.abs(factor - 1) < 1e-6)) return tensor;
    this.#changes.add("box deltas brought to the model's standard deviations");
    const perRow = tensor.data.length / tensor.shape[0];
    const data = tensor.data.map((value, i) => value * factors[Math.floor(i / perRow) % 4]);
    return { ...tensor, data };
  }

  /** Batch norms that the file has folded into the convolutions before them: they become the bias. */
  #foldedNorms(): void {
    const { recipe } = this.#target;
    for (const [name, { shape }] of this.#specs) {
      const norm = normOfVariance(name);
      if (norm === undefined || this.#taken.has(name)) continue;
      const convolution = foldedConvolution(norm, this.#specs);
      const bias = convolution === undefined ? undefined : this.#biasOf(convolution);
      if (!bias) continue;
      const values = this.#floats(bias.name, bias.tensor);
      if (values?.shape.join() !== shape.join()) {
        this.#misfit(bias.name, { ...this.#specs.get(name)!, name: `${norm}.bias` }, bias.tensor);
        continue;
      }
      for (const [vector, tensor] of normOfBias(values, epsilonOf(recipe, norm))) {
        this.#taken.set(`${norm}.${vector}`, tensor);
      }
      this.#changes.add('batch norm that was folded into the convolutions stands as their bias');
    }
  }

  #biasOf(convolution: string): { name: string; tensor: Tensor } | undefined {
    const { map, prefix } = this.#chosen;
    const weight = sourceName(map, `${convolution}.weight`);
    if (weight === undefined || !this.#taken.has(`${convolution}.weight`)) return undefined;
    const name = prefix + weight.replace(/weight$/, 'bias').replace(/\/0$/, '/1');
    const tensor = name === prefix + weight ? undefined : this.#file.tensors.get(name);
    if (tensor) this.#used.add(name);
    return tensor && { name, tensor };
  }

  /** The first convolution, made for the pictures that this model sees. */
  #adaptStem(): void {
    const to = this.#target.recipe.normalisation;
    const from = this.#traits.normalisation;
    const stem = ['backbone.conv1', 'backbone.conv1_1'].find((layer) => this.#taken.has(`${layer}.weight`));
    if (!from || stem === undefined || sameNormalisation(from, to)) return;
    const { weight, constant } = adaptStem(this.#taken.get(`${stem}.weight`)!, from, to);
    this.#taken.set(`${stem}.weight`, weight);
    const added = (name: string, sign: number) => {
      const tensor = this.#taken.get(name);
      if (tensor) this.#taken.set(name, { ...tensor, data: tensor.data.map((x, i) => x + sign * constant[i]) });
      return tensor !== undefined;
    };
    const absorbed =
      added(`${stem}.bias`, 1) || added('backbone.bn1.running_mean', -1) || constant.every((value) => value === 0);
    const order = from.order === to.order ? '' : `, from ${from.order.toUpperCase()} to ${to.order.toUpperCase()}`;
    const rest = absorbed ? '' : ' (but for the mean, since it has no bias)';
    this.#changes.add(`the first convolution fitted to this model's pixels${order}${rest}`);
  }

  #report(): LoadReport {
    const { map, prefix } = this.#chosen;
    const names = [...this.#file.tensors.keys()].filter((name) => !this.#used.has(name));
    const isUnused = (name: string) => map.unused.test(name) || map.unused.test(name.slice(prefix.length));
    const explained = new Set([...this.#misfits.map(({ parameter }) => parameter), ...this.#otherClasses]);
    return {
      source: map.source,
      taken: [...this.#taken.keys()],
      changes: [...this.#changes],
      missing: [...this.#specs.keys()].filter((name) => !this.#taken.has(name) && !explained.has(name)),
      misfits: this.#misfits,
      left: names.filter((name) => !isUnused(name)),
      unused: names.filter(isUnused),
      leftOut: this.#file.metadata['read.left_out'],
      ...(this.#otherClasses.length > 0
        ? { classes: { layers: this.#otherClasses, carried: [...this.#carried] } }
        : {}),
    };
  }
}

/** The tensor as this shape; ones may stand before it, as older Caffe files have them. Undefined if it does not fit. */
function withShape(shape: readonly number[], tensor: Tensor<'float32'>): Tensor<'float32'> | undefined {
  const spare = tensor.shape.length - shape.length;
  const fits =
    spare >= 0 &&
    tensor.shape.slice(0, spare).every((dim) => dim === 1) &&
    tensor.shape.slice(spare).every((dim, axis) => dim === shape[axis]);
  if (!fits) return undefined;
  return spare === 0 ? tensor : { ...tensor, shape };
}

function typed({ dtype, shape }: Pick<Tensor, 'dtype' | 'shape'>): string {
  return `${dtype}[${shape.join(', ')}]`;
}

function placesOf(known: readonly string[], classes: readonly string[]): ClassPlaces {
  return classes.map((name) => (known.includes(name) ? known.indexOf(name) : undefined));
}
