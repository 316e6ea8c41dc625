import { BoxwrightError } from '../errors.js';
import type { ArrayOf, ElementType, Tensor } from './tensor.js';
import { elementCount, newArray } from './tensor.js';

/**
 * A dimension: a number, or the symbolic expression of a free one (`'batch'`, `'floor((height - 1) / 2) + 1'`).
 * Two dimensions with the same expression are known to be equal; of different ones nothing is known.
 */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** What is known of a value before it is computed. */
export interface Type {
  readonly dtype: ElementType;
  readonly shape: Shape;
}

/** How an attribute is written; `type` is an element type, which ONNX writes as a number. */
export type AttributeKind = 'int' | 'ints' | 'float' | 'floats' | 'string' | 'type';
export type AttributeValue = number | readonly number[] | string | undefined;
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** What a vector-Jacobian product may use. `gradients[i]` is the loss's gradient by output i, undefined where it is zero. */
export interface Backward<A extends Attributes> {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: A;
  readonly gradients: readonly (Value | undefined)[];
  /** Which inputs need a gradient; computing others is wasted. */
  readonly wants: readonly boolean[];
}

/**
 * One operator: how it is written in ONNX (`type`, `domain`, attribute kinds; emission is generic), its shape rule and,
 * beside it, its vector-Jacobian product. Operators of the domain `boxwright` do not exist in ONNX: `lowering/` says how
 * each is written there.
 */
export interface Operator<A extends Attributes = Attributes> {
  readonly type: string;
  readonly domain?: string;
  readonly attributes?: { readonly [K in keyof A]?: AttributeKind };
  /** The gradient is zero everywhere (steps such as rounding), or meant to be: the walk back ends here. */
  readonly flat?: true;
  /** Types of the outputs. Throws through `shapeError` where the inputs do not fit. An absent optional input is undefined. */
  infer(inputs: readonly (Value | undefined)[], attributes: A): readonly Type[];
  /** Gradients by the inputs, undefined where there is none. Without `vjp` the operator is not differentiable. */
  vjp?(call: Backward<A>): readonly (Value | undefined)[];
}

/** One application of an operator. `scope` says where in the model it was written, such as `backbone/conv1_1`. */
export interface Node {
  readonly id: number;
  readonly operator: Operator;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Attributes;
  readonly scope: string;
  readonly outputs: readonly Value[];
}

/** A tensor in a graph: output `index` of a node. Values are immutable; a graph is whatever its outputs reach. */
export class Value implements Type {
  constructor(
    readonly node: Node,
    readonly index: number,
    readonly dtype: ElementType,
    readonly shape: Shape,
  ) {}

  get rank(): number {
    return this.shape.length;
  }

  /** The shape as numbers. Throws if a dimension is free, which gradients and training graphs cannot use. */
  get staticShape(): readonly number[] {
    const free = this.shape.find((dim) => typeof dim !== 'number');
    if (free !== undefined) {
      throw new BoxwrightError(
        'shape',
        `${this} has the free dimension "${free}" where a fixed shape is needed (gradients and training graphs have fixed shapes).`,
      );
    }
    return this.shape as readonly number[];
  }

  toString(): string {
    const place = this.node.scope ? ` at ${this.node.scope}` : '';
    const name = isLeaf(this) ? ` "${leafName(this)}"` : '';
    return `${this.node.operator.type}${name} ${typeText(this)}${place}`;
  }
}

export function typeText(type: Type): string {
  return `${type.dtype}[${type.shape.join(', ')}]`;
}

let nextId = 0;
const scopes: string[] = [];

/** Names what `build` writes: its nodes carry the scope in the file and in errors. Scopes nest with slashes. */
export function scope<T>(name: string, build: () => T): T {
  scopes.push(name);
  try {
    return build();
  } finally {
    scopes.pop();
  }
}

function currentScope(): string {
  return scopes.join('/');
}

/** An error about shapes or types at the operator that is being written. */
export function shapeError(
  operator: string,
  problem: string,
  inputs: readonly (Type | undefined)[] = [],
): BoxwrightError {
  const place = currentScope();
  const found = inputs.length
    ? ` Inputs: ${inputs.map((input) => (input ? typeText(input) : 'none')).join(', ')}.`
    : '';
  return new BoxwrightError('shape', `${operator}${place ? ` at ${place}` : ''}: ${problem}${found}`);
}

/** Applies an operator: infers the outputs' types at once, so that a wrong shape is an error at the line that wrote it. */
export function apply<A extends Attributes>(
  operator: Operator<A>,
  inputs: readonly (Value | undefined)[],
  attributes: A,
): readonly Value[] {
  return newNode(operator as unknown as Operator, inputs, attributes, operator.infer(inputs, attributes));
}

/**
 * A node once more, on other inputs of the same types. Its outputs keep their types: a dimension that only the data decides
 * would otherwise get another name, unlike all that was inferred from it.
 */
export function withInputs({ operator, attributes, outputs }: Node, inputs: Node['inputs']): readonly Value[] {
  return newNode(operator, inputs, attributes, outputs);
}

