import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BACKGROUND, IGNORED } from '../../src/boxes/matcher.js';
import { type Choose, chooseAtRandom, sampleMatches } from '../../src/boxes/sampler.js';
import { uniforms } from './random-boxes.js';

const [B, I] = [BACKGROUND, IGNORED];
const firstOnes: Choose = (candidates, count) => candidates.slice(0, count);
const sample = (box: readonly number[], samples: number, positives: number, choose: Choose = firstOnes) => {
  const chosen = sampleMatches(Int32Array.from(box), { samples, positives }, choose);
  return { positives: [...chosen.positives], negatives: [...chosen.negatives] };
};

for (const [what, box, samples, positives, expected] of [
  ['positives to their limit, then negatives', [0, B, 1, I, 0, B, B], 4, 2, { positives: [0, 2], negatives: [1, 5] }],
  ['few positives leave their places to negatives', [B, 0, B, B, B], 4, 2, { positives: [1], negatives: [0, 2, 3] }],
  ['too few negatives leave places unused', [0, 1, 2, B], 4, 2, { positives: [0, 1], negatives: [3] }],
  ['ignored anchors never learn', [I, I, I], 2, 1, { positives: [], negatives: [] }],
  ['no more positives than samples', [0, 0, 0, B], 2, 9, { positives: [0, 1], negatives: [] }],
] as const) {
  test(`sampling: ${what}`, () => assert.deepEqual(sample(box, samples, positives), expected));
}

test('the chooser is only asked where there are more than wanted', () => {
  const asked: number[] = [];
  const choose: Choose = (candidates, count) => {
    asked.push(candidates.length);
    return candidates.slice(0, count);
  };
  sample([0, 0, B, B, B], 4, 2, choose);
  assert.deepEqual(asked, [3]);
});

test('a random choice is a set of candidates, each pair of them as likely as any other', () => {
  const choose = chooseAtRandom(uniforms(4));
  const candidates = Int32Array.of(3, 5, 8, 9, 12);
  const counts = new Map<string, number>();
  const rounds = 4000;
  for (let i = 0; i < rounds; i++) {
    const chosen = [...choose(candidates, 2)].sort((a, b) => a - b);
    assert.ok(chosen[0] !== chosen[1] && chosen.every((index) => candidates.includes(index)));
    counts.set(chosen.join(), (counts.get(chosen.join()) ?? 0) + 1);
  }
  assert.equal(counts.size, 10, 'all pairs occur');
  // Binomial with p = 1 / 10: five standard deviations are 95.
  for (const [pair, count] of counts) assert.ok(Math.abs(count - rounds / 10) < 95, `${pair}: ${count}`);
  assert.deepEqual([...candidates], [3, 5, 8, 9, 12], 'the candidates are left as they were');
});
