import { dimDivide, dimPlus, dimsAgree, dimTimes } from '../dims.js';
import type { Dim, Operator, Type, Value } from '../value.js';
import { apply1, shapeError } from '../value.js';
import { reduceSum } from './reduce.js';
import { floats, required, requireRank, requireSameType, requireWhole } from './require.js';
import { slice } from './shape.js';

/** Attributes of a two-dimensional convolution; `pads` are top, left, bottom, right. */
export type ConvAttributes = {
  strides: readonly number[];
  pads: readonly number[];
  dilations: readonly number[];
  group: number;
};

const convKinds = { strides: 'ints', pads: 'ints', dilations: 'ints', group: 'int' } as const;

/** Output size along one spatial axis (dilated kernel, floor). */
function convolvedDim(dim: Dim, kernel: number, stride: number, dilation: number, pads: number): Dim {
  return dimPlus(dimDivide(dimPlus(dim, pads - dilation * (kernel - 1) - 1), stride), 1);
}

function kernelSize(operator: string, w: Type): [number, number] {
  const [kh, kw] = w.shape.slice(2);
  if (typeof kh !== 'number' || typeof kw !== 'number')
    throw shapeError(operator, 'the kernel size must be fixed.', [w]);
  return [kh, kw];
}

function requireBias(operator: string, bias: Type | undefined, out: Dim, inputs: readonly Type[]): void {
  if (bias && (bias.shape.length !== 1 || !dimsAgree(bias.shape[0], out)))
    throw shapeError(operator, `the bias must have shape [${out}].`, inputs);
}

function requirePositive(operator: string, shape: readonly Dim[], inputs: readonly Type[]): void {
  if (shape.some((dim) => typeof dim === 'number' && dim < 1)) {
    throw shapeError(
      operator,
      `the output would be [${shape.join(', ')}]: the input is smaller than the kernel.`,
      inputs,
    );
  }
}

export const Conv: Operator<ConvAttributes> = {
  type: 'Conv',
  attributes: convKinds,
  infer(inputs, { strides, pads, dilations, group }) {
    const [x, w] = [required('Conv', inputs, 0), required('Conv', inputs, 1)];
    const present = inputs.filter((value) => value !== undefined);
    requireRank('Conv', x, 4, 'the input');
    requireRank('Conv', w, 4, 'the weight');
    const [out, perGroup] = w.shape;
    const channels = typeof perGroup === 'number' ? perGroup * group : perGroup;
    if (!dimsAgree(x.shape[1], channels) || (typeof out === 'number' && out % group !== 0)) {
      throw shapeError(
        'Conv',
        `input channels ${x.shape[1]} do not fit weight [out ${out}, in/groups ${perGroup}] with ${group} group(s).`,
        present,
      );
    }
    requireBias('Conv', inputs[2], out, present);
    const spatial = kernelSize('Conv', w).map((kernel, i) =>
      convolvedDim(x.shape[2 + i], kernel, strides[i], dilations[i], pads[i] + pads[i + 2]),
    );
    const shape = [x.shape[0], out, ...spatial];
    requirePositive('Conv', shape, present);
    return [{ dtype: requireSameType('Conv', present, floats), shape }];
  },
  vjp({ inputs: [x, w], attributes, gradients: [g], wants }) {
    return [
      wants[0] ? convInputGradient(g!, w, x.staticShape, attributes) : undefined,
      wants[1] ? convWeightGradient(x, g!, w.staticShape, attributes) : undefined,
      wants[2] ? reduceSum(g!, [0, 2, 3]) : undefined,
    ];
  },
};

type ShapedConvAttributes = ConvAttributes & { shape: readonly number[] };

function gradientShape(type: string): Operator<ShapedConvAttributes> {
  return {
    type,
    domain: 'boxwright',
    attributes: { ...convKinds, shape: 'ints' },
    infer: (inputs, { shape }) => [{ dtype: required(type, inputs, 0).dtype, shape }],
  };
}

/** dX [N, C, H, W] of a Conv from dY and W. Inputs: dY, W. */
export const ConvInputGradient: Operator<ShapedConvAttributes> = {
  ...gradientShape('ConvInputGradient'),
  // Linear in both inputs, so that gradients of gradients are convolutions again.
  vjp: ({ inputs: [dy, w], attributes: { shape: _, ...conv }, gradients: [g], wants }) => [
    wants[0] ? apply1(Conv, [g, w], conv) : undefined,
    wants[1] ? convWeightGradient(g!, dy, w.staticShape, conv) : undefined,
  ],
};

/** dW [out, in/groups, kh, kw] of a Conv from X and dY. Inputs: X, dY. */
export const ConvWeightGradient: Operator<ShapedConvAttributes> = {
  ...gradientShape('ConvWeightGradient'),
  vjp: ({ inputs: [x, dy], attributes: { shape: _, ...conv }, gradients: [g], wants }) => [
    wants[0] ? convInputGradient(dy, g!, x.staticShape, conv) : undefined,
    wants[1] ? apply1(Conv, [x, g], conv) : undefined,
  ],
};

export function convInputGradient(dy: Value, w: Value, shape: readonly number[], conv: ConvAttributes): Value {
  return apply1(ConvInputGradient, [dy, w], { ...conv, shape });
}

