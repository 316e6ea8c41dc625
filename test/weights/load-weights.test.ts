import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tensor } from '../../src/graph/tensor.js';
import { type DetectorRecipe, evaluationGraph, modelRecipe } from '../../src/models/model.js';
import { initialValues, type ParameterSpec } from '../../src/nn/parameters.js';
import { describeReport } from '../../src/weights/loading/load-report.js';
import { type LoadTarget, loadWeights, startFrom } from '../../src/weights/loading/load-weights.js';
import { type NameMap, sourceName } from '../../src/weights/loading/maps/name-map.js';
import { refineDetZooVgg16 } from '../../src/weights/loading/maps/refinedet-zoo.js';
import type { WeightFile } from '../../src/weights/weight-file.js';
import { readWeightFile } from '../../src/weights/weight-readers.js';
import { needs, shared } from '../shared.js';
import { floats, listedFile, someClasses } from './listed-file.js';

const checkpoint = 'data/checkpoints/resnet18-imagenet-folded-c4.safetensors';
const cells = ['RBC', 'WBC', 'Platelets'];

const target = (model: string, classes: readonly string[], sourceClasses?: readonly string[]): LoadTarget => ({
  model,
  classes,
  sourceClasses,
  recipe: modelRecipe(model, classes.length),
});
const specsOf = (recipe: DetectorRecipe) => evaluationGraph(recipe).p.specs;
const fresh = (spec: ParameterSpec) => initialValues([spec], 1).get(spec.name)!;

/** A file of a model's parameters under the names of a source. */
function fileOf(
  model: string,
  classes: number,
  {
    map,
    metadata,
    edit,
  }: { map?: NameMap; metadata?: Record<string, string>; edit?: (m: Map<string, Tensor>) => void },
): WeightFile {
  const values = initialValues(specsOf(modelRecipe(model, classes)).values(), 7);
  const tensors = new Map<string, Tensor>(
    [...values].map(([name, tensor]) => [(map && sourceName(map, name)) ?? name, tensor]),
  );
  edit?.(tensors);
  return { format: 'pytorch', tensors, metadata: metadata ?? {} };
}

test('a folded ResNet-18 fills convolutions and the norms behind them', needs(checkpoint), async () => {
  const file = await readWeightFile(shared(checkpoint)!);
  const { taken, fixedLayers, report } = startFrom('file', file, target('refinedet-resnet18-320', cells), fresh);
  assert.deepEqual([report.left, report.misfits, report.unused], [[], [], []]);
  assert.equal(fixedLayers.size, 15);
  assert.ok(fixedLayers.has('backbone.layer2.0.downsample.1') && fixedLayers.has('backbone.bn1'));
  assert.deepEqual(taken.get('backbone.bn1.bias')!.data, file.tensors.get('conv1.bias')!.data);
  // The norm is the bias alone: scale 1, mean 0, and a variance that epsilon completes to 1.
  assert.equal(taken.get('backbone.layer1.0.bn2.running_mean')!.data[5], 0);
  assert.equal(taken.get('backbone.layer1.0.bn2.weight')!.data[5], 1);
  assert.ok(Math.abs(taken.get('backbone.layer1.0.bn2.running_var')!.data[5] + 1e-5 - 1) < 1e-7);
  assert.ok(
    report.missing.every((name) => /^(backbone\.(layer4|extra)|tcb|arm|odm)\b/.test(name)),
    'only what the file ends before is missing',
  );
});

test('a folded bias of another shape is a misfit, not a norm', () => {
  const file = listedFile([
    ['conv1.weight', [64, 3, 7, 7]],
    ['conv1.bias', [32]],
  ]);
  const { taken, report, fixedLayers } = startFrom('file', file, target('refinedet-resnet18-320', cells), fresh);
  assert.deepEqual([...taken.keys()], ['backbone.conv1.weight']);
  assert.deepEqual(report.misfits, [
    { name: 'conv1.bias', parameter: 'backbone.bn1.bias', found: 'float32[32]', expected: 'float32[64]' },
  ]);
  assert.equal(fixedLayers.size, 0);
});

test('heads of another class list start fresh and are told of', () => {
  const { report, taken } = startFrom(
    'file',
    fileOf('refinedet-tiny-320', 7, {}),
    target('refinedet-tiny-320', cells),
    fresh,
  );
  assert.ok(
    report.classes!.layers.length === 8 && report.classes!.layers.every((name) => name.startsWith('odm.conf.')),
  );
  assert.ok(report.classes!.layers.every((name) => !taken.has(name)));
  assert.deepEqual([report.missing, report.misfits, report.classes!.carried], [[], [], []]);
  assert.match(describeReport('file', report), /8 tensors of the heads are for other classes and start fresh/);
});

