import { create, toBinary } from '@bufbuild/protobuf';
import { BoxwrightError } from '../../errors.js';
import { bytesOf, type ElementType, type Tensor } from '../tensor.js';
import type { AttributeKind, AttributeValue, Node, Type, Value } from '../value.js';
import { constantTensor, isConstant, isInput, leafDoc, leafName, topological } from '../value.js';
import { elementTypeNumber } from './element-types.js';
import type { AttributeProto, NodeProto, TensorProto, ValueInfoProto } from './onnx_pb.js';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from './onnx_pb.js';

/** Operator set and format version that files are written with: readable by ONNX Runtime 1.14 and later. */
export const opset = 18;
const irVersion = 8;
/** Protobuf messages end at 2 GB: beyond this many bytes of weights they go to a file beside. */
const externalFrom = 1_900_000_000;

export interface GraphDescription {
  readonly name: string;
  readonly doc?: string;
  /** Order of the inputs in the file. Inputs that are reached but not listed follow in the order met. */
  readonly inputs?: readonly Value[];
  readonly outputs: Readonly<Record<string, Value>>;
  readonly outputDocs?: Readonly<Record<string, string>>;
  /** Inputs that the file carries with their values. */
  readonly initializers?: ReadonlyMap<string, Tensor>;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Base name of the file for weights, used when they do not fit into the model. */
  readonly externalName?: string;
}

export interface OnnxModel {
  readonly bytes: Uint8Array;
  /** Weights that did not fit: to be written in this order to the file `name` beside the model. */
  readonly external?: { readonly name: string; readonly parts: readonly Uint8Array[] };
}

/**
 * Writes a graph as an ONNX model: named nodes by scope, documented inputs and outputs, weights as initializers.
 *
 * @throws BoxwrightError `graph` for operators that ONNX does not have (lower the graph first) and for name clashes.
 */
export function writeOnnx(description: GraphDescription): OnnxModel {
  return new Writer(description).write();
}

class Writer {
  readonly #names = new Map<Value, string>();
  readonly #taken = new Set<string>();
  readonly #counters = new Map<string, number>();
  readonly #nodeCounters = new Map<string, number>();
  readonly #initializers: TensorProto[] = [];
  readonly #external: Uint8Array[] = [];
  readonly #useExternal: boolean;
  readonly #description: GraphDescription;
  #externalSize = 0;

  constructor(description: GraphDescription) {
    this.#description = description;
    let weights = 0;
    for (const tensor of description.initializers?.values() ?? []) weights += tensor.data.byteLength;
    this.#useExternal = weights > externalFrom;
  }

