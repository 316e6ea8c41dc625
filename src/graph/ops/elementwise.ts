import { broadcastShapes, sameShape } from '../dims.js';
import type { ElementType } from '../tensor.js';
import type { Backward, Dim, Operator, Type, Value } from '../value.js';
import { apply1, filled, shapeError } from '../value.js';
import { reduceSum } from './reduce.js';
import { floats, numbers, required, requireSameType, signedNumbers } from './require.js';
import { reshape } from './shape.js';

/** A value, or a number that becomes a scalar constant of the other operand's type. */
export type Operand = Value | number;
type None = Record<string, never>;
type UnaryRule = (call: Backward<None>, gradient: Value) => Value;

/** Undoes broadcasting: sums `gradient` over the axes along which a value of `to`'s shape was repeated. */
export function sumTo(gradient: Value, to: Type): Value {
  if (sameShape(gradient.shape, to.shape)) return gradient;
  const lead = gradient.rank - to.shape.length;
  const axes: number[] = [];
  gradient.shape.forEach((dim: Dim, axis: number) => {
    if (axis < lead || (to.shape[axis - lead] === 1 && dim !== 1)) axes.push(axis);
  });
  const summed = axes.length ? reduceSum(gradient, axes, { keepDims: true }) : gradient;
  return sameShape(summed.shape, to.shape) ? summed : reshape(summed, to.shape);
}

function unary(type: string, allowed: readonly ElementType[], rule?: UnaryRule): Operator<None> {
  return {
    type,
    infer(inputs) {
      const x = required(type, inputs, 0);
      requireSameType(type, [x], allowed);
      return [{ dtype: x.dtype, shape: x.shape }];
    },
    vjp: rule && ((call) => [rule(call, call.gradients[0]!)]),
  };
}

/** Piecewise constant: no gradient passes. */
const step = (type: string, allowed: readonly ElementType[]): Operator<None> => ({
  ...unary(type, allowed),
  flat: true,
});

type BinaryRule = (call: Backward<None>, gradient: Value) => readonly [() => Value, () => Value];

function binary(type: string, allowed: readonly ElementType[], rule?: BinaryRule): Operator<None> {
  return {
    type,
    infer(inputs) {
      const both = [required(type, inputs, 0), required(type, inputs, 1)];
      return [{ dtype: requireSameType(type, both, allowed), shape: broadcastShapes(type, both) }];
    },
    vjp:
      rule &&
      ((call) => {
        const rules = rule(call, call.gradients[0]!);
        return call.inputs.map((input, i) => (call.wants[i] ? sumTo(rules[i](), input) : undefined));
      }),
  };
}

function comparison(type: string, allowed: readonly ElementType[]): Operator<None> {
  return {
    type,
    infer(inputs) {
      const both = [required(type, inputs, 0), required(type, inputs, 1)];
      requireSameType(type, both, allowed);
      return [{ dtype: 'bool', shape: broadcastShapes(type, both) }];
    },
  };
}

const Add = binary('Add', numbers, (_, g) => [() => g, () => g]);
const Sub = binary('Sub', numbers, (_, g) => [() => g, () => neg(g)]);
const Mul = binary('Mul', numbers, ({ inputs: [a, b] }, g) => [() => mul(g, b), () => mul(g, a)]);
const Div = binary('Div', numbers, ({ inputs: [, b], outputs: [y] }, g) => [
  () => div(g, b),
  () => neg(div(mul(g, y), b)),
]);
const Pow = binary('Pow', floats, ({ inputs: [a, b], outputs: [y] }, g) => [
  () => mul(g, mul(b, pow(a, sub(b, 1)))),
  // aᵇ·ln a tends to 0 with a, where the product itself would be 0 · -∞.
  () => mul(g, where(equal(a, 0), 0, mul(y, log(a)))),
]);
/** Where both are equal the whole gradient goes to the first. */
const Max = binary('Max', numbers, ({ inputs: [a, b] }, g) => [
  () => where(greaterOrEqual(a, b), g, 0),
  () => where(greater(b, a), g, 0),
]);
const Min = binary('Min', numbers, ({ inputs: [a, b] }, g) => [
  () => where(lessOrEqual(a, b), g, 0),
  () => where(less(b, a), g, 0),
]);
const And = comparison('And', ['bool']);
const Or = comparison('Or', ['bool']);
const Equal = comparison('Equal', [...numbers, 'bool']);
const Greater = comparison('Greater', numbers);
const GreaterOrEqual = comparison('GreaterOrEqual', numbers);
const Less = comparison('Less', numbers);
const LessOrEqual = comparison('LessOrEqual', numbers);

