// Cascade R-CNN of the MindSpore zoo with the hashed weights of ../shared/golden/cascade-rcnn-zoo.
import assert from 'node:assert/strict';
import { elementCount, type Tensor } from '../../src/graph/tensor.js';
import { zooCascadeRcnn } from '../../src/models/cascade-rcnn/recipes.js';
import type { ParameterSpec } from '../../src/nn/parameters.js';
import { cascadeRcnnZoo } from '../../src/weights/loading/maps/cascade-rcnn-zoo.js';
import { sourceName } from '../../src/weights/loading/maps/name-map.js';
import { aroundOne, bias, convWeight, unit } from '../hashfill.js';
import { loadedByName } from './loaded-by-name.js';

export const folder = 'golden/cascade-rcnn-zoo';
export const canvas = { height: 192, width: 320 };
/** Classes of COCO, which the recorded networks tell apart. */
export const recipe = zooCascadeRcnn(80);

/** Start and end of weights' names and what multiplies them; the first that fits counts. */
export type Gains = readonly (readonly [start: string, end: string, gain: number])[];

export function nameOf(parameter: string): string {
  return sourceName(cascadeRcnnZoo, parameter) ?? assert.fail(`${cascadeRcnnZoo.source} has no ${parameter}`);
}

/** Parameters by the names of our model, from a file of `zooValues` that is loaded like any. */
export function zooWeights(specs: Iterable<ParameterSpec>, gains: Gains, seed = 'dev'): Record<string, Tensor> {
  return loadedByName(cascadeRcnnZoo, recipe, specs, (name, shape) => zooValues(name, shape, gains, seed));
}

/** The chapter "Weights" of the folder's README. */
export function zooValues(name: string, shape: readonly number[], gains: Gains, seed = 'dev'): Float32Array {
  const key = `${seed}:${name}`;
  if (/\.(gamma|moving_variance)$/.test(name)) return aroundOne(key, shape);
  if (/\.(bias|beta|moving_mean)$/.test(name)) return bias(key, shape);
  const gain = gains.find(([start, end]) => name.startsWith(start) && name.endsWith(end))?.[2] ?? 1;
  return shape.length === 2 ? denseWeight(key, shape, gain) : convWeight(key, shape, gain);
}

/** Weights [in, out]: the fan in is the first axis. */
function denseWeight(key: string, shape: readonly number[], gain: number): Float32Array {
  const scale = gain * Math.sqrt(6 / shape[0]);
  return new Float32Array(unit(key, shape).map((value) => value * scale));
}

/** A recorded canvas [N, H, W, 3] or [H, W, 3] BGR as RGB pictures [N, H, W, 3]. */
export function rgb({ data, shape }: Tensor): Tensor<'uint8'> {
  const bytes = data as Uint8Array;
  const swapped = bytes.map((_, i) => bytes[i - (i % 3) + 2 - (i % 3)]);
  return { dtype: 'uint8', shape: shape.length === 3 ? [1, ...shape] : shape, data: swapped };
}

export interface Sampled {
  readonly shape: readonly number[];
  readonly step: number;
  readonly values: Float32Array;
  /** √ of the mean square. */
  readonly scale: number;
}

/** A tensor of which a file keeps every `step`-th element. */
export function sampledIn(tensors: ReadonlyMap<string, Tensor>, name: string): Sampled {
  const part = (kind: string) => tensors.get(`${name}.${kind}`) ?? assert.fail(`no ${name}.${kind}`);
  const [mean, deviation] = part('mean_std').data as Float64Array;
  return {
    shape: Array.from(part('shape').data as BigInt64Array, Number),
    step: Number(part('step').data[0]),
    values: part('sample').data as Float32Array,
    scale: Math.hypot(mean, deviation),
  };
}

/** The tensor without its first axes: rows of all pictures in one list. */
export function flat(tensor: Tensor, width: number): Tensor {
  return { ...tensor, shape: [elementCount(tensor.shape) / width, width] };
}
