import { BoxwrightError } from '../errors.js';
import { sameShape } from './dims.js';
import { add } from './ops/elementwise.js';
import type { Node, Value } from './value.js';
import { filled, scope, topological, typeText } from './value.js';

/**
 * Gradients of a scalar loss by each of `wrt`, written as more operators of the same graph (reverse mode: one walk from
 * the loss back, a vector-Jacobian product a node). Only nodes between `wrt` and the loss are visited, so frozen
 * parameters and dead branches cost nothing. Integers and masks carry no gradient. A value that the loss does not
 * depend on gets zeros.
 *
 * @throws BoxwrightError `graph` if the loss is no float32 scalar, if one of `wrt` is no float, and where the path
 * between them leads through an operator that has no gradient; `shape` where it leads through a free dimension.
 */
export function gradient(loss: Value, wrt: readonly Value[]): Value[] {
  if (loss.rank !== 0 || loss.dtype !== 'float32') {
    throw new BoxwrightError('graph', `A loss must be a float32 scalar, not ${loss}. Sum or average it first.`);
  }
  const whole = wrt.find((value) => !isFloat(value));
  if (whole) throw new BoxwrightError('graph', `There is no gradient by ${whole}: only floats have one.`);
  const order = topological([loss]);
  const walk: Walk = {
    active: dependents(order, wrt),
    kept: new Set(wrt),
    gradients: new Map([[loss, filled(1)]]),
  };
  for (const node of order.reverse()) {
    if (!walk.active.has(node) || !node.outputs.some((output) => walk.gradients.has(output))) continue;
    scope(node.scope ? `gradient/${node.scope}` : 'gradient', () => backward(node, walk));
  }
  return wrt.map((value) => walk.gradients.get(value) ?? filled(0, value.dtype, value.staticShape));
}

interface Walk {
  /** Nodes that one of `wrt` reaches through floats. */
  readonly active: ReadonlySet<Node>;
  /** Values whose gradients are wanted at the end. */
  readonly kept: ReadonlySet<Value>;
  readonly gradients: Map<Value, Value>;
}

function dependents(order: readonly Node[], wrt: readonly Value[]): Set<Node> {
  const active = new Set<Node>(wrt.map((value) => value.node));
  for (const node of order) {
    if (!node.operator.flat && node.inputs.some((input) => input && isFloat(input) && active.has(input.node)))
      active.add(node);
  }
  return active;
}

function backward(node: Node, { active, kept, gradients }: Walk): void {
  const wants = node.inputs.map((input) => input !== undefined && isFloat(input) && active.has(input.node));
  if (node.operator.flat || !wants.includes(true)) return;
  if (!node.operator.vjp) {
    throw new BoxwrightError(
      'graph',
      `${node.operator.type}${node.scope ? ` at ${node.scope}` : ''} has no gradient, but the loss depends on it. ` +
        'Put stopGradient before it if none is meant.',
    );
  }
  const outgoing = node.operator.vjp({
    inputs: node.inputs as Value[],
    outputs: node.outputs,
    attributes: node.attributes,
    gradients: node.outputs.map((output) => gradients.get(output)),
    wants,
  });
  node.inputs.forEach((input, i) => {
    const part = outgoing[i];
    if (!input || !wants[i] || !part) return;
    if (!sameShape(part.shape, input.shape) || part.dtype !== input.dtype) {
      throw new BoxwrightError(
        'graph',
        `The gradient of ${node.operator.type} is ${typeText(part)} for input ${typeText(input)}.`,
      );
    }
    const before = gradients.get(input);
    gradients.set(input, before ? add(before, part) : part);
  });
  // Intermediate gradients are no longer needed once they have been passed on.
  for (const output of node.outputs) if (!kept.has(output)) gradients.delete(output);
}

function isFloat(value: Value): boolean {
  return value.dtype === 'float32' || value.dtype === 'float16' || value.dtype === 'float64';
}