const Neg = unary('Neg', signedNumbers, (_, g) => neg(g));
/** The gradient at 0 is 0. */
const Abs = unary('Abs', numbers, ({ inputs: [x] }, g) => mul(g, sign(x)));
const Sign = step('Sign', numbers);
const Floor = step('Floor', floats);
const Ceil = step('Ceil', floats);
const Round = step('Round', floats);
/** The gradient at 0 is infinite, as in PyTorch: add an epsilon first where 0 can come. */
const Sqrt = unary('Sqrt', floats, ({ outputs: [y] }, g) => div(mul(g, 0.5), y));
const Exp = unary('Exp', floats, ({ outputs: [y] }, g) => mul(g, y));
const Log = unary('Log', floats, ({ inputs: [x] }, g) => div(g, x));
const Reciprocal = unary('Reciprocal', floats, ({ outputs: [y] }, g) => neg(mul(g, mul(y, y))));
/** The gradient at 0 is 0. It reads the output, so that the input need not be kept. */
const Relu = unary('Relu', [...floats, 'int32'], ({ outputs: [y] }, g) => apply1(ReluGradient, [g, y], {}));
const Sigmoid = unary('Sigmoid', floats, ({ outputs: [y] }, g) => mul(g, mul(y, sub(1, y))));
const Tanh = unary('Tanh', floats, ({ outputs: [y] }, g) => mul(g, sub(1, mul(y, y))));
const Softplus = unary('Softplus', floats, ({ inputs: [x] }, g) => mul(g, sigmoid(x)));
const Erf = unary('Erf', floats, ({ inputs: [x] }, g) => mul(g, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI))));
const Not = unary('Not', ['bool']);
const Identity = unary('Identity', [...numbers, 'bool'], (_, g) => g);
const StopGradient: Operator<None> = step('Identity', [...numbers, 'bool']);
const IsNaN: Operator<None> = {
  type: 'IsNaN',
  infer: (inputs) => {
    const x = required('IsNaN', inputs, 0);
    requireSameType('IsNaN', [x], floats);
    return [{ dtype: 'bool', shape: x.shape }];
  },
};
const IsInf: Operator<None> = { ...IsNaN, type: 'IsInf' };

/** dX of Relu from dY and Y. An operator of its own, so that a lowering can fold it into what follows. */
export const ReluGradient: Operator<None> = {
  type: 'ReluGradient',
  domain: 'boxwright',
  infer: (inputs) => {
    const gradient = required('ReluGradient', inputs, 0);
    return [{ dtype: gradient.dtype, shape: gradient.shape }];
  },
};

type CastAttributes = { to: ElementType };
export const Cast: Operator<CastAttributes> = {
  type: 'Cast',
  attributes: { to: 'type' },
  infer: (inputs, { to }) => [{ dtype: to, shape: required('Cast', inputs, 0).shape }],
  vjp: ({ inputs: [x], gradients: [g] }) => [
    floats.includes(x.dtype) && floats.includes(g!.dtype) ? cast(g!, x.dtype) : undefined,
  ],
};

const Where: Operator<None> = {
  type: 'Where',
  infer(inputs) {
    const [condition, a, b] = [0, 1, 2].map((i) => required('Where', inputs, i));
    if (condition.dtype !== 'bool') throw shapeError('Where', 'the condition must be bool.', [condition, a, b]);
    return [{ dtype: requireSameType('Where', [a, b]), shape: broadcastShapes('Where', [condition, a, b]) }];
  },
  vjp: ({ inputs: [condition, a, b], gradients: [g], wants }) => [
    undefined,
    wants[1] ? sumTo(where(condition, g!, 0), a) : undefined,
    wants[2] ? sumTo(where(condition, 0, g!), b) : undefined,
  ],
};

