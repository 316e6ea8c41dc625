import { BoxwrightError } from '../errors.js';
import {
  add,
  batchNormTraining,
  batchNorm as batchNormWith,
  type ConvOptions,
  conv2d,
  convTranspose2d,
  div,
  gemm,
  maximum,
  mul,
  perChannel,
  reduceSum,
  scope,
  sqrt,
  type Value,
} from '../graph/index.js';
import { filledWith, heNormal, type Initializer, ones, xavierUniform, zeros } from './initializers.js';
import type { Parameters } from './parameters.js';

/** How an optimizer treats biases: Caffe doubles their rate and does not decay them. */
export interface BiasRule {
  readonly decay: boolean;
  readonly rate: number;
}

export interface ConvLayer extends Omit<ConvOptions, 'bias'> {
  readonly out: number;
  readonly kernel: number;
  /** Default true. */
  readonly bias?: boolean;
  readonly biasRule?: BiasRule;
  readonly initial?: Initializer;
  readonly initialBias?: Initializer;
}

/** Channels of a feature map [N, C, H, W]. */
export function channelsOf(x: Value): number {
  const channels = x.shape[1];
  if (typeof channels !== 'number') throw new BoxwrightError('shape', `A layer needs to know the channels of ${x}.`);
  return channels;
}

/** The scope of a parameter's layer: the dots of its name become slashes. */
function inScope<T>(name: string, build: () => T): T {
  return scope(name.replaceAll('.', '/'), build);
}

/** Convolution of x [N, C, H, W]; parameters `name.weight` [out, C/groups, k, k] and `name.bias` [out]. */
export function conv(p: Parameters, name: string, x: Value, layer: ConvLayer): Value {
  const { out, kernel, bias = true, biasRule, initial = heNormal('in'), initialBias = zeros, ...options } = layer;
  const perGroup = channelsOf(x) / (options.groups ?? 1);
  return inScope(name, () => {
    const weight = p.get(`${name}.weight`, [out, perGroup, kernel, kernel], initial);
    return conv2d(x, weight, {
      ...options,
      bias: bias ? p.get(`${name}.bias`, [out], initialBias, biasRule) : undefined,
    });
  });
}

/** Transposed convolution that doubles height and width: kernel 2, stride 2. `name.weight` is [C, out, 2, 2]. */
export function upConv(p: Parameters, name: string, x: Value, layer: Omit<ConvLayer, 'kernel'>): Value {
  const { out, bias = true, biasRule, initial = heNormal('in'), initialBias = zeros } = layer;
  return inScope(name, () => {
    const weight = p.get(`${name}.weight`, [channelsOf(x), out, 2, 2], initial);
    return convTranspose2d(x, weight, {
      stride: 2,
      bias: bias ? p.get(`${name}.bias`, [out], initialBias, biasRule) : undefined,
    });
  });
}

export interface LinearLayer {
  readonly out: number;
  readonly initial?: Initializer;
}

/** Fully connected layer of x [rows, in]: parameters `name.weight` [out, in] and `name.bias` [out]. */
export function linear(p: Parameters, name: string, x: Value, { out, initial = xavierUniform }: LinearLayer): Value {
  const into = x.shape[1];
  if (x.rank !== 2 || typeof into !== 'number')
    throw new BoxwrightError('shape', `A fully connected layer wants rows of a known length, not ${x}.`);
  return inScope(name, () => {
    const weight = p.get(`${name}.weight`, [out, into], initial);
    return gemm(x, weight, { transB: true, c: p.get(`${name}.bias`, [out], zeros) });
  });
}

export interface BatchNormLayer {
  readonly epsilon: number;
  /** Weight of the batch in the running statistics: running = (1 − momentum)·running + momentum·batch. */
  readonly momentum: number;
  readonly initialScale?: number;
  /** Whether weight decay applies to scale and bias, which is not the rule. */
  readonly decay?: boolean;
}

/**
 * Batch normalisation (Ioffe & Szegedy 2015): `name.weight`, `name.bias`, `name.running_mean`, `name.running_var`. In
 * training with the batch's statistics, and running ones that take the unbiased variance, as PyTorch and MindSpore do.
 */
export function batchNorm(p: Parameters, name: string, x: Value, layer: BatchNormLayer): Value {
  const { epsilon, momentum, initialScale = 1, decay = false } = layer;
  const vector = [channelsOf(x)];
  return inScope(name, () => {
    const scale = p.get(`${name}.weight`, vector, filledWith(initialScale), { decay });
    const bias = p.get(`${name}.bias`, vector, zeros, { decay });
    const runningMean = p.get(`${name}.running_mean`, vector, zeros, { trainable: false });
    const runningVariance = p.get(`${name}.running_var`, vector, ones, { trainable: false });
    if (!p.usesBatchStatistics(name)) {
      return batchNormWith(x, { scale, bias, mean: runningMean, variance: runningVariance }, epsilon);
    }
    const { y, mean, variance } = batchNormTraining(x, scale, bias, epsilon);
    const [n, , h, w] = x.staticShape;
    const count = n * h * w;
    const unbiased = count / Math.max(count - 1, 1);
    const moved = (running: Value, batch: Value, factor: number) =>
      add(mul(running, 1 - momentum), mul(batch, momentum * factor));
    p.update(`${name}.running_mean`, moved(runningMean, mean, 1));
    p.update(`${name}.running_var`, moved(runningVariance, variance, unbiased));
    return y;
  });
}

/** How the norm is kept from zero: √Σ + epsilon, √(Σ + epsilon), or √max(Σ, epsilon). */
export interface L2NormLayer {
  readonly scale: number;
  readonly epsilon: number;
  readonly guard: 'outside' | 'inside' | 'maximum';
}

/** x over its length across channels, times a learned weight a channel (ParseNet, Liu et al. 2015). */
export function l2Norm(p: Parameters, name: string, x: Value, { scale, epsilon, guard }: L2NormLayer): Value {
  return inScope(name, () => {
    const squares = reduceSum(mul(x, x), [1], { keepDims: true });
    const norm = {
      outside: () => add(sqrt(squares), epsilon),
      inside: () => sqrt(add(squares, epsilon)),
      maximum: () => sqrt(maximum(squares, epsilon)),
    }[guard]();
    const weight = p.get(`${name}.weight`, [channelsOf(x)], filledWith(scale));
    return mul(div(x, norm), perChannel(weight, x.rank));
  });
}
