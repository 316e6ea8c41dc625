import { BatchNormalization } from '../graph/ops/normalization.js';
import type { Tensor } from '../graph/tensor.js';
import {
  apply,
  constantTensor,
  input,
  isConstant,
  isInput,
  leafName,
  type Node,
  scope,
  topological,
  type Value,
} from '../graph/value.js';

/** A graph and the values of its parameters. */
export interface WeightedGraph {
  readonly outputs: readonly Value[];
  readonly weights: ReadonlyMap<string, Tensor>;
}

/** A convolution that only a batch normalisation reads. */
interface Pair {
  readonly convolution: Node;
  readonly norm: Node;
}

/**
 * Folds every batch normalisation with fixed statistics into the convolution or transposed convolution before it, if
 * nothing else reads that convolution's output: y = ((w∗x + b) − mean)·s + bias with s = scale / √(variance + epsilon) is
 * the convolution with w·s a channel, and bias (b − mean)·s + bias. The arithmetic is in float64 and rounded once.
 *
 * The folded weight keeps the convolution's name. What cannot be folded (weights that are computed or shared) stays.
 */
export function foldBatchNorm({ outputs, weights }: WeightedGraph): WeightedGraph & { readonly folded: number } {
  const order = topological(outputs);
  const pairs = foldablePairs(order, outputs, weights);
  const folded = new Map(weights);
  const values = new Map<Value, Value>();
  for (const node of order) {
    const pair = pairs.get(node);
    if (pair) values.set(node.outputs[0], foldedConvolution(pair, values, folded));
    else rebuilt(node, values);
  }
  return { outputs: outputs.map((value) => values.get(value) ?? value), weights: folded, folded: pairs.size };
}

/** Pairs by their normalisation. */
function foldablePairs(
  order: readonly Node[],
  outputs: readonly Value[],
  weights: ReadonlyMap<string, Tensor>,
): Map<Node, Pair> {
  const readers = new Map<Value, number>();
  const count = (value: Value | undefined) => value && readers.set(value, (readers.get(value) ?? 0) + 1);
  for (const { inputs } of order) inputs.forEach(count);
  outputs.forEach(count);
  const known = (value: Value | undefined) => value === undefined || tensorOf(value, weights) !== undefined;
  const pairs = new Map<Node, Pair>();
  for (const norm of order) {
    const [x, ...statistics] = norm.inputs;
    if (norm.operator.type !== BatchNormalization.type || !x || !statistics.every(known)) continue;
    const { operator, inputs } = x.node;
    const [, weight, bias] = inputs;
    const convolves = operator.type === 'Conv' || operator.type === 'ConvTranspose';
    if (!convolves || readers.get(x) !== 1 || !known(weight) || !known(bias)) continue;
    // A weight that another convolution reads too must stay what it is there.
    if (readers.get(weight!) !== 1 || (bias && readers.get(bias) !== 1)) continue;
    if (tensorOf(weight!, weights)?.dtype === 'float32') pairs.set(norm, { convolution: x.node, norm });
  }
  return pairs;
}

function tensorOf(value: Value, weights: ReadonlyMap<string, Tensor>): Tensor | undefined {
  if (isConstant(value)) return constantTensor(value);
  return isInput(value) ? weights.get(leafName(value)) : undefined;
}

/** The node on the rebuilt inputs, or itself if none of them changed. */
function rebuilt(node: Node, values: Map<Value, Value>): void {
  const inputs = node.inputs.map((value) => value && (values.get(value) ?? value));
  if (inputs.every((value, i) => value === node.inputs[i])) return;
  const outputs = scope(node.scope, () => apply(node.operator, inputs, node.attributes));
  node.outputs.forEach((output, i) => {
    values.set(output, outputs[i]);
  });
}

function foldedConvolution(
  { convolution, norm }: Pair,
  values: Map<Value, Value>,
  weights: Map<string, Tensor>,
): Value {
  const [x, weight, bias] = convolution.inputs;
  const read = (value: Value) => tensorOf(value, weights)!.data as Float32Array;
  const [scale, shift, mean, variance] = norm.inputs.slice(1).map((value) => read(value!));
  const epsilon = norm.attributes.epsilon as number;
  const factors = Float64Array.from(scale, (value, c) => value / Math.sqrt(variance[c] + epsilon));
  const before = bias ? read(bias) : new Float32Array(factors.length);
  const transposed = convolution.operator.type === 'ConvTranspose';
  const scaled = transposed
    ? scaledByOutput(read(weight!), weight!.staticShape, factors, convolution.attributes.group as number)
    : scaledByRow(read(weight!), factors);
  const shifted = Float32Array.from(factors, (factor, c) => (before[c] - mean[c]) * factor + shift[c]);
  const nameOf = (value: Value | undefined, ending: string) =>
    value && isInput(value)
      ? leafName(value)
      : freshName(`${convolution.scope.replaceAll('/', '.')}.${ending}`, weights);
  const parameter = (wanted: string, shape: readonly number[], data: Float32Array) => {
    weights.set(wanted, { dtype: 'float32', shape, data });
    return input(wanted, 'float32', shape, 'parameter, batch norm folded in');
  };
  return scope(convolution.scope, () => {
    const inputs = [
      values.get(x!) ?? x,
      parameter(nameOf(weight, 'weight'), weight!.staticShape, scaled),
      parameter(nameOf(bias, 'bias'), [factors.length], shifted),
    ];
    return apply(convolution.operator, inputs, convolution.attributes)[0];
  });
}

function freshName(base: string, taken: ReadonlyMap<string, Tensor>): string {
  let name = base;
  for (let i = 1; taken.has(name); i++) name = `${base}.${i}`;
  return name;
}

/** Convolution: weight [out, …], a row an output channel. */
function scaledByRow(weight: Float32Array, factors: Float64Array): Float32Array {
  const perChannel = weight.length / factors.length;
  return Float32Array.from(weight, (value, i) => value * factors[Math.floor(i / perChannel)]);
}

/** Transposed convolution: weight [in, out/groups, kh, kw]; output channel = group · out/groups + column. */
function scaledByOutput(
  weight: Float32Array,
  [channels, perGroup, kh, kw]: readonly number[],
  factors: Float64Array,
  groups: number,
): Float32Array {
  return Float32Array.from(weight, (value, i) => {
    const place = Math.floor(i / (kh * kw));
    const group = Math.floor(Math.floor(place / perGroup) / (channels / groups));
    return value * factors[group * perGroup + (place % perGroup)];
  });
}
