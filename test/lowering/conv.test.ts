import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConvOptions, conv2d } from '../../src/graph/index.js';
import {
  addedTapsInputGradient,
  pointwiseInputGradient,
  stridedInputGradient,
  unitStrideInputGradient,
} from '../../src/lowering/conv-input-gradient.js';
import {
  shiftedWeightGradient,
  thinOutputWeightGradient,
  unfoldedWeightGradient,
} from '../../src/lowering/conv-weight-gradient.js';
import type { Rule } from '../../src/lowering/lower.js';
import { checkGradient, fastTarget } from '../graph/harness.js';
import { assertSameAsReference } from './same-as-reference.js';

interface ConvCase extends ConvOptions {
  readonly x: readonly number[];
  readonly w: readonly number[];
}

const cases: Record<string, ConvCase> = {
  'a thin input': { x: [2, 3, 22, 21], w: [4, 3, 3, 3], padding: 1 },
  'a thin input, stride 2': { x: [2, 3, 43, 46], w: [4, 3, 7, 7], padding: 3, stride: 2 },
  'few outputs': { x: [2, 6, 5, 7], w: [4, 6, 3, 3], padding: 1 },
  'few outputs, dilation 2, one picture': { x: [1, 6, 8, 7], w: [3, 6, 3, 3], padding: [2, 1, 2, 3], dilation: 2 },
  '1×1 of one picture': { x: [1, 5, 7, 6], w: [3, 5, 1, 1] },
  '3×3 same': { x: [2, 3, 5, 6], w: [4, 3, 3, 3], padding: 1 },
  '3×3 same, one picture': { x: [1, 8, 9, 7], w: [5, 8, 3, 3], padding: 1 },
  '3×3 valid': { x: [1, 2, 5, 5], w: [3, 2, 3, 3] },
  '3×3 with more padding than kernel': { x: [1, 2, 5, 5], w: [3, 2, 3, 3], padding: 4 },
  '5×3 padded unevenly': { x: [2, 3, 8, 9], w: [4, 3, 5, 3], padding: [2, 1, 1, 0] },
  '1×1': { x: [2, 3, 4, 5], w: [6, 3, 1, 1] },
  '1×1 padded': { x: [2, 3, 4, 5], w: [6, 3, 1, 1], padding: 1 },
  '1×1 stride 2 odd': { x: [2, 3, 5, 7], w: [4, 3, 1, 1], stride: 2 },
  '1×1 stride 2 even': { x: [2, 3, 6, 8], w: [4, 3, 1, 1], stride: 2 },
  '3×3 stride 2 same odd': { x: [2, 3, 7, 5], w: [4, 3, 3, 3], stride: 2, padding: 1 },
  '3×3 stride 2 even': { x: [1, 3, 8, 6], w: [4, 3, 3, 3], stride: 2, padding: 1 },
  '3×3 stride 2 padded after only': { x: [1, 2, 6, 6], w: [3, 2, 3, 3], stride: 2, padding: [0, 0, 1, 1] },
  '3×3 stride 2 valid, last column unread': { x: [1, 2, 6, 8], w: [3, 2, 3, 3], stride: 2 },
  '3×3 stride 2 dilation 2': { x: [1, 2, 9, 8], w: [3, 2, 3, 3], stride: 2, padding: 2, dilation: 2 },
  '3×3 stride 3': { x: [1, 2, 10, 11], w: [3, 2, 3, 3], stride: 3, padding: 1 },
  '3×3 stride 2 by 1': { x: [1, 2, 7, 8], w: [3, 2, 3, 3], stride: [2, 1], padding: 1 },
  '7×7 stride 2': { x: [1, 3, 11, 12], w: [2, 3, 7, 7], stride: 2, padding: 3 },
  '3×3 dilation 3': { x: [1, 2, 7, 7], w: [3, 2, 3, 3], padding: 3, dilation: 3 },
  'groups 2': { x: [2, 4, 5, 5], w: [6, 2, 3, 3], padding: 1, groups: 2 },
  'groups 2 stride 2': { x: [2, 4, 6, 5], w: [6, 2, 3, 3], padding: 1, groups: 2, stride: 2 },
  depthwise: { x: [2, 4, 5, 6], w: [4, 1, 3, 3], padding: 1, groups: 4 },
  'depthwise stride 2': { x: [2, 4, 7, 6], w: [4, 1, 3, 3], padding: 1, stride: 2, groups: 4 },
  '1×3 kernel': { x: [1, 2, 4, 6], w: [3, 2, 1, 3], padding: [0, 1, 0, 1] },
};

const inputForms = { pointwiseInputGradient, addedTapsInputGradient, unitStrideInputGradient, stridedInputGradient };
const weightForms = { unfoldedWeightGradient, thinOutputWeightGradient, shiftedWeightGradient };
const answered = new Map<string, number>();

/** The rule, counted where it fits, since a form that never answers would pass every test. */
function counted(name: string, rule: Rule): Rule {
  return (call) => {
    const written = rule(call);
    if (written) answered.set(name, (answered.get(name) ?? 0) + 1);
    return written;
  };
}

for (const [type, forms] of [
  ['ConvInputGradient', inputForms],
  ['ConvWeightGradient', weightForms],
] as const) {
  for (const [form, rule] of Object.entries(forms)) {
    for (const [name, { x, w, ...options }] of Object.entries(cases)) {
      test(`${form} equals the reference form: ${name}`, () =>
        assertSameAsReference({
          shapes: { x, w },
          build: (v) => conv2d(v.x, v.w, options),
          forms: new Map([[type, [counted(form, rule)]]]),
        }));
    }
    test(`${form} answered`, () => assert.ok((answered.get(form) ?? 0) >= 2, `${answered.get(form)} cases`));
  }
}

for (const [name, { x, w, ...options }] of Object.entries(cases)) {
  test(`fast convolution gradients against finite differences: ${name}`, () =>
    checkGradient({ name, inputs: { x, w }, build: (v) => conv2d(v.x, v.w, options) }, fastTarget));
}
