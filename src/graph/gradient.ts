import { BoxwrightError } from '../errors.js';
import { sameShape } from './dims.js';
import { add } from './ops/elementwise.js';
import type { Node, Value } from './value.js';
import { filled, scope, topological, typeText } from './value.js';

/**
 * Gradients of a scalar loss by each of `wrt`, written as more operators of the same graph (reverse mode: one walk from
 * the loss back, a vector-Jacobian product a node). Only nodes between `wrt` and the loss are visited, so frozen
 * parameters and dead branches cost nothing. A value that the loss does not depend on gets zeros.
 *
 * @throws BoxwrightError `graph` where the path meets an operator that has no gradient and feeds no other path.
 */
export function gradient(loss: Value, wrt: readonly Value[]): Value[] {
  if (loss.rank !== 0 || loss.dtype !== 'float32') {
    throw new BoxwrightError('graph', `A loss must be a float32 scalar, not ${loss}. Sum or average it first.`);
  }
  const order = topological([loss]);
  const active = dependents(order, wrt);
  const gradients = new Map<Value, Value>([[loss, filled(1)]]);
  for (const node of order.reverse()) {
    if (!active.has(node) || !node.outputs.some((output) => gradients.has(output))) continue;
    scope(node.scope ? `gradient/${node.scope}` : 'gradient', () => backward(node, active, wrt, gradients));
  }
  return wrt.map((value) => gradients.get(value) ?? filled(0, value.dtype, value.staticShape));
}

/** Nodes that one of `wrt` reaches. */
function dependents(order: readonly Node[], wrt: readonly Value[]): Set<Node> {
  const active = new Set<Node>(wrt.map((value) => value.node));
  for (const node of order) {
    if (node.inputs.some((input) => input && active.has(input.node))) active.add(node);
  }
  return active;
}

function backward(node: Node, active: Set<Node>, wrt: readonly Value[], gradients: Map<Value, Value>): void {
  const wants = node.inputs.map((input) => input !== undefined && active.has(input.node));
  if (!wants.includes(true)) return;
  if (!node.operator.vjp) {
    if (node.outputs.every((output) => !isFloat(output))) return; // masks and indices carry no gradient
    throw new BoxwrightError(
      'graph',
      `${node.operator.type} at "${node.scope}" has no gradient, but the loss depends on it. Use stopGradient before it if none is meant.`,
    );
  }
  const incoming = node.outputs.map((output) => gradients.get(output));
  const outgoing = node.operator.vjp({
    inputs: node.inputs as Value[],
    outputs: node.outputs,
    attributes: node.attributes,
    gradients: incoming,
    wants,
  });
  node.inputs.forEach((input, i) => {
    const part = outgoing[i];
    if (!input || !wants[i] || !part) return;
    if (!sameShape(part.shape, input.shape)) {
      throw new BoxwrightError(
        'graph',
        `The gradient of ${node.operator.type} is ${typeText(part)} for input ${typeText(input)}.`,
      );
    }
    const before = gradients.get(input);
    gradients.set(input, before ? add(before, part) : part);
  });
  // Intermediate gradients are no longer needed once they have been passed on.
  for (const output of node.outputs) if (!wrt.includes(output)) gradients.delete(output);
}

function isFloat(value: Value): boolean {
  return value.dtype === 'float32' || value.dtype === 'float16' || value.dtype === 'float64';
}
