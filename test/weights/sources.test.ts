// Every name and shape that a source's files are known to have goes somewhere, and nothing of a model is missing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelRecipe } from '../../src/models/model.js';
import { loadWeights, startFrom } from '../../src/weights/loading/load-weights.js';
import type { WeightFile } from '../../src/weights/weight-file.js';
import { readJson } from '../models/zoo-golden.js';
import { needs } from '../shared.js';
import { detectron2Names } from './detectron2-names.js';
import { type Listed, listedFile, someClasses } from './listed-file.js';

interface Parameter {
  readonly name: string;
  readonly shape: number[];
  readonly dtype?: string;
}
interface CaffeLayer {
  readonly layer: string;
  readonly blobs: number[][];
}

const rows = (list: readonly Parameter[]): Listed[] => list.map(({ name, shape, dtype }) => [name, shape, dtype]);

/** Loads strictly and holds that nothing is missing, misshapen or without a place. */
function assertWhole(file: WeightFile, model: string, classes: number) {
  const target = { recipe: modelRecipe(model, classes), model, classes: someClasses(classes) };
  const { report, taken } = loadWeights('file', file, target);
  assert.deepEqual(
    { left: report.left, missing: report.missing, misfits: report.misfits },
    { left: [], missing: [], misfits: [] },
  );
  const spares = report.unused.length;
  return { report, taken, spares };
}

for (const backbone of ['vgg16', 'resnet101']) {
  for (const size of [320, 512]) {
    const list = `golden/refinedet-zoo/parameters_${backbone}-${size}.json`;
    test(`the MindSpore zoo's RefineDet, ${backbone} at ${size}`, needs(list), async () => {
      const { train, eval: evaluation } = await readJson<Record<'train' | 'eval', Parameter[]>>(list);
      const model = `refinedet-${backbone}-${size}-zoo`;
      assert.equal(assertWhole(listedFile(rows(evaluation), { format: 'mindspore' }), model, 80).spares, 0);
      const { spares } = assertWhole(listedFile(rows(train), { format: 'mindspore' }), model, 80);
      assert.equal(spares, train.length - evaluation.length, 'optimizer state has no place');
    });
  }
}

const cascade = 'golden/cascade-rcnn-zoo/parameters.json';
test("the MindSpore zoo's Cascade R-CNN", needs(cascade), async () => {
  const recorded = await readJson<{ network: Parameter[]; optimizer_extra: Parameter[] }>(cascade);
  const { network, optimizer_extra: extra } = recorded;
  const file = listedFile([...rows(network), ...rows(extra)], { format: 'mindspore' });
  // Two class-agnostic regressors, weight and bias, that the network never reads.
  assert.equal(assertWhole(file, 'cascade-rcnn-resnet101-zoo', 80).spares, extra.length + 4);
});

for (const depth of [50, 101]) {
  const list = `golden/cascade-rcnn-paper/names-r${depth}.json`;
  test(`mmdetection's Cascade R-CNN, ResNet-${depth}`, needs(list), async () => {
    const names = await readJson<Listed[]>(list);
    const counters = names.filter(([name]) => name.endsWith('num_batches_tracked'));
    assert.equal(assertWhole(listedFile(names), `cascade-rcnn-resnet${depth}`, 80).spares, counters.length);
    // Wrapped for several devices, and with what version 3 may add.
    const wrapped: Listed[] = names.map(([name, ...rest]) => [`module.${name}`, ...rest]);
    const more: Listed[] = [
      ['module.data_preprocessor.mean', [3, 1, 1]],
      ['module.data_preprocessor.std', [3, 1, 1]],
    ];
    assertWhole(listedFile([...wrapped, ...more]), `cascade-rcnn-resnet${depth}`, 80);
  });

  test(`detectron2's Cascade R-CNN with a mask head, ResNet-${depth}`, () => {
    const names = detectron2Names(depth === 50 ? [3, 4, 6, 3] : [3, 4, 23, 3], 80);
    const file = listedFile(names, { format: 'numpy-pickle' });
    assertWhole(file, `cascade-rcnn-resnet${depth}-detectron2`, 80);
    const { report } = assertWhole(file, `cascade-rcnn-resnet${depth}`, 80);
    assert.deepEqual(
      [...report.changes].sort(),
      [
        "box deltas brought to the model's standard deviations",
        "the first convolution fitted to this model's pixels, from BGR to RGB",
      ],
      'into the published model with changes',
    );
  });
}

for (const [data, classes] of [
  ['voc', 20],
  ['coco', 80],
] as const) {
  const list = `golden/refinedet-paper/names-pytorch-${data}.json`;
  test(`luuuyi's RefineDet, ${data}`, needs(list), async () => {
    const file = listedFile(await readJson<Listed[]>(list));
    for (const size of [320, 512]) {
      assert.deepEqual(assertWhole(file, `refinedet-vgg16-${size}-luuuyi`, classes).report.changes, []);
      const { changes } = assertWhole(file, `refinedet-vgg16-${size}`, classes).report;
      assert.deepEqual(changes, ["the first convolution fitted to this model's pixels, from RGB to BGR"]);
    }
  });
}

for (const [model, data, classes] of [
  ['vgg16', 'voc', 20],
  ['vgg16', 'coco', 80],
  ['resnet101', 'coco', 80],
] as const) {
  for (const size of [320, 512]) {
    const list = `golden/refinedet-paper/names-caffe-${model}-${data}-${size}.json`;
    test(`the Caffe RefineDet, ${model}, ${data} at ${size}`, needs(list), async () => {
      const layers = await readJson<CaffeLayer[]>(list);
      const blobs = layers.flatMap(({ layer, blobs: shapes }) =>
        shapes.map((shape, i): Listed => [`${layer}/${i}`, shape]),
      );
      const { report } = assertWhole(listedFile(blobs, { format: 'caffe' }), `refinedet-${model}-${size}`, classes);
      assert.deepEqual(
        report.unused,
        blobs.filter(([name, shape]) => name.endsWith('/2') && shape.join() === '1').map(([name]) => name),
      );
    });
  }
}

for (const [name, model] of [
  ['resnet50', 'cascade-rcnn-resnet50'],
  ['resnet101', 'refinedet-resnet101-320'],
  ['vgg16', 'refinedet-vgg16-320'],
] as const) {
  const list = `golden/backbones-torchvision/${name}.json`;
  test(`torchvision's ${name} starts ${model}`, needs(list), async () => {
    const target = { recipe: modelRecipe(model, 3), model, classes: someClasses(3) };
    const { report } = startFrom('file', listedFile(await readJson<Listed[]>(list)), target, ({ shape }) => {
      throw new Error(`no class rows to fill in ${shape}`);
    });
    assert.deepEqual([report.left, report.misfits, report.classes], [[], [], undefined]);
    assert.ok(report.missing.every((parameter) => !/^backbone\.(conv[1-5]|bn1|layer)/.test(parameter)));
    assert.ok(report.unused.every((tensor) => /^(fc|classifier)\.|num_batches_tracked$/.test(tensor)));
  });
}
