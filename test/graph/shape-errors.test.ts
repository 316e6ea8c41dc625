import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoxwrightError } from '../../src/errors.js';
import * as g from '../../src/graph/index.js';

const value = (dtype: g.ElementType, ...shape: g.Dim[]) => g.input('x', dtype, shape);
const real = (...shape: g.Dim[]) => value('float32', ...shape);
const whole = (...shape: g.Dim[]) => value('int64', ...shape);
const mask = (...shape: g.Dim[]) => value('bool', ...shape);

/** What is wrong: what the message must say besides operator and scope. */
const wrong: Record<string, [() => unknown, operator: string, ...parts: string[]]> = {
  'add of shapes that do not broadcast': [() => g.add(real(2, 3), real(2, 4)), 'Add', '[2, 3]', '[2, 4]', 'axis 1'],
  'add of two element types': [() => g.add(real(2), whole(2)), 'Add', 'float32[2]', 'int64[2]', 'cast'],
  'add of two numbers': [() => g.add(1, 2), 'Add', 'value'],
  'add of a fraction to integers': [() => g.add(whole(2), 0.5), 'Constant', '0.5', 'int64'],
  'subtract a number too large for uint8': [() => g.sub(value('uint8', 2), 256), 'Constant', '256', 'uint8'],
  'exp of integers': [() => g.exp(whole(2)), 'Exp', 'int64', 'float32'],
  'neg of unsigned': [() => g.neg(value('uint8', 2)), 'Neg', 'uint8'],
  'not of numbers': [() => g.not(real(2)), 'Not', 'bool'],
  'and of numbers': [() => g.and(real(2), real(2)), 'And', 'bool'],
  'greater of masks': [() => g.greater(mask(2), mask(2)), 'Greater', 'bool'],
  'where by a number': [() => g.where(real(2), real(2), 0), 'Where', 'condition', 'float32[2]'],
  'clip of masks': [() => g.clip(mask(2), 0), 'Clip', 'bool'],
  'sum of nothing': [() => g.sumOf([]), 'Add', 'no values'],
  'an axis too far': [() => g.reduceSum(real(2, 3), [2]), 'ReduceSum', 'axis 2', '[2, 3]'],
  'an axis twice': [() => g.reduceMean(real(2, 3), [1, -1]), 'ReduceMean', 'repeat'],
  'no axes': [() => g.reduceMax(real(2, 3), []), 'ReduceMax', 'no axes'],
  'sum of masks': [() => g.reduceSum(mask(3)), 'ReduceSum', 'bool'],
  'argMax too far': [() => g.argMax(real(2), -2), 'ArgMax', 'axis -2'],
  'cumSum too far': [() => g.cumSum(real(2), 1), 'CumSum', 'axis 1'],
  'reshape that does not fill': [() => g.reshape(real(2, 3), [4, 2]), 'Reshape', '6', '[4, 2]'],
  'reshape with a rest that does not divide': [() => g.reshape(real(2, 3), [4, -1]), 'Reshape', '6 elements'],
  'reshape with two rests': [() => g.reshape(real(2, 3), [-1, -1]), 'Reshape', '-1'],
  'reshape that moves two free dimensions': [() => g.reshape(real('n', 'm'), ['m', 'n']), 'Reshape', 'reshapeTo'],
  'transpose by no order': [() => g.transpose(real(2, 3), [0, 0]), 'Transpose', '[0, 0]', 'float32[2, 3]'],
  'concat of other sizes': [() => g.concat([real(2, 3), real(2, 4)], 0), 'Concat', 'axis 1', '[2, 3]', '[2, 4]'],
  'concat of other ranks': [() => g.concat([real(2, 3), real(2)], 0), 'Concat', 'ranks', '[2, 3]', '[2]'],
  'concat of other types': [() => g.concat([real(2), whole(2)], 0), 'Concat', 'float32[2]', 'int64[2]'],
  'concat of nothing': [() => g.concat([], 0), 'Concat', 'at least one'],
  'split that does not add up': [() => g.split(real(5), [2, 2], 0), 'Split', '4', '5'],
  'slice by a step of 0': [() => g.slice(real(5), [0], [5], [0], [0]), 'Slice', 'step'],
  'slice with an end too few': [() => g.slice(real(5, 5), [0, 0], [5], [0, 1]), 'Slice', 'as many'],
  'pad of another rank': [() => g.pad(real(2, 2), [1], [1]), 'Pad', '2 amounts', '[2, 2]'],
  'pad that cuts too much': [() => g.pad(real(2), [-2], [-1]), 'Pad', '-1'],
  'expand of a size other than 1': [() => g.expand(real(2, 3), [4, 3]), 'Expand', '2', '4'],
  'expand to fewer axes': [() => g.expand(real(2, 3), [3]), 'Expand', '[3]', '[2, 3]'],
  'expand to a foreign free dimension': [() => g.expand(real(1), ['n']), 'Expand', 'expandLike'],
  'tile with too few repeats': [() => g.tile(real(2, 3), [2]), 'Tile', '2'],
  'depthToSpace of too few channels': [() => g.depthToSpace(real(1, 6, 2, 2), 2), 'DepthToSpace', '4', '[1, 6, 2, 2]'],
  'squeeze of a size other than 1': [() => g.squeeze(real(2, 3), 0), 'Squeeze', '2'],
  'gather by floats': [() => g.gather(real(2), real(2)), 'Gather', 'int64', 'float32'],
  'gather outside': [() => g.gather(real(2, 3), g.int64s([3]), 1), 'Gather', 'index 3', '[2, 3]'],
  'gather elements of another rank': [() => g.gatherElements(real(2, 3), whole(2), 0), 'GatherElements', 'rank'],
  'gather tuples too long': [() => g.gatherNd(real(2, 3), whole(4, 3)), 'GatherND', '[4, 3]', '[2, 3]'],
  'scatter of another shape': [() => g.scatterElements(real(4), whole(2), real(3), 0), 'ScatterElements', '[2]', '[3]'],
  'scatter of another type': [() => g.scatterElements(real(4), whole(2), whole(2), 0), 'ScatterElements', 'int64[2]'],
  'scatter rows of another size': [
    () => g.scatterNd(real(4, 3), whole(2, 1), real(2, 2)),
    'ScatterND',
    'updates must have shape [2, 3]',
  ],
  'compress by a matrix': [() => g.compress(real(4, 3), mask(4, 3)), 'Compress', 'rank 1'],
  'matMul of other inner dimensions': [() => g.matMul(real(2, 3), real(4, 2)), 'MatMul', '3 and 4', '[2, 3]', '[4, 2]'],
  'matMul of vectors': [() => g.matMul(real(3), real(3)), 'MatMul', 'matrices'],
  'gemm of other inner dimensions': [() => g.gemm(real(2, 3), real(2, 4), { transB: true }), 'Gemm', '3 and 4'],
  'gemm with a c that is too large': [
    () => g.gemm(real(1, 3), real(3, 4), { c: real(2, 4) }),
    'Gemm',
    'broadcast to [1, 4]',
    '[2, 4]',
  ],
  'softmax too far': [() => g.softmax(real(2, 3), 2), 'Softmax', 'axis 2'],
  'softmax of integers': [() => g.softmax(whole(2)), 'Softmax', 'int64'],
  'conv of other channels': [
    () => g.conv2d(real(1, 3, 8, 8), real(4, 2, 3, 3)),
    'Conv',
    'input channels 3',
    '[1, 3, 8, 8]',
    '[4, 2, 3, 3]',
  ],
  'conv of another rank': [() => g.conv2d(real(3, 8, 8), real(4, 3, 3, 3)), 'Conv', 'rank 4', '[3, 8, 8]'],
  'conv larger than its input': [() => g.conv2d(real(1, 3, 4, 4), real(4, 3, 5, 5)), 'Conv', 'smaller than the kernel'],
  'conv with a bias of another size': [
    () => g.conv2d(real(1, 3, 8, 8), real(4, 3, 3, 3), { bias: real(3) }),
    'Conv',
    'bias must have shape [4]',
  ],
  'conv with a scalar bias': [() => g.conv2d(real(1, 3, 8, 8), real(4, 3, 3, 3), { bias: real() }), 'Conv', 'bias'],
  'conv with groups that do not divide': [
    () => g.conv2d(real(1, 4, 8, 8), real(3, 2, 3, 3), { groups: 2 }),
    'Conv',
    '2 group(s)',
  ],
  'conv with a stride of 0': [() => g.conv2d(real(1, 3, 8, 8), real(4, 3, 3, 3), { stride: 0 }), 'Conv', 'at least 1'],
  'conv with negative padding': [
    () => g.conv2d(real(1, 3, 8, 8), real(4, 3, 3, 3), { padding: -1 }),
    'Conv',
    'padding',
    '-1',
  ],
  'transposed conv of other channels': [
    () => g.convTranspose2d(real(1, 3, 8, 8), real(4, 2, 3, 3)),
    'ConvTranspose',
    'input channels 3',
  ],
  'transposed conv with too much output padding': [
    () => g.convTranspose2d(real(1, 3, 8, 8), real(3, 2, 3, 3), { stride: 2, outputPadding: 2 }),
    'ConvTranspose',
    'output padding [2, 2]',
    'stride [2, 2]',
  ],
  'pooling larger than its input': [() => g.maxPool2d(real(1, 2, 3, 3), { kernel: 4 }), 'MaxPool', '[1, 2, 3, 3]'],
  'pooling with more padding than kernel': [
    () => g.averagePool2d(real(1, 2, 9, 9), { kernel: 2, padding: 2 }),
    'AveragePool',
    'padding [2, 2, 2, 2]',
  ],
  'pooling of matrices': [() => g.maxPool2d(real(3, 3), { kernel: 2 }), 'MaxPool', 'rank 4', '[3, 3]'],
  'batch norm of other channels': [
    () => g.batchNormTraining(real(1, 3, 2, 2), real(2), real(3), 1e-5),
    'BatchNormTraining',
    'input 1 must have shape [3]',
  ],
  'resize of matrices': [() => g.resize(real(3, 3), [6, 6], { mode: 'linear' }), 'Resize', 'rank 4', '[3, 3]'],
  'resize to nothing': [() => g.resize(real(1, 1, 3, 3), [0, 6], { mode: 'linear' }), 'Resize', 'at least 1'],
  'upsample by 0': [() => g.upsample(real(1, 1, 3, 3), 0, { mode: 'linear' }), 'Resize', 'greater than 0'],
  'topK of too few': [() => g.topK(real(2, 3), 4), 'TopK', '4 of 3', '[2, 3]'],
  'suppression of other counts': [
    () => g.nonMaxSuppression(real(1, 5, 4), real(1, 2, 6), { iouThreshold: 0.5, scoreThreshold: 0, maxPerClass: 1 }),
    'NonMaxSuppression',
    '[1, 5, 4]',
    '[1, 2, 6]',
  ],
  'RoIAlign of rois with a picture column': [
    () => g.roiAlign(real(1, 2, 8, 8), real(3, 5), whole(3), { size: [2, 2], sampling: 2, scale: 1 }),
    'RoiAlign',
    'rois [n, 4]',
    '[3, 5]',
  ],
  'a constant that is not filled': [
    () => g.constant('float32', [2, 2], new Float32Array(3)),
    'Constant',
    '3',
    '[2, 2]',
  ],
  'an input of a negative size': [() => real(2, -1), 'Input', '"x"', '-1'],
};

for (const [name, [build, operator, ...parts]] of Object.entries(wrong)) {
  test(`refused where it is written: ${name}`, () => {
    assert.throws(
      () => g.scope('head', () => g.scope('layer 3', build)),
      (error: unknown) => {
        assert.ok(error instanceof BoxwrightError, String(error));
        assert.equal(error.code, 'shape');
        assert.ok(error.message.startsWith(`${operator} at head/layer 3: `), error.message);
        for (const part of parts) assert.ok(error.message.includes(part), `"${part}" in: ${error.message}`);
        return true;
      },
    );
  });
}

test('after an error the scope is the outer one again', () => {
  assert.throws(() => g.scope('broken', () => g.softmax(whole(2))));
  assert.equal(g.scope('next', () => g.relu(real(2))).node.scope, 'next');
});