test("RefineDet's rows of classes of the same name are carried over, in all three anchors", () => {
  const from = ['cat', 'RBC', 'dog', 'WBC'];
  const file = fileOf('refinedet-tiny-320', 4, { metadata: { classes: JSON.stringify(from) } });
  const { report, taken } = startFrom('file', file, target('refinedet-tiny-320', cells), fresh);
  assert.deepEqual(report.classes!.carried, ['RBC', 'WBC']);
  const own = specsOf(modelRecipe('refinedet-tiny-320', 3)).get('odm.conf.2.weight')!;
  const [source, start, loaded] = [file.tensors.get(own.name)!, fresh(own), taken.get(own.name)!];
  const width = own.shape[1] * 9;
  const row = ({ data }: Tensor, index: number) => [
    ...(data as Float32Array).subarray(index * width, (index + 1) * width),
  ];
  for (let anchor = 0; anchor < 3; anchor++) {
    const at = (label: number) => row(loaded, anchor * 4 + label);
    assert.deepEqual(at(0), row(source, anchor * 5), 'background');
    assert.deepEqual(at(1), row(source, anchor * 5 + 2), 'RBC');
    assert.deepEqual(at(2), row(source, anchor * 5 + 4), 'WBC');
    assert.deepEqual(at(3), row(start, anchor * 4 + 3), 'Platelets is new');
  }
});

test('classes of the same number and other names or order are told apart by name', () => {
  const metadata = { classes: JSON.stringify([...cells].reverse()) };
  const file = fileOf('refinedet-tiny-320', 3, { metadata });
  const { report, taken } = startFrom('file', file, target('refinedet-tiny-320', cells), fresh);
  assert.deepEqual(report.classes!.carried, cells);
  const [source, loaded] = [file.tensors.get('odm.conf.0.bias')!.data, taken.get('odm.conf.0.bias')!.data];
  assert.deepEqual(
    [...loaded.subarray(0, 4)],
    [0, 3, 2, 1].map((place) => source[place]),
  );
  assert.throws(() => loadWeights('a.pth', file, target('refinedet-tiny-320', cells)), {
    code: 'weights',
    message: /a\.pth: its heads tell 3 classes \(Platelets, WBC, RBC\) apart, not the given 3 \(RBC, WBC, Platelets\)/,
  });
});

test("the zoo's cascade goes into the published one: background to the end, heads transposed", () => {
  const classes = ['a', 'b'];
  const stages = [0, 1, 2];
  const list = stages.flatMap((stage) => {
    const name = `rcnn${stage || ''}`;
    return [
      [`${name}.cls_scores.weight`, [128, 3]],
      [`${name}.cls_scores.bias`, [3]],
    ] as [string, number[]][];
  });
  const file = listedFile(list, {
    format: 'mindspore',
    value: (_, shape) => Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_v, i) => i),
  });
  const { taken, report } = startFrom('file', file, target('cascade-rcnn-tiny', classes), fresh);
  assert.deepEqual([...taken.get('stages.1.cls.bias')!.data], [1, 2, 0]);
  const weight = taken.get('stages.1.cls.weight')!;
  assert.deepEqual(weight.shape, [3, 128]);
  assert.deepEqual([weight.data[0], weight.data[127], weight.data[128], weight.data[256]], [1, 127 * 3 + 1, 2, 0]);
  assert.deepEqual(report.changes, ['the background moved from the first to the last place']);
});

test('deltas that were trained with other standard deviations are rescaled, coordinate by coordinate', () => {
  const list = [0, 1, 2].map((stage): [string, number[]] => [`roi_heads.box_predictor.${stage}.bbox_pred.bias`, [4]]);
  const file = listedFile(list, { format: 'numpy-pickle', value: () => Float32Array.of(1, 2, 3, 4) });
  const { taken } = startFrom('file', file, target('cascade-rcnn-tiny', ['a']), fresh);
  assert.deepEqual([...taken.get('stages.0.reg.bias')!.data], [1, 2, 3, 4]);
  const third = [1 / 30 / 0.033, 2 / 30 / 0.033, 3 / 15 / 0.067, 4 / 15 / 0.067];
  assert.deepEqual(taken.get('stages.2.reg.bias')!.data, Float32Array.from(third));
});

test("Caffe's sums of statistics are divided by their weight, and zero means none", () => {
  const filling = (name: string) => (name === 'bn_conv1/2' ? 4 : name === 'bn2a_branch1/2' ? 0 : 6);
  const file = listedFile(
    [
      ['conv1/0', [64, 3, 7, 7]],
      ['bn_conv1/0', [64]],
      ['bn_conv1/1', [1, 1, 1, 64]],
      ['bn_conv1/2', [1]],
      ['scale_conv1/0', [64]],
      ['bn2a_branch1/0', [256]],
      ['bn2a_branch1/2', [1]],
    ],
    { format: 'caffe', value: (name, shape) => new Float32Array(shape.reduce((a, b) => a * b)).fill(filling(name)) },
  );
  // The same pixels, so that only the division shows.
  const recipe = {
    ...modelRecipe('refinedet-resnet101-320', 3),
    normalisation: { order: 'bgr', mean: [104, 117, 123], std: [1, 1, 1] },
  } as const;
  const { taken, report } = startFrom('file', file, { ...target('refinedet-resnet101-320', cells), recipe }, fresh);
  assert.equal(taken.get('backbone.bn1.running_mean')!.data[3], 1.5);
  assert.deepEqual(taken.get('backbone.bn1.running_var')!.shape, [64], 'shapes of old files have ones in front');
  assert.equal(taken.get('backbone.bn1.running_var')!.data[3], 1.5);
  assert.equal(taken.get('backbone.bn1.weight')!.data[3], 6);
  assert.equal(taken.get('backbone.layer1.0.downsample.1.running_mean')!.data[3], 0);
  assert.deepEqual([report.left, report.misfits], [[], []]);
});

