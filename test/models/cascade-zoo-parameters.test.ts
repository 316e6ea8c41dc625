import assert from 'node:assert/strict';
import { test } from 'node:test';
import { input } from '../../src/graph/index.js';
import { pyramidAndRpn, stageHead } from '../../src/models/cascade-rcnn/network.js';
import { Parameters } from '../../src/nn/parameters.js';
import { cascadeRcnnZoo } from '../../src/weights/loading/maps/cascade-rcnn-zoo.js';
import { fromSource, sourceShape } from '../../src/weights/loading/maps/name-map.js';
import { needs } from '../shared.js';
import { canvas, folder, nameOf, recipe } from './cascade-zoo-golden.js';
import { readJson } from './zoo-golden.js';

interface Listed {
  readonly name: string;
  readonly shape: number[];
  readonly trainable: boolean;
}

interface Recorded {
  readonly network: Listed[];
  readonly optimizer_extra: Listed[];
  readonly elements: number;
  readonly trainable: number;
  readonly weight_decay_applies_to: string[];
}

/** The stem and C2 stay as they came. */
const frozen = /^backbone\.(conv1|bn1|layer1\.)/;

test("the zoo's parameters all have a place, or are named as unused", needs(folder), async () => {
  const recorded = await readJson<Recorded>(`${folder}/parameters.json`);
  const p = new Parameters({ training: true, fixedStatistics: () => true });
  pyramidAndRpn(p, recipe, input('pictures', 'float32', [1, 3, canvas.height, canvas.width]));
  const pooled = input('pooled', 'float32', [8, 256, 7, 7]);
  recipe.stages.forEach((_, stage) => {
    stageHead(p, recipe, stage, pooled);
  });
  const ours = [...p.specs.values()].map((spec) => [nameOf(spec.name), spec] as const);
  assert.equal(new Set(ours.map(([name]) => name)).size, ours.length, 'each has a name of its own');

  const { unused } = cascadeRcnnZoo;
  const used = recorded.network.filter(({ name }) => !unused.test(name));
  assert.deepEqual(
    new Map(ours.map(([name, { name: own, shape }]) => [name, sourceShape(cascadeRcnnZoo, own, shape)])),
    new Map(used.map(({ name, shape }) => [name, shape])),
  );
  assert.deepEqual(
    recorded.network.filter(({ name }) => unused.test(name)).map(({ name }) => name),
    [0, 1].flatMap((stage) => ['weight', 'bias'].map((kind) => `rcnn${stage || ''}.reg_scores_class_ang.${kind}`)),
  );
  assert.ok(recorded.optimizer_extra.every(({ name }) => unused.test(name)));

  const trained = ours.filter(([, { name, trainable }]) => trainable && !frozen.test(name));
  const decays = (name: string) => recorded.weight_decay_applies_to.includes(name);
  assert.deepEqual(
    new Map(trained.map(([name, { decay }]) => [name, decay])),
    new Map(used.filter(({ trainable }) => trainable).map(({ name }) => [name, decays(name)])),
  );
  assert.equal(trained.length + 4, recorded.trainable);
});

test('what a source keeps as [in, out] becomes [out, in]', () => {
  const data = Float32Array.of(1, 2, 3, 4, 5, 6);
  const stored = { dtype: 'float32', shape: [2, 3], data } as const;
  const turned = fromSource(cascadeRcnnZoo, 'stages.2.cls.weight', stored);
  assert.deepEqual(turned, { dtype: 'float32', shape: [3, 2], data: Float32Array.of(1, 4, 2, 5, 3, 6) });
  assert.equal(fromSource(cascadeRcnnZoo, 'rpn.cls.weight', stored), stored);
  const large = Float32Array.from({ length: 70 * 45 }, (_, i) => i);
  const all = fromSource(cascadeRcnnZoo, 'stages.0.fc1.weight', { dtype: 'float32', shape: [70, 45], data: large });
  for (let i = 0; i < large.length; i++) assert.equal(all.data[(i % 45) * 70 + Math.floor(i / 45)], i);
});
