import { create, toBinary } from '@bufbuild/protobuf';
import { BoxwrightError } from '../../errors.js';
import { bytesOf, type ElementType, type Tensor } from '../tensor.js';
import type { AttributeKind, AttributeValue, Node, Type, Value } from '../value.js';
import { constantTensor, isInput, isLeaf, leafDoc, leafName, topological } from '../value.js';
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
const defaultExternalFrom = 1_900_000_000;
/** Tensors in that file start at multiples of this, so that runtimes can map them into memory. */
const externalAlignment = 4096;
/** Smaller tensors stay in the model: shapes and scalars, which runtimes want to see when they load it. */
const externalMinimum = 1024;

export interface GraphDescription {
  readonly name: string;
  readonly doc?: string;
  /** Order of the inputs in the file. Inputs that are reached but not listed follow in the order met. */
  readonly inputs?: readonly Value[];
  readonly outputs: Readonly<Record<string, Value>>;
  readonly outputDocs?: Readonly<Record<string, string>>;
  /** Inputs that the file carries with their values, by name. Those that the graph does not use are left out. */
  readonly initializers?: ReadonlyMap<string, Tensor>;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Base name of the file for weights, used when they do not fit into the model. Default `weights.data`. */
  readonly externalName?: string;
  /** Bytes of weights from which on they go to that file. Default: just under the 2 GB that a model can hold. */
  readonly externalFrom?: number;
}

export interface OnnxModel {
  readonly bytes: Uint8Array;
  /** Weights that did not fit: to be written in this order to the file `name` beside the model. */
  readonly external?: { readonly name: string; readonly parts: readonly Uint8Array[] };
}

/**
 * Writes a graph as an ONNX model: named nodes by scope, documented inputs and outputs, weights as initializers.
 *
 * @throws BoxwrightError `graph` for operators that ONNX does not have (lower the graph first), for name clashes, and for
 * values that do not fit the input that they are for.
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
  readonly #description: GraphDescription;
  #useExternal = false;
  #externalSize = 0;

  constructor(description: GraphDescription) {
    this.#description = description;
  }

  write(): OnnxModel {
    const { name, doc, outputs, outputDocs, metadata, externalName = 'weights.data' } = this.#description;
    const order = topological(Object.values(outputs));
    this.#useExternal = this.#weightBytes(order) >= (this.#description.externalFrom ?? defaultExternalFrom);
    const inputs = this.#nameInputs(order);
    const aliases = this.#nameOutputs(outputs);
    this.#writeConstants(order);
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

  #weightBytes(order: readonly Node[]): number {
    const { initializers } = this.#description;
    let bytes = 0;
    for (const { outputs } of order) {
      const tensor = initializers?.get(leafName(outputs[0])) ?? constantTensor(outputs[0]);
      bytes += tensor?.data.byteLength ?? 0;
    }
    return bytes;
  }

  /** Names inputs and writes those that the file carries; gives the inputs that stay inputs. */
  #nameInputs(order: readonly Node[]): Value[] {
    const { inputs = [], initializers } = this.#description;
    const reached = order.map((node) => node.outputs[0]).filter(isInput);
    const foreign = inputs.find((value) => !isInput(value));
    if (foreign) throw new BoxwrightError('graph', `${foreign} is computed, it cannot be an input of the file.`);
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
    return open;
  }

  #writeConstants(order: readonly Node[]): void {
    for (const { outputs } of order) {
      const tensor = constantTensor(outputs[0]);
      if (tensor) this.#initializers.push(this.#tensor(this.#name(outputs[0]), tensor));
    }
  }

  /** Lets computed outputs carry their names; those that are leaves or wanted twice get an Identity later. */
  #nameOutputs(outputs: Readonly<Record<string, Value>>): [string, Value][] {
    const aliases: [string, Value][] = [];
    for (const [output, value] of Object.entries(outputs)) {
      if (this.#taken.has(output)) throw new BoxwrightError('graph', `Output "${output}" has the name of an input.`);
      this.#taken.add(output);
      if (isLeaf(value) || this.#names.has(value)) aliases.push([output, value]);
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
  #nodeName(base: string): string {
    const count = this.#nodeCounters.get(base) ?? 0;
    this.#nodeCounters.set(base, count + 1);
    return count ? `${base}_${count}` : base;
  }

  #name(value: Value): string {
    let name = this.#names.get(value);
    if (name === undefined) {
      const { node, index } = value;
      name = this.#unique(`${scopedName(node)}${node.outputs.length > 1 ? `:${index}` : ''}`);
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
      name: this.#nodeName(scopedName(node)),
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
      name: this.#nodeName(`${output}/Identity`),
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
    if (this.#useExternal && bytes.length >= externalMinimum) {
      const entries = {
        location: this.#description.externalName ?? 'weights.data',
        offset: `${this.#externalSize}`,
        length: `${bytes.length}`,
      };
      proto.dataLocation = TensorProto_DataLocation.EXTERNAL;
      proto.externalData = Object.entries(entries).map(([key, value]) =>
        create(StringStringEntryProtoSchema, { key, value }),
      );
      const gap = (externalAlignment - (bytes.length % externalAlignment)) % externalAlignment;
      this.#external.push(bytes, new Uint8Array(gap));
      this.#externalSize += bytes.length + gap;
    } else proto.rawData = bytes;
    return proto;
  }
}

function scopedName({ scope, operator }: Node): string {
  return scope ? `${scope}/${operator.type}` : operator.type;
}

function isLeafNode(node: Node): boolean {
  return isLeaf(node.outputs[0]);
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
