import assert from 'node:assert/strict';
import { test } from 'node:test';
import { centresToCorners, decodeCentres } from '../../src/boxes/coder-graph.js';
import { constant, input, type Tensor } from '../../src/graph/index.js';
import { defaultAnchors } from '../../src/models/refinedet/anchors.js';
import { decodeRefineDet, detectRefineDet } from '../../src/models/refinedet/postprocess.js';
import { readGolden } from '../golden.js';
import { fastTarget, numbersOf, referenceTarget, runner } from '../graph/harness.js';
import { needs } from '../shared.js';
import { worstError } from './closeness.js';
import { floats, paperFolder, pytorchRefineDet } from './pytorch-golden.js';

const recipe = pytorchRefineDet();
const heads = {
  armLoc: input('arm_loc', 'float32', ['batch', 6375, 4]),
  armConf: input('arm_conf', 'float32', ['batch', 6375, 2]),
  odmLoc: input('odm_loc', 'float32', ['batch', 6375, 4]),
  odmConf: input('odm_conf', 'float32', ['batch', 6375, 21]),
};
const sizes = input('sizes', 'float32', ['batch', 2]);

async function feedsOf(name: string) {
  const golden = await readGolden('refinedet-paper/detect-320.safetensors');
  const feeds: Record<string, Tensor> = { sizes: { dtype: 'float32', shape: [1, 2], data: Float32Array.of(1, 1) } };
  for (const head of ['arm_loc', 'arm_conf', 'odm_loc', 'odm_conf'])
    feeds[head] = golden.tensors.get(`${name}.${head}`)!;
  return { golden, feeds };
}

/** Rows class (from 1), score, x1, y1, x2, y2. */
function rowsOf({ boxes, scores, labels }: Record<string, Tensor>): number[][] {
  return numbersOf(labels).map((label, i) => [
    label + 1,
    Number(scores.data[i]),
    ...(boxes.data as Float32Array).subarray(i * 4, i * 4 + 4),
  ]);
}

for (const name of ['sparse', 'crowded']) {
  for (const target of [referenceTarget, fastTarget]) {
    test(`detections are the PyTorch port's, ${name}, ${target.form} form`, needs(paperFolder), async (t) => {
      const { golden, feeds } = await feedsOf(name);
      const whole = { ...recipe, postprocess: { ...recipe.postprocess, keep: undefined } };
      for (const [variant, tensor] of [
        [whole, 'detections'],
        [recipe, 'detections_keep500'],
      ] as const) {
        const expected = floats(golden, `${name}.${tensor}`);
        const graph = await runner({ ...detectRefineDet(variant, heads, sizes) }, target);
        const results = await graph.run(feeds);
        await graph.session.release();
        const rows = rowsOf(results);
        assert.ok(
          rows.every((row, i) => i === 0 || rows[i - 1][1] >= row[1]),
          'by falling score',
        );
        if (variant === whole) rows.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
        assert.equal(rows.length * 6, expected.length, 'number of detections');
        assert.deepEqual(
          rows.map(([label]) => label),
          rows.map((_, i) => expected[i * 6]),
        );
        const error = worstError(rows.flat(), expected, 0.1);
        t.diagnostic(`${tensor}: ${rows.length}, worst relative error ${error.toExponential(2)}`);
        assert.ok(error < 1e-5, `${tensor} is off by ${error}`);
      }
    });
  }

  test(`boxes before any selection are the PyTorch port's, ${name}`, needs(paperFolder), async (t) => {
    const { golden, feeds } = await feedsOf(name);
    const { centres, count } = defaultAnchors(recipe.anchors);
    const anchors = constant('float32', [1, count, 4], centres);
    const graph = await runner({
      boxes: decodeRefineDet(recipe, heads).boxes,
      refined_anchors: centresToCorners(decodeCentres(heads.armLoc, anchors, recipe.coder)),
    });
    const results = await graph.run(feeds);
    await graph.session.release();
    for (const tensor of ['boxes', 'refined_anchors']) {
      const data = results[tensor].data as Float32Array;
      const fifth = Float32Array.from({ length: 1275 * 4 }, (_, i) => data[Math.floor(i / 4) * 20 + (i % 4)]);
      const error = worstError(fifth, floats(golden, `${name}.${tensor}`), 0.1);
      t.diagnostic(`${tensor}: worst relative error ${error.toExponential(2)}`);
      assert.ok(error < 1e-5, `${tensor} is off by ${error}`);
    }
  });
}
