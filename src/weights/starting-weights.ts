import { BoxwrightError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import { nearestName } from '../models/nearest-name.js';
import type { ParameterSpec } from '../nn/parameters.js';

/** What of a file goes into a model. */
export interface StartingWeights {
  /** Values for the model's parameters by name. */
  readonly taken: ReadonlyMap<string, Tensor<'float32'>>;
  /** Parameters that the file has nothing for: they start fresh. */
  readonly missing: readonly string[];
  /** Tensors of the file that the model has no place for. */
  readonly left: readonly string[];
  /** Tensors whose shape does not fit, such as the heads of another class list: they start fresh too. */
  readonly misfits: readonly string[];
  /** Batch norm layers whose statistics came with the weights (or were folded into them) and should stay. */
  readonly fixedLayers: ReadonlySet<string>;
}

/** Names under which a source may keep our parameters: as they are, or without the part of the detector. */
const prefixes = ['', 'backbone.'];

/**
 * Matches a file's tensors to a model's parameters by name: our own names, or a backbone's in torchvision's names.
 * Convolutions with a bias where the model has batch norm behind them are taken as folded: the norm becomes the bias.
 *
 * @param epsilon of the model's batch norm, which a folded layer has to cancel
 * @throws BoxwrightError `weights` if nothing fits, with the nearest names.
 */
export function matchStartingWeights(
  specs: ReadonlyMap<string, ParameterSpec>,
  tensors: ReadonlyMap<string, Tensor>,
  epsilon: number,
  source: string,
): StartingWeights {
  const taken = new Map<string, Tensor<'float32'>>();
  const left: string[] = [];
  const misfits: string[] = [];
  const fixedLayers = new Set<string>();
  for (const [name, tensor] of tensors) {
    const target = prefixes.map((prefix) => prefix + name).find((own) => specs.has(own));
    const folded = target ? undefined : foldedNorm(specs, name);
    const place = specs.get(folded ? `${folded}.bias` : (target ?? ''));
    if (!place) left.push(name);
    else if (place.shape.join() !== tensor.shape.join() || tensor.dtype !== 'float32') misfits.push(name);
    else if (!folded) taken.set(place.name, tensor as Tensor<'float32'>);
    else {
      fold(taken, place.shape, folded, tensor as Tensor<'float32'>, epsilon);
      fixedLayers.add(folded);
    }
  }
  if (taken.size === 0) throw nothingFits(specs, tensors, source);
  for (const name of taken.keys())
    if (name.endsWith('.running_var')) fixedLayers.add(name.slice(0, -'.running_var'.length));
  const missing = [...specs.keys()].filter((name) => !taken.has(name));
  return { taken, missing, left, misfits, fixedLayers };
}

/** The batch norm layer behind a convolution whose bias the file has and the model has not. */
function foldedNorm(specs: ReadonlyMap<string, ParameterSpec>, name: string): string | undefined {
  if (!name.endsWith('.bias')) return undefined;
  const layer = name.slice(0, -'.bias'.length);
  const norm = layer.endsWith('downsample.0') ? layer.replace(/0$/, '1') : layer.replace(/conv(\d)$/, 'bn$1');
  return prefixes.map((prefix) => prefix + norm).find((own) => norm !== layer && specs.has(`${own}.running_var`));
}

/** A norm that adds `bias` and changes nothing else. */
function fold(
  taken: Map<string, Tensor<'float32'>>,
  shape: readonly number[],
  norm: string,
  bias: Tensor<'float32'>,
  epsilon: number,
): void {
  const filled = (value: number): Tensor<'float32'> => ({
    dtype: 'float32',
    shape,
    data: new Float32Array(shape[0]).fill(value),
  });
  taken.set(`${norm}.weight`, filled(1));
  taken.set(`${norm}.bias`, bias);
  taken.set(`${norm}.running_mean`, filled(0));
  taken.set(`${norm}.running_var`, filled(1 - epsilon));
}

function nothingFits(
  specs: ReadonlyMap<string, ParameterSpec>,
  tensors: ReadonlyMap<string, Tensor>,
  source: string,
): BoxwrightError {
  const own = [...specs.keys()];
  const examples = [...tensors.keys()].slice(0, 3).map((name) => `"${name}" (nearest: "${nearestName(name, own)}")`);
  return new BoxwrightError(
    'weights',
    `None of the ${tensors.size} tensors in ${source} fits this model, for example ${examples.join(', ')}. Choose the model that the weights were made for.`,
  );
}