export function convWeightGradient(x: Value, dy: Value, shape: readonly number[], conv: ConvAttributes): Value {
  return apply1(ConvWeightGradient, [x, dy], { ...conv, shape });
}

export interface ConvOptions {
  /** [out] */
  readonly bias?: Value;
  readonly stride?: number | readonly [number, number];
  /** One amount for all sides, or [top, left, bottom, right]. */
  readonly padding?: number | readonly [number, number, number, number];
  readonly dilation?: number | readonly [number, number];
  readonly groups?: number;
}

function pair(value: number | readonly [number, number] | undefined, otherwise: number): readonly number[] {
  return typeof value === 'object' ? value : [value ?? otherwise, value ?? otherwise];
}

export function sides(padding: ConvOptions['padding']): readonly number[] {
  return typeof padding === 'object' ? padding : [padding ?? 0, padding ?? 0, padding ?? 0, padding ?? 0];
}

function convAttributes(operator: string, { stride, padding, dilation, groups }: ConvOptions): ConvAttributes {
  const conv = { strides: pair(stride, 1), pads: sides(padding), dilations: pair(dilation, 1), group: groups ?? 1 };
  requireWhole(operator, 'strides, dilations and groups', [...conv.strides, ...conv.dilations, conv.group], 1);
  requireWhole(operator, 'padding', conv.pads, 0);
  return conv;
}

/**
 * Convolution (cross-correlation) of x [N, C, H, W] with w [out, C/groups, kh, kw]; padding is with zeros.
 * Size: ⌊(H + padding − dilation·(kh − 1) − 1) / stride⌋ + 1.
 */
export function conv2d(x: Value, w: Value, options: ConvOptions = {}): Value {
  return apply1(Conv, [x, w, options.bias], convAttributes('Conv', options));
}

type ConvTransposeAttributes = ConvAttributes & { output_padding: readonly number[] };

export const ConvTranspose: Operator<ConvTransposeAttributes> = {
  type: 'ConvTranspose',
  attributes: { ...convKinds, output_padding: 'ints' },
  infer(inputs, { strides, pads, dilations, group, output_padding: extra }) {
    const [x, w] = [required('ConvTranspose', inputs, 0), required('ConvTranspose', inputs, 1)];
    const present = inputs.filter((value) => value !== undefined);
    requireRank('ConvTranspose', x, 4, 'the input');
    requireRank('ConvTranspose', w, 4, 'the weight');
    const [channels, perGroup] = w.shape;
    if (!dimsAgree(x.shape[1], channels)) {
      throw shapeError(
        'ConvTranspose',
        `input channels ${x.shape[1]} do not fit weight [in ${channels}, out/groups ${perGroup}].`,
        present,
      );
    }
    const out = typeof perGroup === 'number' ? perGroup * group : perGroup;
    if (typeof channels === 'number' && channels % group !== 0)
      throw shapeError('ConvTranspose', `${channels} input channels do not divide into ${group} groups.`, present);
    requireBias('ConvTranspose', inputs[2], out, present);
    const spatial = kernelSize('ConvTranspose', w).map((kernel, i) => {
      const dim = x.shape[2 + i];
      const add = extra[i] + dilations[i] * (kernel - 1) + 1 - pads[i] - pads[i + 2];
      return dimPlus(dimTimes(dim, strides[i]), add - strides[i]);
    });
    const shape = [x.shape[0], out, ...spatial];
    requirePositive('ConvTranspose', shape, present);
    return [{ dtype: requireSameType('ConvTranspose', present, floats), shape }];
  },
  // A transposed convolution is the input gradient of a convolution with the same attributes.
  vjp({ inputs: [x, w], attributes: { output_padding: _, ...conv }, gradients: [g], wants }) {
    return [
      wants[0] ? trimTo(apply1(Conv, [g, w], conv), x) : undefined,
      wants[1] ? convWeightGradient(g!, x, w.staticShape, conv) : undefined,
      wants[2] ? reduceSum(g!, [0, 2, 3]) : undefined,
    ];
  },
};

/** Output padding can make the convolution back longer by one than the input was: those places saw no input. */
function trimTo(gradient: Value, x: Value): Value {
  const [, , h, w] = x.staticShape;
  const [, , gh, gw] = gradient.staticShape;
  return gh === h && gw === w ? gradient : slice(gradient, [0, 0], [h, w], [2, 3]);
}

export interface ConvTransposeOptions extends ConvOptions {
  /** [height, width]; below the stride. */
  readonly outputPadding?: number | readonly [number, number];
}

/**
 * Transposed convolution of x [N, C, H, W] with w [C, out/groups, kh, kw]. Padding cuts the result; output padding adds
 * rows and columns at its end. Size: (H − 1)·stride + dilation·(kh − 1) + 1 − padding + output padding.
 */
export function convTranspose2d(x: Value, w: Value, options: ConvTransposeOptions = {}): Value {
  const conv = convAttributes('ConvTranspose', options);
  const extra = pair(options.outputPadding, 0);
  requireWhole('ConvTranspose', 'output padding', extra, 0);
  if (extra.some((amount, i) => amount >= conv.strides[i]))
    throw shapeError(
      'ConvTranspose',
      `output padding [${extra.join(', ')}] must be below the stride [${conv.strides.join(', ')}].`,
      [x, w],
    );
  const attributes = { ...conv, output_padding: extra };
  return apply1(ConvTranspose, [x, w, options.bias], attributes);
}
