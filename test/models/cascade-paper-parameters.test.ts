import assert from 'node:assert/strict';
import { test } from 'node:test';
import { input } from '../../src/graph/index.js';
import { pyramidAndRpn, stageHead } from '../../src/models/cascade-rcnn/network.js';
import { paperCascadeRcnn } from '../../src/models/cascade-rcnn/recipes.js';
import { Parameters } from '../../src/nn/parameters.js';
import { cascadeRcnnMmdetection } from '../../src/weights/loading/maps/cascade-rcnn-mmdetection.js';
import { needs } from '../shared.js';
import { canvas, folder, frozen, sourceOf } from './cascade-paper-golden.js';
import { readJson } from './zoo-golden.js';

type Listed = [name: string, shape: number[], dtype: string, trainable: boolean];

for (const depth of [50, 101]) {
  test(`our parameters are mmdetection's, ResNet-${depth}`, needs(folder), async () => {
    const listed = await readJson<Listed[]>(`${folder}/names-r${depth}.json`);
    const recipe = paperCascadeRcnn(`resnet${depth}`, 80);
    const p = new Parameters({ training: true, fixedStatistics: () => true });
    pyramidAndRpn(p, recipe, input('pictures', 'float32', [1, 3, canvas.height, canvas.width]));
    const pooled = input('pooled', 'float32', [8, 256, 7, 7]);
    recipe.stages.forEach((_, stage) => {
      stageHead(p, recipe, stage, pooled);
    });
    const ours = [...p.specs.values()].map((spec) => [sourceOf(spec.name), spec] as const);
    assert.equal(new Set(ours.map(([name]) => name)).size, ours.length, 'each has a name of its own');

    const { unused } = cascadeRcnnMmdetection;
    const used = listed.filter(([name]) => !unused.test(name));
    assert.deepEqual(
      new Map(ours.map(([name, { name: own, shape, trainable }]) => [name, [shape, trainable && !frozen(own)]])),
      new Map(used.map(([name, shape, , trainable]) => [name, [shape, trainable]])),
    );
    assert.ok(
      ours.every(([, { trainable, decay }]) => !trainable || decay),
      'weight decay moves all alike',
    );
    assert.ok(listed.every(([name, , dtype]) => unused.test(name) === (dtype === 'int64')));
  });
}
