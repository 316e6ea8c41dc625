import { test } from 'node:test';
import { batchNormTraining } from '../../src/graph/index.js';
import { checkGradient, fastTarget } from '../graph/harness.js';
import { assertSameAsReference, type FormCase } from './same-as-reference.js';

const build: FormCase['build'] = ({ x, scale, bias }) => batchNormTraining(x, scale, bias, 1e-5).y;
const shapesOf = (x: readonly number[]) => ({ x, scale: [x[1]], bias: [x[1]] });

for (const x of [
  [2, 3, 5, 7],
  [1, 4, 16, 16],
  [6, 5],
]) {
  test(`batch norm of ${x} equals the reference form`, () => assertSameAsReference({ shapes: shapesOf(x), build }));
  test(`batch norm of ${x} against finite differences`, () =>
    checkGradient({ name: `${x}`, inputs: shapesOf(x), build }, fastTarget));
}

test('batch norm stays exact where the mean is a thousand deviations from 0', () =>
  assertSameAsReference({
    shapes: shapesOf([2, 3, 16, 16]),
    build,
    values: (value) => value + 1000,
    tolerance: 1e-3,
  }));
