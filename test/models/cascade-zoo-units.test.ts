import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  constant,
  int64s,
  maxPool2d,
  nonMaxSuppression,
  openEnd,
  reshape,
  slice,
  split,
  sub,
  type Tensor,
  unsqueeze,
  upsample,
  type Value,
} from '../../src/graph/index.js';
import { refined } from '../../src/models/cascade-rcnn/cascade.js';
import { rpnLosses } from '../../src/models/cascade-rcnn/loss.js';
import { decodeWithin, uncrossed } from '../../src/models/cascade-rcnn/proposals.js';
import { roiLevels } from '../../src/models/cascade-rcnn/roi-pooling.js';
import { smoothL1 } from '../../src/nn/losses.js';
import { readGolden } from '../golden.js';
import { evaluate, numbersOf } from '../graph/harness.js';
import { needs } from '../shared.js';
import { canvas, folder, recipe } from './cascade-zoo-golden.js';
import { worstError } from './closeness.js';

async function openUnit(name: string): Promise<(tensor: string) => Tensor> {
  const { tensors } = await readGolden(`cascade-rcnn-zoo/${name}.safetensors`);
  return (tensor) => tensors.get(tensor) ?? assert.fail(`${name} has no ${tensor}`);
}

const constantOf = ({ shape, data }: Tensor) => constant('float32', shape, data as Float32Array);
const floats = ({ data }: Tensor) => data as Float32Array;

test('pools and upsampling take the pixels that the zoo takes', needs(folder), async () => {
  const golden = await openUnit('pooling');
  const x = constantOf(golden('in'));
  const results = await evaluate({
    maxpool3_same: maxPool2d(x, { kernel: 3, stride: 2, padding: [0, 0, 1, 1] }),
    maxpool1_stride2: slice(x, [0, 0], [openEnd, openEnd], [2, 3], [2, 2]),
    nearest: upsample(x, 2, { mode: 'nearest' }),
  });
  for (const [name, tensor] of Object.entries(results)) {
    assert.deepEqual(tensor.shape, golden(name).shape);
    assert.deepEqual(tensor.data, golden(name).data, name);
  }
});

test("RoIs are pooled from the zoo's levels", needs(folder), async () => {
  const golden = await openUnit('roi_level');
  const [, boxes] = split(constantOf(golden('rois')), [1, 4], 1);
  const { levels } = await evaluate({ levels: roiLevels(recipe.roiAlign, boxes) });
  assert.deepEqual(numbersOf(levels), numbersOf(golden('level')));
});

test('boxes are decoded as the zoo does, between stages from boxes of half precision', needs(folder), async (t) => {
  const golden = await openUnit('box_coding');
  const { width, height } = canvas;
  const size = constant('float32', [1, 4], Float32Array.of(width, height, width, height));
  const anchors = constantOf(golden('anchors'));
  const [own, half] = ['std1', 'std01'].map((name) => constantOf(golden(`delta.${name}`)));
  const results = await evaluate({
    'decode.std1': decodeWithin(own, anchors, recipe.rpn.coder, size),
    'decode.std01': decodeWithin(half, anchors, recipe.stages[2].coder, size),
    'decode.half_boxes': refined(recipe, 0, anchors, half, { canvas: size, picture: size }),
  });
  for (const [name, tensor] of Object.entries(results)) {
    const error = worstError(floats(tensor), floats(golden(name)), 10);
    t.diagnostic(`${name}: ${error.toExponential(2)}`);
    assert.ok(error < 1e-6, `${name} is off by ${error}`);
  }
});

for (const [name, iouThreshold, coder] of [
  ['rpn', recipe.rpn.nms, recipe.rpn.coder],
  ['det', recipe.postprocess.nms, recipe.stages[2].coder],
] as const) {
  test(`suppression marks the boxes that NMSWithMask marks, ${name}`, needs(folder), async () => {
    const golden = await openUnit('nms_with_mask');
    const [boxes, scores] = split(constantOf(golden(`${name}.boxes`)), [4, 1], 1);
    const kept = await keptOf(uncrossed(unsqueeze(boxes, 0), coder), reshape(scores, [1, 1, -1]), iouThreshold);
    const mask = numbersOf(golden(`${name}.mask`));
    assert.deepEqual(
      kept,
      [...mask.keys()].filter((i) => mask[i]),
    );
  });
}

async function keptOf(boxes: Value, scores: Value, iouThreshold: number): Promise<number[]> {
  const selected = nonMaxSuppression(boxes, scores, { iouThreshold, scoreThreshold: 0, maxPerClass: 1000 });
  const { rows } = await evaluate({ rows: selected });
  return numbersOf(rows)
    .filter((_, i) => i % 3 === 2)
    .sort((a, b) => a - b);
}

test('boxes whose sides cross overlap nothing', async () => {
  const rows = [10, 20, 30, 19.5, 10, 20, 30, 19.4, 10, 19, 30, 21, 10, 19, 30, 21.1];
  const boxes = constant('float32', [1, 4, 4], Float32Array.from(rows));
  const scores = constant('float32', [1, 1, 4], Float32Array.of(0.9, 0.8, 0.7, 0.6));
  assert.deepEqual(await keptOf(uncrossed(boxes, recipe.rpn.coder), scores, 0.5), [0, 1, 2]);
});

test("losses are the zoo's", needs(folder), async () => {
  const golden = await openUnit('losses');
  const [x, y] = ['x', 'y'].map((name) => constantOf(golden(name)));
  const count = 160;
  const { cls } = rpnLosses(
    recipe,
    {
      rpn: [
        { logits: reshape(x, [1, count]), deltas: constant('float32', [1, count, 4], new Float32Array(4 * count)) },
      ],
    },
    {
      anchors: reshape(int64s([...Array(count).keys()]), [1, count]),
      labels: constant('int32', [1, count], Int32Array.from(floats(golden('label')))),
      deltas: constant('float32', [1, count, 4], new Float32Array(4 * count)),
    },
  );
  const results = await evaluate({
    'smooth_l1.beta1': smoothL1(sub(x, y)),
    'smooth_l1.beta_1_9': smoothL1(sub(x, y), recipe.rpn.beta),
    cls,
  });
  for (const name of ['smooth_l1.beta1', 'smooth_l1.beta_1_9'])
    assert.ok(worstError(floats(results[name]), floats(golden(name))) < 1e-6, name);
  const sum = floats(golden('sigmoid_ce')).reduce((total, value) => total + value, 0);
  assert.ok(Math.abs((256 * Number(results.cls.data[0])) / sum - 1) < 1e-6, 'cross-entropy over 256 wanted anchors');
});
