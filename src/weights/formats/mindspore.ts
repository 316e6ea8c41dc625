// MindSpore's checkpoints: a protobuf message of values (field 1), each a tag (1) and a tensor (2) of dimensions (1), the
// name of an element type (2) and bytes (3).
import { crc32 } from 'node:zlib';
import { BoxwrightError } from '../../errors.js';
import type { Tensor } from '../../graph/tensor.js';
import type { ByteSource } from '../byte-source.js';
import type { WeightFile } from '../weight-file.js';
import { bytesOfParts, mostDimensions, type PlacedTensor, readPlaced } from './placed-tensor.js';
import { type ProtobufField, ProtobufFile, varint } from './protobuf.js';
import { type StoredType, storedTypes } from './stored-types.js';

/** A value of the file: a tensor, or one of several pieces of a large one. */
interface Value {
  readonly name: string;
  readonly dims: readonly number[];
  /** As the file calls it. */
  readonly type: string;
  readonly content: { readonly begin: number; readonly end: number };
}

/** Several pieces of one tensor, as they add up. */
interface Gathered extends Omit<Value, 'content'> {
  readonly parts: Value['content'][];
}

/** What MindSpore with `crc_check` writes behind the message: these letters and a CRC-32 in ten bytes, highest first. */
const checkMark = 'crc_num';
const checkLength = checkMark.length + 10;

/** A text that was saved beside the parameters: four bytes a character. */
const textType = 'str';
/** The state of its random numbers, which nobody else can use. */
const randomState = 'random_op';

/** Whether a file begins as MindSpore's checkpoints do: a message that begins with a name, and then a tensor. */
export function isMindspore(first: Uint8Array): boolean {
  if (first[0] !== 0x0a) return false;
  const value = varint(first, 1, first.length);
  if (!value || first[value.end] !== 0x0a) return false;
  const tag = varint(first, value.end + 1, first.length);
  if (!tag || tag.end + tag.value > value.end + value.value) return false;
  const behind = first[tag.end + tag.value];
  return behind === undefined || behind === 0x12 || behind === 0x1a;
}

/**
 * Reads a MindSpore checkpoint (`.ckpt`): parameters and the optimizer's state beside them, tensors that are split over
 * several values, and texts, which become metadata. Half precision becomes float32, int16 and uint16 int32. What the
 * format may add later is skipped; a checksum at the end is verified.
 *
 * @throws BoxwrightError `weights` if the file is damaged, encrypted or holds what is no tensor (map parameters).
 */
export async function readMindspore(source: ByteSource): Promise<WeightFile> {
  const file = new ProtobufFile(source, await contentSize(source));
  const gathered = new Map<string, Gathered>();
  for await (const field of file.fields()) {
    if (field.number === 1 && field.wire === 2) gather(file, gathered, await readValue(file, field));
  }
  if (gathered.size === 0) throw file.bad('it holds no parameters');
  const tensors = new Map<string, Tensor>();
  const texts: [string, string][] = [];
  for (const [name, value] of gathered) {
    if (value.type === textType) texts.push([name, await readText(file, value)]);
    else if (value.type !== randomState) tensors.set(name, await readPlaced(file, placed(file, value)));
  }
  return { format: 'mindspore', tensors, metadata: Object.fromEntries(texts) };
}

async function readValue(file: ProtobufFile, message: ProtobufField): Promise<Value> {
  let name: string | undefined;
  let tensor: Pick<Value, 'dims' | 'type' | 'content'> | undefined;
  let isMap = false;
  for await (const field of file.fields(message)) {
    if (field.number === 1) name = await file.text(field, 'the name of a parameter');
    else if (field.number === 2 && field.wire === 2) tensor = await readTensor(file, field);
    else if (field.number === 3) isMap = true;
  }
  if (name === undefined) throw file.bad(`the value at byte ${message.begin} has no name`);
  if (isMap) throw file.bad(`${JSON.stringify(name)} is a map parameter (a hash table), which boxwright does not read`);
  if (!tensor) throw file.bad(`parameter ${JSON.stringify(name)} has no tensor`);
  return { name, ...tensor };
}

