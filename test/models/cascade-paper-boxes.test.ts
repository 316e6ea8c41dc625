import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { BoxCoder } from '../../src/boxes/coder.js';
import { cornersToCentres, encodeBoxesGraph } from '../../src/boxes/coder-graph.js';
import { Engine } from '../../src/engine/engine.js';
import { constant, roiAlign, type Tensor, type Value } from '../../src/graph/index.js';
import { detectCascade } from '../../src/models/cascade-rcnn/postprocess.js';
import { decodeWithin } from '../../src/models/cascade-rcnn/proposals.js';
import { poolRois, roiLevels } from '../../src/models/cascade-rcnn/roi-pooling.js';
import { readGolden } from '../golden.js';
import { numbersOf } from '../graph/harness.js';
import { needs } from '../shared.js';
import { folder, limitsOfPictures, recipe, rowsFrom } from './cascade-paper-golden.js';
import { Errors, worstError } from './closeness.js';
import { fast, reference, runOnce } from './graph-session.js';
import { sameDetections } from './same-detections.js';

let engine: Engine;
before(async () => {
  engine = await Engine.start({ threads: 2 });
});
after(() => engine.dispose());

const values = ({ data }: Tensor) => data as Float32Array;
const asConstant = ({ dtype, shape, data }: Tensor) => constant(dtype, shape, data);

test("boxes are coded as mmdetection's", needs(folder), async (t) => {
  const { tensors } = await readGolden('cascade-rcnn-paper/units.safetensors');
  const part = (name: string) => asConstant(tensors.get(`coder.${name}`)!);
  const { picture } = limitsOfPictures([[200, 300]]);
  const coders: BoxCoder[] = [recipe.rpn.coder, ...recipe.stages.map(({ coder }) => coder)];
  const outputs: Record<string, Value> = {};
  coders.forEach((coder, i) => {
    outputs[`${i}.encoded`] = encodeBoxesGraph(part('gt'), cornersToCentres(part('boxes')), coder);
    outputs[`${i}.decoded`] = decodeWithin(part(`${i}.deltas`), part('boxes'), coder, picture);
  });
  const results = await runOnce(engine, outputs, {}, reference);
  const errors = new Errors();
  for (const [name, result] of Object.entries(results)) {
    const expected = values(tensors.get(`coder.${name}`)!);
    errors.add(name, worstError(numbersOf(result), expected));
  }
  t.diagnostic(`${errors}`);
  errors.assertBelow(1e-5, 'coded boxes');
});

for (const target of [reference, fast]) {
  test(`RoIs are pooled from mmdetection's levels, ${target.form} form`, needs(folder), async (t) => {
    const { tensors } = await readGolden('cascade-rcnn-paper/units.safetensors');
    const part = (name: string) => tensors.get(`roi.${name}`)!;
    const maps = [0, 1, 2, 3].map((level) => asConstant(part(`feat${level}`)));
    const pictures = values(part('rois')).filter((_, i) => i % 5 === 0);
    const rois = rowsFrom(part('rois'), 1);
    const count = pictures.length;
    // Every RoI on both pictures; the recorded one is picked below.
    const twice = Float32Array.of(...rois.data, ...rois.data);
    const flat = constant('float32', [count, 4], rois.data);
    const own = constant('int64', [count], BigInt64Array.from(pictures, BigInt));
    const onLevel = (level: number) =>
      roiAlign(maps[level], flat, own, { size: [7, 7], sampling: 0, scale: 1 / recipe.anchors.strides[level] });
    const outputs = {
      levels: roiLevels(recipe.roiAlign, flat),
      pooled: poolRois(recipe, [...maps, maps[3]], constant('float32', [2, count, 4], twice)),
      level0: onLevel(0),
      level1: onLevel(1),
    };
    const results = await runOnce(engine, outputs, {}, target);
    assert.deepEqual(numbersOf(results.levels), numbersOf(part('levels')));
    const length = values(results.pooled).length / (2 * count);
    const pooled = Array.from(pictures).flatMap((picture, i) => {
      const at = (picture * count + i) * length;
      return [...values(results.pooled).subarray(at, at + length)];
    });
    const errors = new Errors();
    errors.add('pooled', worstError(pooled, values(part('pooled'))));
    for (const name of ['level0', 'level1'] as const)
      errors.add(name, worstError(values(results[name]), values(part(name))));
    t.diagnostic(`${errors}`);
    errors.assertBelow(1e-4, 'pooled RoIs');
  });

  for (const [name, scales] of [
    ['detections', [1, 1, 1, 1]],
    ['detections_rescaled', [0.5, 0.53, 0.5, 0.53]],
  ] as const) {
    test(`${name} of many classes are mmdetection's, ${target.form} form`, needs(folder), async (t) => {
      const { tensors } = await readGolden('cascade-rcnn-paper/post.safetensors');
      const [rois, cls, reg] = ['rois', 'cls', 'reg'].map((part) => tensors.get(part)!);
      const count = rois.shape[0];
      const logits = values(cls);
      const results = recipe.stages.map((_, stage) => ({
        cls: constant('float32', [1, count, 81], logits.slice(stage * count * 81, (stage + 1) * count * 81)),
        reg: constant('float32', [1, count, 1, 4], values(reg)),
      }));
      const valid = constant('bool', [1, count], new Uint8Array(count).fill(1));
      const detections = detectCascade(
        recipe,
        { results, rois: { boxes: asConstant(rowsFrom(rois, 1)), valid } },
        limitsOfPictures([[240, 320]]),
        constant('float32', [1, 1, 4], Float32Array.from(scales)),
      );
      const errors = sameDetections(await runOnce(engine, { ...detections }, {}, target), tensors.get(name)!);
      t.diagnostic(`${errors}`);
      errors.assertBelow(1e-4, name);
    });
  }
}