function newNode(
  operator: Operator,
  inputs: Node['inputs'],
  attributes: Attributes,
  types: readonly Type[],
): readonly Value[] {
  const outputs: Value[] = [];
  const node: Node = { id: nextId++, operator, inputs, attributes, scope: currentScope(), outputs };
  types.forEach((type, index) => {
    outputs.push(new Value(node, index, type.dtype, type.shape));
  });
  return outputs;
}

/** `apply` for an operator with one output. */
export function apply1<A extends Attributes>(
  operator: Operator<A>,
  inputs: readonly (Value | undefined)[],
  attributes: A,
): Value {
  return apply(operator, inputs, attributes)[0];
}

interface InputOperator extends Operator {
  readonly name: string;
  readonly doc: string;
}

interface ConstantOperator extends Operator {
  readonly tensor: Tensor;
}

/**
 * A named input of a graph: pictures, targets, and parameters too. Whether a file carries it as an input or as an
 * initializer is said when the graph is written.
 */
export function input(name: string, dtype: ElementType, shape: Shape, doc = ''): Value {
  if (name === '') throw shapeError('Input', 'needs a name.');
  const wrong = shape.find((dim) => (typeof dim === 'number' ? !Number.isInteger(dim) || dim < 0 : dim === ''));
  if (wrong !== undefined) throw shapeError('Input', `"${name}" has the dimension "${wrong}".`, [{ dtype, shape }]);
  const operator: InputOperator = { type: 'Input', name, doc, infer: () => [{ dtype, shape }] };
  return apply(operator, [], {})[0];
}

/** A constant with the given elements. */
export function constant<T extends ElementType>(dtype: T, shape: readonly number[], data: ArrayOf[T]): Value {
  if (data.length !== elementCount(shape)) {
    throw shapeError('Constant', `${data.length} elements do not fill the shape [${shape.join(', ')}].`);
  }
  const operator: ConstantOperator = {
    type: 'Constant',
    tensor: { dtype, shape, data } as Tensor,
    infer: () => [{ dtype, shape }],
  };
  return apply(operator, [], {})[0];
}

/**
 * A constant whose elements are all `value`; a scalar by default.
 *
 * @throws BoxwrightError `shape` for a number that the element type cannot hold, such as 0.5 for integers.
 */
export function filled(value: number, dtype: ElementType = 'float32', shape: readonly number[] = []): Value {
  const data = newArray(dtype, elementCount(shape));
  if (dtype === 'float16') {
    if (value !== 0) throw shapeError('Constant', 'float16 constants are made by casting a float32 one.');
  } else if (data instanceof BigInt64Array) {
    if (!Number.isInteger(value)) throw shapeError('Constant', `${value} is no ${dtype}.`);
    data.fill(BigInt(value));
  } else {
    const held = newArray(dtype, 1).fill(value as never)[0];
    const exact =
      dtype === 'float32' || dtype === 'float64' || (dtype === 'bool' ? value === 0 || value === 1 : held === value);
    if (!exact) throw shapeError('Constant', `${value} is no ${dtype}.`);
    data.fill(value);
  }
  return constant(dtype, shape, data);
}

/** A one-dimensional int64 constant, as ONNX's shape and axis inputs want it. */
export function int64s(values: readonly number[]): Value {
  return constant('int64', [values.length], BigInt64Array.from(values, BigInt));
}

export function isInput(value: Value): boolean {
  return value.node.operator.type === 'Input';
}

export function isConstant(value: Value): boolean {
  return value.node.operator.type === 'Constant';
}

export function isLeaf(value: Value): boolean {
  return isInput(value) || isConstant(value);
}

/** The name of a graph input; '' for a constant. */
export function leafName(value: Value): string {
  return isInput(value) ? (value.node.operator as InputOperator).name : '';
}

export function leafDoc(value: Value): string {
  return isInput(value) ? (value.node.operator as InputOperator).doc : '';
}

/** The elements of a constant, or undefined for any other value. */
export function constantTensor(value: Value | undefined): Tensor | undefined {
  return value && isConstant(value) ? (value.node.operator as ConstantOperator).tensor : undefined;
}

/** The numbers of an integer constant such as axes or pads, or undefined if it is computed. */
export function constantInts(value: Value | undefined): number[] | undefined {
  const tensor = constantTensor(value);
  return tensor && Array.from(tensor.data as ArrayLike<number | bigint>, Number);
}

/**
 * All nodes that `outputs` reach, inputs before users; nodes for which `stop` holds end the walk and are left out.
 * Iterative, since models are deeper than the call stack.
 */
export function topological(outputs: readonly Value[], stop: (node: Node) => boolean = () => false): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const stack: { node: Node; next: number }[] = [];
  for (const output of outputs) {
    if (!seen.has(output.node) && !stop(output.node)) {
      seen.add(output.node);
      stack.push({ node: output.node, next: 0 });
    }
    while (stack.length) {
      const top = stack[stack.length - 1];
      if (top.next === top.node.inputs.length) {
        order.push(top.node);
        stack.pop();
        continue;
      }
      const before = top.node.inputs[top.next++];
      if (before && !seen.has(before.node) && !stop(before.node)) {
        seen.add(before.node);
        stack.push({ node: before.node, next: 0 });
      }
    }
  }
  return order;
}
