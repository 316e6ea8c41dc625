import assert from 'node:assert/strict';
import { test } from 'node:test';
import { iouMatrix } from '../../src/boxes/iou.js';
import { iouMatrixGraph } from '../../src/boxes/iou-graph.js';
import { type Matcher, matchAnchors } from '../../src/boxes/matcher.js';
import { matchAnchorsGraph } from '../../src/boxes/matcher-graph.js';
import { cast, input } from '../../src/graph/index.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { defaultAnchors, paperAnchors } from '../../src/models/refinedet/anchors.js';
import { paperMatcher, paperPytorchMatcher, zooMatcher } from '../../src/models/refinedet/targets.js';
import { numbersOf, type Runner, runner } from '../graph/harness.js';
import { crowd, randomBoxes, uniforms } from './random-boxes.js';

const { corners: anchors, count } = defaultAnchors(paperAnchors(320));
const matchers: Record<string, Matcher> = {
  'Caffe, bipartite': paperMatcher,
  'PyTorch, the last box wins': paperPytorchMatcher,
  'zoo, the first box wins': zooMatcher,
  'threshold alone': { positive: 0.5 },
  'all that tie, the last box wins': { positive: 0.6, best: { shared: 'last', ties: 'all', minimum: 1e-6 } },
  'all that tie, from a minimum on': { positive: 0.6, best: { shared: 'first', ties: 'all', minimum: 0.4 } },
};

function matcherGraph(matcher: Matcher, boxes: number): Promise<Runner> {
  const overlaps = iouMatrixGraph(input('anchors', 'float32', [1, count, 4]), input('truth', 'float32', [2, boxes, 4]));
  const valid = cast(input('valid', 'int32', [2, 1, boxes]), 'bool');
  const { box, positive, overlap } = matchAnchorsGraph(overlaps, valid, matcher);
  return runner({ box, positive: cast(positive, 'int32'), overlap, overlaps });
}

/** Feeds of two pictures, padded with zeros. */
function feedsOf(pictures: readonly Float32Array[], boxes: number): Record<string, Tensor> {
  const truth = new Float32Array(2 * boxes * 4);
  const valid = new Int32Array(2 * boxes);
  pictures.forEach((picture, i) => {
    truth.set(picture, i * boxes * 4);
    valid.fill(1, i * boxes, i * boxes + picture.length / 4);
  });
  return {
    anchors: { dtype: 'float32', shape: [1, count, 4], data: anchors },
    truth: { dtype: 'float32', shape: [2, boxes, 4], data: truth },
    valid: { dtype: 'int32', shape: [2, 1, boxes], data: valid },
  };
}

async function compare(graph: Runner, matcher: Matcher, pictures: readonly Float32Array[], boxes: number) {
  const results = await graph.run(feedsOf(pictures, boxes));
  const [box, positive, overlap] = [results.box, results.positive, results.overlap].map(numbersOf);
  pictures.forEach((picture, i) => {
    const expected = matchAnchors(anchors, picture, matcher);
    const own = Array.from({ length: count }, (_, n) => (positive[i * count + n] ? box[i * count + n] : -1));
    assert.deepEqual(own, [...expected.box], `picture ${i} with ${picture.length / 4} boxes`);
    if (picture.length) assert.deepEqual(overlap.slice(i * count, (i + 1) * count), [...expected.overlap]);
  });
}

for (const [name, matcher] of Object.entries(matchers)) {
  test(`matching in the graph is the host's: ${name}`, async () => {
    const graph = await matcherGraph(matcher, 12);
    const uniform = uniforms(3);
    for (let round = 0; round < 6; round++) {
      await compare(graph, matcher, [randomBoxes(1 + round * 2, uniform), randomBoxes(12, uniform)], 12);
    }
    await compare(graph, matcher, [new Float32Array(), randomBoxes(3, uniform, 0.001, 0.01)], 12);
    await compare(graph, matcher, [Float32Array.of(0, 0, 1, 1), Float32Array.of(0.999, 0.999, 1, 1)], 12);
    await compare(graph, matcher, [crowd(3, uniform), crowd(2, uniform)], 12);
    await graph.session.release();
  });
}

test('a crowd of boxes gets an anchor each, bipartite', async () => {
  const graph = await matcherGraph(paperMatcher, 24);
  const uniform = uniforms(8);
  for (let round = 0; round < 4; round++) {
    await compare(graph, paperMatcher, [crowd(24, uniform), crowd(4 + 4 * round, uniform)], 24);
  }
  await graph.session.release();
});

test('ignored anchors are refused', () => {
  const [overlaps, valid] = [input('overlaps', 'float32', [1, 4, 2]), input('valid', 'bool', [1, 1, 2])];
  assert.throws(() => matchAnchorsGraph(overlaps, valid, { positive: 0.7, negative: 0.3 }), { code: 'config' });
});

test("overlaps in the graph are the host's to the last bit", async () => {
  const graph = await matcherGraph(paperMatcher, 12);
  const uniform = uniforms(5);
  const boxes = randomBoxes(12, uniform);
  const { overlaps } = await graph.run(feedsOf([boxes, boxes], 12));
  await graph.session.release();
  const expected = iouMatrix(anchors, boxes);
  assert.deepEqual((overlaps.data as Float32Array).subarray(0, count * 12), expected);
});
