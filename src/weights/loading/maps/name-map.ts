import type { BoxCoder } from '../../../boxes/coder.js';
import { newArray, type Tensor } from '../../../graph/tensor.js';
import type { Normalisation } from '../../../models/pictures.js';

/** What a network's weights take for granted, beside names and layout. What is left out is as in the model they go into. */
export interface SourceTraits {
  /** What the network sees; weights of the first convolution fit only pictures normalised so. */
  readonly normalisation?: Normalisation;
  /** Where the background stands among the rows of the class layers. */
  readonly background?: 'first' | 'last';
  /** Standard deviations of dx, dy, dw and dh that a cascade's stages were trained with. */
  readonly stageStds?: readonly BoxCoder['stds'][];
}

/**
 * How the parameters of a boxwright model are called in another project's weight files. Where a map has a name, shape
 * and layout are the same on both sides, but for what is `transposed` and for the traits.
 */
export interface NameMap extends SourceTraits {
  /** Whose names these are, for messages. */
  readonly source: string;
  /** Names of the models that detect what the source's network does. Without it the map only gives weights to start from. */
  readonly models?: RegExp;
  /** Tried in order; the first pattern that fits a parameter's whole name says what the source calls it. */
  readonly rules: readonly NameRule[];
  /** Our parameters that the source stores transposed: matrices [in, out] of fully connected layers that are [out, in] here. */
  readonly transposed?: RegExp;
  /** A tensor of one element that this one is to be divided by, as Caffe's sums of statistics by their weight. */
  readonly divisor?: (source: string) => string | undefined;
  /** A name that stands in for this one where the file has it, such as the moving average of a parameter. */
  readonly preferred?: (source: string) => string;
  /** Tensors of the source that no model of ours has, such as optimizer state or a classifier. */
  readonly unused: RegExp;
  /** How a file of the source is written, where boxwright can. */
  readonly writing?: SourceFile;
}

/** The layout of a source's files. */
export interface SourceFile {
  readonly format: 'mindspore';
  /** Parameters are sorted by these numbers, in which they may differ from the order of our own layers. */
  readonly order: (parameter: string) => readonly number[];
  /** Tensors that the source has and our model has not: name and shape, behind the tensor `after`. Nothing reads them; they are zero. */
  readonly spare?: readonly { readonly after: string; readonly name: string; readonly shape: readonly number[] }[];
}

export interface NameRule {
  readonly parameter: RegExp;
  /** Gets the pattern's groups. */
  readonly name: (...groups: string[]) => string;
}

/** The source's name of one of our parameters, or undefined where the source has no such tensor. */
export function sourceName(map: NameMap, parameter: string): string | undefined {
  for (const rule of map.rules) {
    const match = rule.parameter.exec(parameter);
    if (match) return rule.name(...match.slice(1));
  }
  return undefined;
}

/** Parameter name → source name for all parameters that the source has. */
export function sourceNames(map: NameMap, parameters: Iterable<string>): Map<string, string> {
  const names = new Map<string, string>();
  for (const parameter of parameters) {
    const name = sourceName(map, parameter);
    if (name !== undefined) names.set(parameter, name);
  }
  return names;
}

/** A tensor of the source laid out as our parameter of this name. What is no matrix stays as it is and fits nowhere. */
export function fromSource(map: NameMap, parameter: string, tensor: Tensor): Tensor {
  return map.transposed?.test(parameter) && tensor.shape.length === 2 ? transposeMatrix(tensor) : tensor;
}

/** Shape in which the source keeps our parameter of this name and shape. */
export function sourceShape(map: NameMap, parameter: string, shape: readonly number[]): readonly number[] {
  return map.transposed?.test(parameter) ? [...shape].reverse() : shape;
}

/** Blocks of this many rows and columns keep both sides of the copy in the processor's cache. */
const block = 64;

function transposeMatrix(tensor: Tensor): Tensor {
  const [rows, columns] = tensor.shape;
  const from = tensor.data;
  const to = newArray(tensor.dtype, from.length);
  for (let top = 0; top < rows; top += block) {
    const bottom = Math.min(top + block, rows) * columns;
    for (let left = 0; left < columns; left += block) {
      for (let column = left; column < Math.min(left + block, columns); column++) {
        let at = column * rows + top;
        for (let i = top * columns + column; i < bottom; i += columns) to[at++] = from[i];
      }
    }
  }
  return { ...tensor, shape: [columns, rows], data: to };
}
