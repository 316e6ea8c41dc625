import assert from 'node:assert/strict';
import { test } from 'node:test';
import { input } from '../../src/graph/index.js';
import { cast } from '../../src/graph/ops/elementwise.js';
import { matchRefined } from '../../src/models/refinedet/loss.js';
import type { MinedLoss } from '../../src/models/refinedet/recipe.js';
import { readGolden } from '../golden.js';
import { fastTarget, numbersOf, referenceTarget, runner } from '../graph/harness.js';
import { needs } from '../shared.js';
import { worstError } from './closeness.js';
import { boxesAndLabels, floats, integers, padded, paperFolder, pytorchRefineDet } from './pytorch-golden.js';

const recipe = pytorchRefineDet();
const maxBoxes = 16;

/** ODM targets of one picture as outputs of a graph. */
function targetsGraph(filters: MinedLoss['filters']) {
  const loss = { ...(recipe.loss as MinedLoss), filters };
  const targets = matchRefined(
    recipe,
    loss,
    { armLoc: input('arm_loc', 'float32', [1, 6375, 4]), armConf: input('arm_conf', 'float32', [1, 6375, 2]) },
    {
      boxes: input('boxes', 'float32', [1, maxBoxes, 4]),
      labels: input('labels', 'int32', [1, maxBoxes]),
    },
  );
  return {
    classes: targets.labels,
    positive: cast(targets.positive, 'int32'),
    minable: cast(targets.minable, 'int32'),
    deltas: targets.deltas,
  };
}

for (const target of [referenceTarget, fastTarget]) {
  test(`ODM targets of the graph are the recorded ones, ${target.form} form`, needs(paperFolder), async (t) => {
    const golden = await readGolden('refinedet-paper/match-320.safetensors');
    const graph = await runner(targetsGraph('positives'), target);
    for (const set of ['a', 'b', 'c', 'd', 'e']) {
      const armLoc = golden.tensors.get(`${set}.arm_loc`)!;
      const armConf = golden.tensors.get(`${set}.arm_conf`)!;
      const { classes, positive, minable, deltas } = await graph.run({
        ...padded([boxesAndLabels(golden, `${set}.boxes`)], maxBoxes),
        arm_loc: { ...armLoc, shape: [1, 6375, 4] },
        arm_conf: { ...armConf, shape: [1, 6375, 2] },
      });
      const index = integers(golden, `${set}.odm_pos_index`);
      const nonZero = numbersOf(classes).flatMap((label, i) => (label ? [i] : []));
      assert.deepEqual(nonZero, index, `${set}: matched anchors`);
      assert.deepEqual(
        index.map((i) => Number(classes.data[i])),
        integers(golden, `${set}.odm_pos_label`),
      );
      const kept = integers(golden, `${set}.odm_pos_kept`);
      assert.deepEqual(
        index.map((i) => Number(positive.data[i])),
        kept,
        `${set}: what objectness keeps`,
      );
      assert.equal(
        numbersOf(positive).reduce((sum, value) => sum + value, 0),
        kept.reduce((sum, value) => sum + value, 0),
      );
      assert.ok(numbersOf(minable).every((value, i) => value === 1 - Number(positive.data[i])));
      const rows = index.flatMap((i) => [...(deltas.data as Float32Array).subarray(i * 4, i * 4 + 4)]);
      const error = worstError(rows, floats(golden, `${set}.odm_loc_target`), 1);
      t.diagnostic(`${set}: worst error of targets ${error.toExponential(2)}`);
      assert.ok(error < 2e-5, `${set}: ${error}`);
    }
    await graph.session.release();
  });
}
