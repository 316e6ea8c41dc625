// RefineDet of the MindSpore zoo with the hashed weights of ../shared/golden/refinedet-zoo.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { Tensor } from '../../src/graph/tensor.js';
import { zooRefineDet } from '../../src/models/refinedet/recipes.js';
import type { ParameterSpec } from '../../src/nn/parameters.js';
import { type NameMap, sourceName } from '../../src/weights/loading/maps/name-map.js';
import { refineDetZooResNet101, refineDetZooVgg16 } from '../../src/weights/loading/maps/refinedet-zoo.js';
import { aroundOne, bias, convWeight } from '../hashfill.js';
import { shared } from '../shared.js';
import { loadedByName } from './loaded-by-name.js';

export const folder = 'golden/refinedet-zoo';
export const zooMaps: Readonly<Record<string, NameMap>> = {
  vgg16: refineDetZooVgg16,
  resnet101: refineDetZooResNet101,
};

export async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(shared(path)!, 'utf8')) as T;
}

export function nameOf(map: NameMap, { name }: Pick<ParameterSpec, 'name'>): string {
  return sourceName(map, name) ?? assert.fail(`${map.source} has no ${name}`);
}

/** Parameters by the names of our model, from a file of `zooValues` that is loaded like any. */
export function zooWeights(map: NameMap, specs: Iterable<ParameterSpec>, seed = 'dev'): Record<string, Tensor> {
  const [backbone] = Object.entries(zooMaps).find(([, own]) => own === map)!;
  return loadedByName(map, zooRefineDet(backbone, 320, 80), specs, (name, shape) => zooValues(name, shape, seed));
}

/** The table "Weights" of the folder's README. */
export function zooValues(name: string, shape: readonly number[], seed = 'dev'): Float32Array {
  const key = `${seed}:${name}`;
  if (/\.bn3\.gamma$/.test(name)) return aroundOne(key, shape).map((value) => 0.25 * value);
  if (/\.(gamma|moving_variance)$/.test(name)) return aroundOne(key, shape);
  if (/\.(bias|beta|moving_mean)$/.test(name)) return bias(key, shape);
  if (shape.length === 1) return aroundOne(key, shape, name.includes('tcb0') ? 10 : 8);
  return convWeight(key, shape);
}
