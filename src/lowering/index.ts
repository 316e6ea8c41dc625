import type { Value } from '../graph/value.js';
import { batchNormTrainingGradientOfCentred, batchNormTrainingOfCentred } from './batch-norm.js';
import {
  addedTapsInputGradient,
  pointwiseInputGradient,
  stridedInputGradient,
  unitStrideInputGradient,
} from './conv-input-gradient.js';
import { shiftedWeightGradient, thinOutputWeightGradient, unfoldedWeightGradient } from './conv-weight-gradient.js';
import { type LoweringTable, lower, type Rule, type Target } from './lower.js';
import { poolingWithIndices, unpooledGradient } from './pooling.js';
import { reference } from './reference.js';
import { maskedReluGradient, reluBeforeMaxPool } from './relu.js';
import { roiAlignGradientByLine } from './roi-align-gradient.js';
import { webgpu } from './webgpu.js';
import { winogradConv, winogradInputGradient, winogradWeightGradient } from './winograd.js';

export type { Target } from './lower.js';

/** The CPU provider's fast forms; the first that fits a shape is taken. */
const cpu: LoweringTable = new Map<string, readonly Rule[]>([
  ['BatchNormTraining', [batchNormTrainingOfCentred]],
  ['BatchNormTrainingGradient', [batchNormTrainingGradientOfCentred]],
  ['Conv', [winogradConv]],
  [
    'ConvInputGradient',
    [
      winogradInputGradient,
      addedTapsInputGradient,
      pointwiseInputGradient,
      unitStrideInputGradient,
      stridedInputGradient,
    ],
  ],
  [
    'ConvWeightGradient',
    [winogradWeightGradient, unfoldedWeightGradient, thinOutputWeightGradient, shiftedWeightGradient],
  ],
  ['MaxPool', [poolingWithIndices]],
  ['MaxPoolGradient', [unpooledGradient]],
  ['ReluGradient', [reluBeforeMaxPool, maskedReluGradient]],
  ['RoiAlignGradient', [roiAlignGradientByLine]],
]);

/** Fast forms first, the reference form behind them. */
export function withReference(fast: LoweringTable): LoweringTable {
  const types = new Set([...fast.keys(), ...reference.keys()]);
  return new Map([...types].map((type) => [type, [...(fast.get(type) ?? []), ...(reference.get(type) ?? [])]]));
}

const fastCpu = withReference(cpu);
const anyWebgpu = withReference(webgpu);

/** The forms for a target. Other providers than the CPU take the reference forms, which are plain operators, where these work. */
export function loweringTable({ provider, form }: Target): LoweringTable {
  if (provider === 'webgpu') return anyWebgpu;
  return provider === 'cpu' && form === 'fast' ? fastCpu : reference;
}

/** Rewrites `outputs` for a target; see `lower`. */
export function lowerFor(outputs: readonly Value[], target: Target): Value[] {
  return lower(outputs, loweringTable(target), target);
}
