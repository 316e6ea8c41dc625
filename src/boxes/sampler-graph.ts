import {
  add,
  cast,
  concat,
  gatherElements,
  greaterOrEqual,
  less,
  minimum,
  range,
  reduceSum,
  reshape,
  sub,
  topK,
  type Value,
  where,
} from '../graph/index.js';
import type { SampleSizes } from './sampler.js';

/** Chosen candidates: positives first, then negatives, each by falling key, then unused places. */
export interface GraphSamples {
  /** int64 [N, samples]: the candidate; any where `valid` is false */
  readonly indices: Value;
  /** bool [N, samples] */
  readonly positive: Value;
  /** bool [N, samples]: places that are used */
  readonly valid: Value;
}

/**
 * Graph form of `sampleMatches`, for candidates that depend on the network's output: of the positives those with the
 * largest keys, then negatives likewise. Uniform random keys make every choice equally likely; of equal keys the first
 * counts as larger.
 *
 * @param positive,negative bool [N, candidates]; candidates that are neither are not chosen
 * @param keys float32 [N, candidates], none below 0
 */
export function sampleByKeys(
  positive: Value,
  negative: Value,
  keys: Value,
  { samples, positives }: SampleSizes,
): GraphSamples {
  const [, candidates] = keys.staticShape;
  const first = largest(positive, keys, Math.min(positives, samples, candidates));
  const rest = largest(negative, keys, Math.min(samples, candidates));
  const place = reshape(range(samples), [1, samples]);
  const isPositive = less(place, first.count);
  // Where a place's candidate stands in the two lists, one behind the other.
  const inRest = minimum(sub(place, first.count), rest.most - 1);
  const from = where(isPositive, place, add(inRest, first.most));
  return {
    indices: gatherElements(concat([first.indices, rest.indices], 1), from, 1),
    positive: isPositive,
    valid: less(place, add(first.count, rest.count)),
  };
}

/** The candidates with the largest keys: int64 indices [N, most], of which the first `count` (int64 [N, 1]) count. */
function largest(among: Value, keys: Value, most: number): { indices: Value; count: Value; most: number } {
  const { values, indices } = topK(where(among, keys, -1), most, 1);
  const count = reduceSum(cast(greaterOrEqual(values, 0), 'int64'), [1], { keepDims: true });
  return { indices, count, most };
}
