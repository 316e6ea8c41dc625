import { BoxwrightError } from '../errors.js';
import { bytesOf } from '../graph/tensor.js';
import type { Node, Value } from '../graph/value.js';
import { constantTensor, isInput, scope, topological, typeText, withInputs } from '../graph/value.js';

/** Where a lowered graph will run; rules choose their form by it. */
export interface Target {
  readonly provider: 'cpu' | 'webgpu' | 'cuda' | 'dml' | 'coreml';
  /**
   * `reference`: the obviously right form of each operator, which tests compare with and exported files have. `fast`:
   * forms that give the same up to rounding, for graphs that stay in this process. They may use operators that only
   * ONNX Runtime has, and are chosen for fixed shapes; where a shape is free the reference form stands.
   */
  readonly form: 'reference' | 'fast';
}

/**
 * Writes one operator in terms of others. Gets the node with its inputs already lowered; gives the values that stand for
 * its outputs, or undefined if the rule does not fit this shape (the next one is asked).
 */
export type Rule = (call: LoweringCall) => readonly (Value | undefined)[] | undefined;

export interface LoweringCall {
  readonly node: Node;
  readonly inputs: readonly Value[];
  readonly target: Target;
  /** The nodes that read a value in the graph as it was before lowering. */
  readonly users: ReadonlyMap<Value, readonly Node[]>;
}

/** Rules by operator type; the first that answers is taken. */
export type LoweringTable = ReadonlyMap<string, readonly Rule[]>;

/**
 * Rewrites what `outputs` reach so that only operators of ONNX Runtime remain, and merges equal nodes on the way (so
 * that, for example, a transformed input is shared by a convolution and its gradient).
 *
 * @throws BoxwrightError `graph` if an operator of boxwright's own has no rule.
 */
export function lower(outputs: readonly Value[], table: LoweringTable, target: Target): Value[] {
  return new Lowering(table, target).run(outputs);
}

class Lowering {
  readonly #done = new Map<Node, readonly (Value | undefined)[]>();
  readonly #unique = new Map<string, readonly Value[]>();
  readonly #table: LoweringTable;
  readonly #target: Target;
  readonly #users = new Map<Value, Node[]>();

  constructor(table: LoweringTable, target: Target) {
    this.#table = table;
    this.#target = target;
  }

  run(outputs: readonly Value[]): Value[] {
    const order = topological(outputs);
    for (const node of order) {
      for (const input of node.inputs) if (input) this.#users.set(input, [...(this.#users.get(input) ?? []), node]);
    }
    for (const node of order) this.#visit(node);
    return outputs.map((output) => this.#get(output));
  }

  #get(value: Value): Value {
    const lowered = this.#done.get(value.node)?.[value.index];
    if (!lowered) throw new BoxwrightError('graph', `Lowering gave no value for ${value}.`);
    return lowered;
  }

  #visit(node: Node): void {
    if (this.#done.has(node)) return;
    const inputs = node.inputs.map((input) => input && this.#get(input));
    for (const rule of this.#table.get(node.operator.type) ?? []) {
      const written = scope(node.scope, () => rule(this.#call(node, inputs as Value[])));
      if (!written) continue;
      checkTypes(node, written);
      // What a rule writes may itself need lowering; what it was given is done and stops the walk.
      for (const inner of topological(
        written.filter((value) => value !== undefined),
        (before) => this.#done.has(before),
      )) {
        // A rule that writes its own operator (a convolution by other convolutions) means it as it stands.
        if (inner.operator.type === node.operator.type) this.#keep(inner);
        else this.#visit(inner);
      }
      this.#done.set(
        node,
        written.map((value) => value && this.#get(value)),
      );
      return;
    }
    if (node.operator.domain === 'boxwright') {
      throw new BoxwrightError(
        'graph',
        `${node.operator.type} at "${node.scope}" has no form for ${this.#target.provider}.`,
      );
    }
    this.#keep(node);
  }

  #call(node: Node, inputs: readonly Value[]): LoweringCall {
    return { node, inputs, target: this.#target, users: this.#users };
  }

  /** The node itself with lowered inputs, or an equal one that is already there. */
  #keep(node: Node): void {
    if (this.#done.has(node)) return;
    const inputs = node.inputs.map((input) => input && this.#get(input));
    const key = identityOf(node, inputs);
    const before = key === undefined ? undefined : this.#unique.get(key);
    if (before) {
      this.#done.set(node, before);
      return;
    }
    const same = inputs.every((input, i) => input === node.inputs[i]);
    const outputs = same ? node.outputs : scope(node.scope, () => withInputs(node, inputs));
    this.#done.set(node, outputs);
    if (!same) this.#done.set(outputs[0].node, outputs);
    if (key !== undefined) this.#unique.set(key, outputs);
  }
}

/** Text that is equal for nodes that compute the same; undefined for nodes that stay apart. */
function identityOf(node: Node, inputs: readonly (Value | undefined)[]): string | undefined {
  if (node.outputs.length && isInput(node.outputs[0])) return undefined;
  const tensor = node.outputs.length ? constantTensor(node.outputs[0]) : undefined;
  if (tensor) {
    if (tensor.data.length > 64) return undefined;
    return `${typeText(tensor)}:${bytesOf(tensor.data).join()}`; // bytes, since -0 is not 0
  }
  const { type, domain = '' } = node.operator;
  const from = inputs.map((input) => (input ? `${input.node.id}.${input.index}` : '-')).join();
  return `${domain}.${type}(${from})${JSON.stringify(node.attributes)}${node.outputs.length}`;
}

function checkTypes(node: Node, written: readonly (Value | undefined)[]): void {
  node.outputs.forEach((output, i) => {
    const value = written[i];
    if (value && typeText(value) !== typeText(output)) {
      throw new BoxwrightError(
        'graph',
        `Lowering ${node.operator.type} at "${node.scope}" gave ${typeText(value)} for ${typeText(output)}.`,
      );
    }
  });
}