  write(): OnnxModel {
    const { name, doc, outputs, outputDocs, metadata, externalName = 'weights.data' } = this.#description;
    const order = topological(Object.values(outputs));
    const inputs = this.#leaves(order);
    const aliases = this.#nameOutputs(outputs);
    const nodes = order.filter((node) => !isLeafNode(node)).map((node) => this.#node(node));
    for (const [output, value] of aliases) nodes.push(this.#alias(output, value));
    const graph = create(GraphProtoSchema, {
      name,
      docString: doc ?? '',
      node: nodes,
      initializer: this.#initializers,
      input: inputs.map((value) => valueInfo(this.#name(value), value, leafDoc(value))),
      output: Object.entries(outputs).map(([output, value]) => valueInfo(output, value, outputDocs?.[output] ?? '')),
    });
    const domains = new Set(nodes.map((node) => node.domain));
    domains.add('');
    const model = create(ModelProtoSchema, {
      irVersion: BigInt(irVersion),
      producerName: 'boxwright',
      graph,
      opsetImport: [...domains].map((domain) =>
        create(OperatorSetIdProtoSchema, { domain, version: BigInt(domain === '' ? opset : 1) }),
      ),
      metadataProps: Object.entries(metadata ?? {}).map(([key, value]) =>
        create(StringStringEntryProtoSchema, { key, value }),
      ),
    });
    const bytes = toBinary(ModelProtoSchema, model);
    return this.#external.length ? { bytes, external: { name: externalName, parts: this.#external } } : { bytes };
  }

  /** Names inputs, writes constants; gives the inputs that stay inputs. */
  #leaves(order: readonly Node[]): Value[] {
    const { inputs = [], initializers } = this.#description;
    const reached = order
      .filter((node) => node.outputs.length && isInput(node.outputs[0]))
      .map((node) => node.outputs[0]);
    const all = [...new Set([...inputs, ...reached])];
    const open: Value[] = [];
    for (const value of all) {
      const name = leafName(value);
      if (this.#taken.has(name)) throw new BoxwrightError('graph', `Two inputs are called "${name}".`);
      this.#taken.add(name);
      this.#names.set(value, name);
      const tensor = initializers?.get(name);
      if (tensor) this.#initializers.push(this.#tensor(name, requireFit(name, tensor, value)));
      else open.push(value);
    }
    for (const node of order) {
      const tensor = node.outputs.length ? constantTensor(node.outputs[0]) : undefined;
      if (tensor) this.#initializers.push(this.#tensor(this.#name(node.outputs[0]), tensor));
    }
    return open;
  }

  /** Lets computed outputs carry their names; those that are leaves or wanted twice get an Identity later. */
  #nameOutputs(outputs: Readonly<Record<string, Value>>): [string, Value][] {
    const aliases: [string, Value][] = [];
    for (const [output, value] of Object.entries(outputs)) {
      if (this.#taken.has(output)) throw new BoxwrightError('graph', `Output "${output}" has the name of an input.`);
      this.#taken.add(output);
      if (isInput(value) || isConstant(value) || this.#names.has(value)) aliases.push([output, value]);
      else this.#names.set(value, output);
    }
    return aliases;
  }

  #unique(base: string): string {
    const count = this.#counters.get(base) ?? 0;
    this.#counters.set(base, count + 1);
    const name = count ? `${base}_${count}` : base;
    if (this.#taken.has(name)) return this.#unique(base);
    this.#taken.add(name);
    return name;
  }

  /** Nodes have a name space of their own, so that a node and its output may be called alike. */
  #nodeName({ scope, operator }: Node): string {
    const base = `${scope ? `${scope}/` : ''}${operator.type}`;
    const count = this.#nodeCounters.get(base) ?? 0;
    this.#nodeCounters.set(base, count + 1);
    return count ? `${base}_${count}` : base;
  }

  #name(value: Value): string {
    let name = this.#names.get(value);
    if (name === undefined) {
      const { scope, operator, outputs } = value.node;
      const base = `${scope ? `${scope}/` : ''}${operator.type}${outputs.length > 1 ? `:${value.index}` : ''}`;
      name = this.#unique(base);
      this.#names.set(value, name);
    }
    return name;
  }

  #node(node: Node): NodeProto {
    const { operator, attributes } = node;
    if (operator.domain === 'boxwright') {
      throw new BoxwrightError(
        'graph',
        `${operator.type} at "${node.scope}" is no ONNX operator: lower the graph before writing it.`,
      );
    }
    const inputs = node.inputs.map((input) => (input ? this.#name(input) : ''));
    while (inputs.at(-1) === '') inputs.pop();
    return create(NodeProtoSchema, {
      name: this.#nodeName(node),
      opType: operator.type,
      domain: operator.domain ?? '',
      input: inputs,
      output: node.outputs.map((output) => this.#name(output)),
      attribute: Object.entries(operator.attributes ?? {}).flatMap(([name, kind]) =>
        attributes[name] === undefined ? [] : [attribute(name, kind as AttributeKind, attributes[name])],
      ),
    });
  }

  #alias(output: string, value: Value): NodeProto {
    return create(NodeProtoSchema, {
      name: this.#unique(`${output}/Identity`),
      opType: 'Identity',
      input: [this.#name(value)],
      output: [output],
    });
  }

  #tensor(name: string, tensor: Tensor): TensorProto {
    const proto = create(TensorProtoSchema, {
      name,
      dims: tensor.shape.map(BigInt),
      dataType: elementTypeNumber(tensor.dtype),
    });
    const bytes = bytesOf(tensor.data);
    if (this.#useExternal && bytes.length >= 1024) {
      const entries = {
        location: this.#description.externalName ?? 'weights.data',
        offset: `${this.#externalSize}`,
        length: `${bytes.length}`,
      };
      proto.dataLocation = TensorProto_DataLocation.EXTERNAL;
      proto.externalData = Object.entries(entries).map(([key, value]) =>
        create(StringStringEntryProtoSchema, { key, value }),
      );
      this.#external.push(bytes);
      this.#externalSize += bytes.length;
    } else proto.rawData = bytes;
    return proto;
  }
}

function isLeafNode(node: Node): boolean {
  return node.outputs.length > 0 && (isInput(node.outputs[0]) || isConstant(node.outputs[0]));
}

function requireFit(name: string, tensor: Tensor, value: Value): Tensor {
  const fits =
    tensor.dtype === value.dtype &&
    tensor.shape.length === value.rank &&
    tensor.shape.every((dim, axis) => typeof value.shape[axis] !== 'number' || value.shape[axis] === dim);
  if (!fits) {
    throw new BoxwrightError(
      'graph',
      `The value for "${name}" is ${tensor.dtype}[${tensor.shape.join(', ')}], the graph wants ${value}.`,
    );
  }
  return tensor;
}

function valueInfo(name: string, { dtype, shape }: Type, doc: string): ValueInfoProto {
  const dims = shape.map((dim) =>
    create(TensorShapeProto_DimensionSchema, {
      value: typeof dim === 'number' ? { case: 'dimValue', value: BigInt(dim) } : { case: 'dimParam', value: dim },
    }),
  );
  const tensor = create(TypeProto_TensorSchema, {
    elemType: elementTypeNumber(dtype),
    shape: create(TensorShapeProtoSchema, { dim: dims }),
  });
  return create(ValueInfoProtoSchema, {
    name,
    docString: doc,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensor } }),
  });
}

function attribute(name: string, kind: AttributeKind, value: AttributeValue): AttributeProto {
  const encode = (text: string) => new TextEncoder().encode(text);
  switch (kind) {
    case 'int':
      return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value as number) });
    case 'ints':
      return create(AttributeProtoSchema, {
        name,
        type: AttributeType.INTS,
        ints: (value as readonly number[]).map(BigInt),
      });
    case 'float':
      return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value as number });
    case 'floats':
      return create(AttributeProtoSchema, {
        name,
        type: AttributeType.FLOATS,
        floats: [...(value as readonly number[])],
      });
    case 'string':
      return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: encode(value as string) });
    case 'type':
      return create(AttributeProtoSchema, {
        name,
        type: AttributeType.INT,
        i: BigInt(elementTypeNumber(value as ElementType)),
      });
  }
}