const Clip: Operator<None> = {
  type: 'Clip',
  infer(inputs) {
    const x = required('Clip', inputs, 0);
    requireSameType(
      'Clip',
      inputs.filter((value) => value !== undefined),
      numbers,
    );
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  // The bounds themselves pass the gradient, as PyTorch's clamp does.
  vjp({ inputs: [x, low, high], gradients: [g] }) {
    const inside = [low && greaterOrEqual(x, low), high && lessOrEqual(x, high)].filter((mask) => mask !== undefined);
    return [inside.reduce((gradient, mask) => where(mask, gradient, 0), g!)];
  },
};

/** The operands as values of one type; numbers take the type of the value beside them. */
function operands(operator: string, a: Operand, b: Operand): [Value, Value] {
  if (typeof a === 'number' && typeof b === 'number') throw shapeError(operator, 'one operand must be a value.');
  const dtype = (typeof a === 'number' ? (b as Value) : a).dtype;
  return [scalarLike(a, dtype), scalarLike(b, dtype)];
}

/** A number as a scalar constant of the element type; a value as it is. */
export function scalarLike(operand: Operand, dtype: ElementType): Value {
  if (typeof operand !== 'number') return operand;
  return dtype === 'float16' ? cast(filled(operand), 'float16') : filled(operand, dtype);
}

const binaryFunction = (operator: Operator<None>) => (a: Operand, b: Operand) =>
  apply1(operator, operands(operator.type, a, b), {});
const unaryFunction = (operator: Operator<None>) => (x: Value) => apply1(operator, [x], {});

/** a + b, with NumPy's broadcasting as in every operator of two operands here. */
export const add = binaryFunction(Add);
export const sub = binaryFunction(Sub);
export const mul = binaryFunction(Mul);
/** a / b; integers are divided with the remainder dropped. */
export const div = binaryFunction(Div);
export const pow = binaryFunction(Pow);
/** The larger of both; of equal ones the first gets the whole gradient, as with `minimum`. */
export const maximum = binaryFunction(Max);
export const minimum = binaryFunction(Min);
export const equal = binaryFunction(Equal);
export const greater = binaryFunction(Greater);
export const greaterOrEqual = binaryFunction(GreaterOrEqual);
export const less = binaryFunction(Less);
export const lessOrEqual = binaryFunction(LessOrEqual);
export const and = (a: Value, b: Value) => apply1(And, [a, b], {});
export const or = (a: Value, b: Value) => apply1(Or, [a, b], {});
export const not = unaryFunction(Not);
export const neg = unaryFunction(Neg);
export const abs = unaryFunction(Abs);
export const sign = unaryFunction(Sign);
export const floor = unaryFunction(Floor);
export const ceil = unaryFunction(Ceil);
/** Nearest whole number, halves to even. */
export const round = unaryFunction(Round);
export const sqrt = unaryFunction(Sqrt);
export const exp = unaryFunction(Exp);
export const log = unaryFunction(Log);
export const reciprocal = unaryFunction(Reciprocal);
export const relu = unaryFunction(Relu);
export const sigmoid = unaryFunction(Sigmoid);
export const tanh = unaryFunction(Tanh);
/** ln(1 + eˣ). */
export const softplus = unaryFunction(Softplus);
export const erf = unaryFunction(Erf);
export const isNan = unaryFunction(IsNaN);
export const isInf = unaryFunction(IsInf);
export const identity = unaryFunction(Identity);
/**
 * The same value, through which no gradient flows: to the walk back it is a constant. For targets that depend on
 * predictions, and before operators without a gradient.
 */
export const stopGradient = unaryFunction(StopGradient);

/** x as another element type. Floats become integers by dropping the fraction, masks become 0 and 1. */
export function cast(x: Value, to: ElementType): Value {
  return x.dtype === to ? x : apply1(Cast, [x], { to });
}

/** `a` where the condition holds, else `b`. */
export function where(condition: Value, a: Operand, b: Operand): Value {
  return apply1(Where, [condition, ...operands('Where', a, b)], {});
}

/** x limited to low … high; either bound may be left out. At the bounds themselves the gradient passes. */
export function clip(x: Value, low?: number, high?: number): Value {
  const bound = (value: number | undefined) => (value === undefined ? undefined : scalarLike(value, x.dtype));
  return apply1(Clip, [x, bound(low), bound(high)], {});
}

/** min(max(x, 0), 6). As with `clip`, the bounds themselves pass the gradient. */
export function relu6(x: Value): Value {
  return clip(x, 0, 6);
}

/** 1 where the mask holds, else 0. */
export function indicator(mask: Value, dtype: ElementType = 'float32'): Value {
  return cast(mask, dtype);
}

/** The sum of one or more values. */
export function sumOf(values: readonly Value[]): Value {
  if (!values.length) throw shapeError('Add', 'there are no values to sum.');
  return values.reduce((sum, value) => add(sum, value));
}