async function readTensor(
  file: ProtobufFile,
  message: ProtobufField,
): Promise<Pick<Value, 'dims' | 'type' | 'content'>> {
  const dims: number[] = [];
  let type = '';
  let content = { begin: message.end, end: message.end };
  for await (const field of file.fields(message)) {
    if (field.number === 1) dims.push(...(await file.numbers(field, mostDimensions, 'dimensions')));
    else if (field.number === 2) type = await file.text(field, 'an element type');
    else if (field.number === 3 && field.wire === 2) content = { begin: field.begin, end: field.end };
    if (dims.length > mostDimensions)
      throw file.bad(`a tensor at byte ${message.begin} has more than ${mostDimensions} dimensions`);
  }
  return { dims, type, content };
}

/** Adds a value: a new one, or the next piece of the one before it. */
function gather(file: ProtobufFile, gathered: Map<string, Gathered>, { content, ...value }: Value): void {
  const known = gathered.get(value.name);
  if (!known) {
    gathered.set(value.name, { ...value, parts: [content] });
    return;
  }
  if (known.type !== value.type || known.dims.join() !== value.dims.join()) {
    const found = `${value.type} [${value.dims}] at byte ${content.begin} after ${known.type} [${known.dims}]`;
    throw file.bad(`pieces of parameter ${JSON.stringify(value.name)} do not fit each other: ${found}`);
  }
  known.parts.push(content);
}

const types = new Map<string, StoredType>(
  // "UInt8" in newer versions, numpy's "uint8" in some.
  (Object.keys(storedTypes) as StoredType[]).map((type) => [type, type]),
);

function placed(file: ProtobufFile, { name, type, dims, parts }: Gathered): PlacedTensor {
  const stored = types.get(type.toLowerCase());
  if (!stored) {
    const known = 'Float32, Float16, BFloat16, Float64, Int8 to Int64, UInt8 to UInt64 and Bool';
    throw file.bad(`parameter ${JSON.stringify(name)} has the element type ${JSON.stringify(type)}, expected ${known}`);
  }
  // Scalars are written as one element of shape [0].
  const isScalar = dims.length === 1 && dims[0] === 0 && bytesOfParts({ parts }) > 0;
  return { name, type: stored, shape: isScalar ? [] : dims, parts };
}

async function readText(file: ProtobufFile, { name, parts }: Gathered): Promise<string> {
  const what = `text ${JSON.stringify(name)}`;
  const length = bytesOfParts({ parts });
  if (length > 2 ** 24 || length % 4 !== 0 || parts.length > 1) {
    throw file.bad(
      `${what} has ${length} bytes in ${parts.length} pieces, expected one of four bytes a character, at most 16 MiB`,
    );
  }
  const bytes = Buffer.from(await file.bytes(parts[0]));
  let text = '';
  for (let at = 0; at < length; at += 4) {
    const point = bytes.readUInt32LE(at);
    if (point > 0x10ffff) throw file.bad(`${what} has the character ${point}, which does not exist`);
    if (point !== 0) text += String.fromCodePoint(point);
  }
  return text;
}

/** Bytes of the message; verifies the checksum behind it if there is one. */
async function contentSize(source: ByteSource): Promise<number> {
  const size = source.size - checkLength;
  if (size < 0) return source.size;
  const end = Buffer.from(await source.read(size, checkLength));
  if (end.toString('latin1', 0, checkMark.length) !== checkMark) return source.size;
  const expected = Number(end.readBigUInt64BE(checkLength - 8));
  let found = 0;
  const piece = 2 ** 23;
  for (let at = 0; at < size; at += piece) found = crc32(await source.read(at, Math.min(piece, size - at)), found);
  if (found === expected) return size;
  throw new BoxwrightError(
    'weights',
    `${source.name}: damaged: its checksum is ${found}, expected ${expected}. Download or copy the file again.`,
  );
}
