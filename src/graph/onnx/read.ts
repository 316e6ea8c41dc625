import { fromBinary } from '@bufbuild/protobuf';
import { BoxwrightError } from '../../errors.js';
import { bytesPerElement, elementCount, type Tensor, viewArray } from '../tensor.js';
import type { Dim, Type } from '../value.js';
import { elementTypeOf } from './element-types.js';
import type { AttributeProto, ModelProto, TensorProto, ValueInfoProto } from './onnx_pb.js';
import {
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
  TensorProto_DataLocation,
} from './onnx_pb.js';

export interface OnnxPort extends Type {
  readonly name: string;
  readonly doc: string;
}

export interface OnnxNode {
  readonly name: string;
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, number | readonly number[] | string>>;
}

/** What an ONNX file says. */
export interface OnnxFile {
  readonly name: string;
  readonly producer: string;
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads an ONNX model. `external(location)` gives the bytes of a file that holds weights beside the model.
 *
 * @throws BoxwrightError `graph` for bytes that are no ONNX model, and for tensors whose bytes do not fit their shape.
 */
export function readOnnx(bytes: Uint8Array, source: string, external?: (location: string) => Uint8Array): OnnxFile {
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new BoxwrightError('graph', `${source} is no ONNX model: ${(cause as Error).message}.`, { cause });
  }
  const { graph } = model;
  if (!graph || graph.node.length === 0)
    throw new BoxwrightError('graph', `${source} is no ONNX model: it has no graph.`);
  const initializers = new Map(graph.initializer.map((proto) => [proto.name, readTensor(proto, source, external)]));
  return {
    name: graph.name,
    producer: model.producerName,
    opsets: Object.fromEntries(model.opsetImport.map(({ domain, version }) => [domain, Number(version)])),
    inputs: graph.input.filter(({ name }) => !initializers.has(name)).map((info) => readPort(info, source)),
    outputs: graph.output.map((info) => readPort(info, source)),
    nodes: graph.node.map((node) => ({
      name: node.name,
      type: node.opType,
      domain: node.domain,
      inputs: node.input,
      outputs: node.output,
      attributes: Object.fromEntries(node.attribute.map((attribute) => [attribute.name, readAttribute(attribute)])),
    })),
    initializers,
    metadata: Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value])),
  };
}

function readPort(info: ValueInfoProto, source: string): OnnxPort {
  const tensor = info.type?.value.case === 'tensorType' ? info.type.value.value : undefined;
  const dtype = tensor && elementTypeOf(tensor.elemType);
  if (!tensor || !dtype)
    throw new BoxwrightError('graph', `${source}: "${info.name}" is no tensor of a known element type.`);
  const shape = (tensor.shape?.dim ?? []).map(({ value }, axis): Dim => {
    if (value.case === 'dimValue') return Number(value.value);
    return value.case === 'dimParam' ? value.value : `${info.name}_${axis}`;
  });
  return { name: info.name, doc: info.docString, dtype, shape };
}

function readAttribute(attribute: AttributeProto): number | readonly number[] | string {
  switch (attribute.type) {
    case AttributeType.FLOAT:
      return attribute.f ?? 0;
    case AttributeType.INT:
      return Number(attribute.i ?? 0n);
    case AttributeType.FLOATS:
      return attribute.floats;
    case AttributeType.INTS:
      return attribute.ints.map(Number);
    case AttributeType.STRING:
      return new TextDecoder().decode(attribute.s);
    default:
      return `(${AttributeType[attribute.type] ?? 'unknown'})`;
  }
}

function readTensor(proto: TensorProto, source: string, external?: (location: string) => Uint8Array): Tensor {
  const dtype = elementTypeOf(proto.dataType);
  if (!dtype)
    throw new BoxwrightError(
      'graph',
      `${source}: tensor "${proto.name}" has the unknown element type ${proto.dataType}.`,
    );
  const shape = proto.dims.map(Number);
  const bytes =
    proto.dataLocation === TensorProto_DataLocation.EXTERNAL
      ? externalBytes(proto, source, external)
      : tensorBytes(proto);
  const expected = elementCount(shape) * bytesPerElement(dtype);
  if (bytes.length !== expected) {
    throw new BoxwrightError(
      'graph',
      `${source}: tensor "${proto.name}" [${shape.join(', ')}] has ${bytes.length} bytes instead of ${expected}.`,
    );
  }
  // Not `slice`: that of a Buffer does not copy.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  return { dtype, shape, data: viewArray(dtype, aligned) };
}

/** The elements, whether they stand as raw bytes or in a field of their type. */
function tensorBytes(proto: TensorProto): Uint8Array {
  if (proto.rawData.length) return proto.rawData;
  const typed = proto.floatData.length
    ? Float32Array.from(proto.floatData)
    : proto.int64Data.length
      ? BigInt64Array.from(proto.int64Data)
      : proto.doubleData.length
        ? Float64Array.from(proto.doubleData)
        : proto.uint64Data.length
          ? Uint32Array.from(proto.uint64Data, Number) // ONNX keeps uint32 there
          : narrow(proto);
  return new Uint8Array(typed.buffer);
}

function narrow(proto: TensorProto) {
  const dtype = elementTypeOf(proto.dataType);
  if (dtype === 'uint8' || dtype === 'bool') return Uint8Array.from(proto.int32Data);
  if (dtype === 'int8') return Int8Array.from(proto.int32Data);
  if (dtype === 'float16') return Uint16Array.from(proto.int32Data);
  return Int32Array.from(proto.int32Data);
}

function externalBytes(proto: TensorProto, source: string, external?: (location: string) => Uint8Array): Uint8Array {
  const entries = new Map(proto.externalData.map(({ key, value }) => [key, value]));
  const location = entries.get('location') ?? '';
  if (!external)
    throw new BoxwrightError(
      'graph',
      `${source}: tensor "${proto.name}" lies in the file "${location}" beside it, which was not given.`,
    );
  const offset = Number(entries.get('offset') ?? 0);
  const file = external(location);
  const length = Number(entries.get('length') ?? file.length - offset);
  if (offset + length > file.length)
    throw new BoxwrightError(
      'graph',
      `${source}: tensor "${proto.name}" ends at byte ${offset + length} of "${location}", which has ${file.length}.`,
    );
  return file.subarray(offset, offset + length);
}