test('a run goes on from the averages of its weights', () => {
  const edit = (tensors: Map<string, Tensor>) => {
    tensors.set('average:odm.loc.0.bias', floats([12], Array(12).fill(0.5)));
    tensors.set('step_count', floats([], [8]));
    tensors.set('m:odm.loc.0.bias', floats([12], Array(12).fill(9)));
  };
  const file = fileOf('refinedet-tiny-320', 3, { edit, metadata: { model: 'refinedet-tiny-320' } });
  const { taken, report } = loadWeights('file', file, target('refinedet-tiny-320', cells));
  assert.equal(taken.get('odm.loc.0.bias')!.data[0], 0.5);
  assert.deepEqual([report.left, report.unused], [[], ['step_count', 'm:odm.loc.0.bias']]);
});

test('our own weights go from one model to another with other pixels', () => {
  const metadata = { model: 'refinedet-vgg16-320', classes: JSON.stringify(cells) };
  const file = fileOf('refinedet-vgg16-320', 3, { metadata });
  const { report } = startFrom('file', file, target('refinedet-vgg16-320-zoo', cells), fresh);
  assert.deepEqual(report.changes, [
    "the first convolution fitted to this model's pixels, from BGR to RGB (but for the mean, since it has no bias)",
  ]);
});

test('strict loading names what is missing, with the nearest names of the file', () => {
  const edit = (tensors: Map<string, Tensor>) => {
    const [name] = [...tensors.keys()].filter((key) => key === 'network.tcb.p0.0.weight');
    tensors.set('network.tcb.p0.first.weight', tensors.get(name)!);
    tensors.delete(name);
  };
  const file = fileOf('refinedet-vgg16-320-zoo', 3, { map: refineDetZooVgg16, edit });
  assert.throws(() => loadWeights('a.ckpt', file, target('refinedet-vgg16-320-zoo', cells)), {
    code: 'weights',
    message:
      /^a\.ckpt: lacks 1 of the 149 parameters of refinedet-vgg16-320-zoo, read as the MindSpore zoo's RefineDet, VGG-16: "network\.tcb\.p0\.0\.weight" \(nearest: "network\.tcb\.p0\.first\.weight"\)/,
  });
});

test('strict loading refuses other shapes and other numbers of classes', () => {
  const edit = (tensors: Map<string, Tensor>) => tensors.set('tcb.0.lateral.0.weight', floats([2, 2], [1, 2, 3, 4]));
  assert.throws(
    () => loadWeights('a', fileOf('refinedet-tiny-320', 3, { edit }), target('refinedet-tiny-320', cells)),
    {
      code: 'weights',
      message:
        /^a: A tensor does not fit refinedet-tiny-320.*"tcb\.0\.lateral\.0\.weight" is float32\[2, 2\] instead of float32\[48, /,
    },
  );
  assert.throws(() => loadWeights('a', fileOf('refinedet-tiny-320', 7, {}), target('refinedet-tiny-320', cells)), {
    code: 'weights',
    message: /^a: its heads tell 7 classes apart, not the given 3 \(RBC, WBC, Platelets\)/,
  });
});

test('a start from which nothing can be taken is refused', () => {
  const file = listedFile([
    ['backbone.conv1.weight', [64, 3, 7, 7]],
    ['backbone.bn1.weight', [64]],
  ]);
  assert.throws(() => startFrom('a.pth', file, target('refinedet-tiny-320', cells), fresh), {
    code: 'weights',
    message:
      /a\.pth: 2 tensors do not fit refinedet-tiny-320.*is float32\[64, 3, 7, 7\] instead of float32\[16, 3, 3, 3\]/,
  });
});

test('a file of something else is refused with the nearest names', () => {
  const file = listedFile([['encoder.weight', [3, 3]]]);
  assert.throws(() => startFrom('a.pth', file, target('refinedet-tiny-320', someClasses(2)), fresh), {
    code: 'weights',
    message: /None of the 1 tensors in a\.pth fits refinedet-tiny-320, for example "encoder\.weight" \(nearest: "/,
  });
});

test('what was left aside in the file is said', () => {
  const metadata = { 'read.left_out': 'optimizer, ema' };
  const file = fileOf('refinedet-tiny-64', 3, { metadata });
  const { report } = loadWeights('file', file, target('refinedet-tiny-64', cells));
  assert.match(describeReport('file', report), /; not read: optimizer, ema$/);
});
