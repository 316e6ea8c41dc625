import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SampleSizes } from '../../src/boxes/sampler.js';
import { sampleByKeys } from '../../src/boxes/sampler-graph.js';
import { cast, equal, input } from '../../src/graph/index.js';
import { numbersOf, runner } from '../graph/harness.js';
import { uniforms } from './random-boxes.js';

const batch = 2;

/** Samples of two pictures: kinds 1 positive, 0 negative, −1 neither. Unused places are given as −1. */
async function sampler(count: number, sizes: SampleSizes) {
  const kinds = input('kinds', 'int32', [batch, count]);
  const keys = input('keys', 'float32', [batch, count]);
  const samples = sampleByKeys(equal(kinds, 1), equal(kinds, 0), keys, sizes);
  const graph = await runner({
    indices: samples.indices,
    positive: cast(samples.positive, 'int32'),
    valid: cast(samples.valid, 'int32'),
  });
  return async (allKinds: readonly number[], allKeys: readonly number[]) => {
    const shape = [batch, count];
    const results = await graph.run({
      kinds: { dtype: 'int32', shape, data: Int32Array.from(allKinds) },
      keys: { dtype: 'float32', shape, data: Float32Array.from(allKeys) },
    });
    const [indices, positive, valid] = [results.indices, results.positive, results.valid].map(numbersOf);
    assert.deepEqual(results.indices.shape, [batch, sizes.samples]);
    assert.ok(indices.every((index) => index >= 0 && index < count));
    return Array.from({ length: batch }, (_, picture) => {
      const rows = Array.from({ length: sizes.samples }, (_, place) => picture * sizes.samples + place);
      return {
        chosen: rows.map((row) => (valid[row] ? indices[row] : -1)),
        positives: rows.reduce((sum, row) => sum + positive[row], 0),
      };
    });
  };
}

/** What `sampleByKeys` promises, by sorting. */
function expected(kinds: readonly number[], keys: readonly number[], { samples, positives }: SampleSizes) {
  const order = [...kinds.keys()].sort((a, b) => keys[b] - keys[a] || a - b);
  const first = order.filter((i) => kinds[i] === 1).slice(0, Math.min(positives, samples));
  const rest = order.filter((i) => kinds[i] === 0).slice(0, samples - first.length);
  const chosen = [...first, ...rest];
  return { chosen: [...chosen, ...new Array(samples - chosen.length).fill(-1)], positives: first.length };
}

for (const [what, count, sizes] of [
  ['plenty of candidates', 60, { samples: 16, positives: 4 }],
  ['fewer candidates than places', 9, { samples: 16, positives: 4 }],
  ['a single place', 5, { samples: 1, positives: 1 }],
  ['room for positives only', 12, { samples: 3, positives: 8 }],
] as const) {
  test(`sampling by keys: ${what}`, async () => {
    const sample = await sampler(count, sizes);
    const uniform = uniforms(count);
    for (const rarity of [0.05, 0.3, 0.9]) {
      // Keys in sixteenths, so that some are equal, and 0 is among them.
      const draw = (one: () => number) => Array.from({ length: batch * count }, one);
      const kinds = draw(() => (uniform() < 0.2 ? -1 : uniform() < rarity ? 1 : 0));
      const keys = draw(() => Math.floor(uniform() * 16) / 16);
      const of = (values: readonly number[], i: number) => values.slice(i * count, (i + 1) * count);
      const found = await sample(kinds, keys);
      for (const [i, own] of found.entries()) assert.deepEqual(own, expected(of(kinds, i), of(keys, i), sizes));
    }
    const none = await sample(new Array(batch * count).fill(-1), new Array(batch * count).fill(0.5));
    for (const own of none) assert.deepEqual(own, { chosen: new Array(sizes.samples).fill(-1), positives: 0 });
  });
}
