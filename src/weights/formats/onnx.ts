// Weights in ONNX models: the initializers (field 5) of the graph (field 7), read one by one. Field numbers are those of
// src/graph/onnx/onnx.proto, which serves to read whole models.
import type { Tensor } from '../../graph/tensor.js';
import { elementCount } from '../../graph/tensor.js';
import { type ByteSource, withFileBeside } from '../byte-source.js';
import type { WeightFile } from '../weight-file.js';
import { isProperty, readEntry } from './onnx-metadata.js';
import { bytesOfParts, mostDimensions, type PlacedTensor, readPlaced } from './placed-tensor.js';
import { type ProtobufField, ProtobufFile } from './protobuf.js';
import { hostArray, type StoredType, storedTypes } from './stored-types.js';

type Place = PlacedTensor['parts'][number];

/** Element types by ONNX's numbers, and the field that holds the elements where they are not raw bytes. */
const types: Readonly<Record<number, { readonly type: StoredType; readonly field: number }>> = {
  1: { type: 'float32', field: 4 },
  2: { type: 'uint8', field: 5 },
  3: { type: 'int8', field: 5 },
  4: { type: 'uint16', field: 5 },
  5: { type: 'int16', field: 5 },
  6: { type: 'int32', field: 5 },
  7: { type: 'int64', field: 7 },
  9: { type: 'bool', field: 5 },
  10: { type: 'float16', field: 5 },
  11: { type: 'float64', field: 10 },
  12: { type: 'uint32', field: 11 },
  13: { type: 'uint64', field: 11 },
  16: { type: 'bfloat16', field: 5 },
};

/** An initializer as the file describes it. */
interface Initializer {
  readonly name: string;
  readonly type: StoredType;
  readonly shape: readonly number[];
  /** Where its elements lie: as they are, as numbers of variable length, or in another file. */
  readonly raw: readonly Place[];
  readonly numbers: readonly Place[];
  readonly external: ReadonlyMap<string, string> | undefined;
}

/** A file for weights may serve several tensors with the same bytes, but not ask for any amount of memory. */
const largestSharing = 4;

/** Whether a file begins as ONNX models do: a small version number, then another field of a model. */
export function isOnnx(first: Uint8Array): boolean {
  return first[0] === 0x08 && first[1] < 0x40 && [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42].includes(first[2]);
}

/**
 * Reads the initializers of an ONNX model, those in a file beside it too, which has to lie in the same folder. Half
 * precision becomes float32, int16 and uint16 int32. The model's metadata properties are metadata.
 *
 * @throws BoxwrightError `weights` if the file is damaged, a tensor does not fill its shape or has a type that boxwright
 *   does not read; `io` if a file beside it cannot be read.
 */
export async function readOnnxWeights(source: ByteSource): Promise<WeightFile> {
  const file = new ProtobufFile(source);
  const initializers = new Map<string, Initializer>();
  const properties: (readonly [string, string])[] = [];
  for await (const field of file.fields()) {
    if (isProperty(field)) properties.push(await readEntry(file, field));
    if (field.number !== 7 || field.wire !== 2) continue;
    for await (const part of file.fields(field)) {
      if (part.number !== 5 || part.wire !== 2) continue;
      const initializer = await readInitializer(file, part);
      const { name } = initializer;
      if (initializers.has(name)) throw file.bad(`two initializers are called ${JSON.stringify(name)}`);
      initializers.set(name, initializer);
    }
  }
  if (initializers.size === 0) throw file.bad('it holds no weights: its graph has no initializers');
  const outside = await readExternal(source, file, initializers.values());
  const tensors = new Map<string, Tensor>();
  for (const [name, initializer] of initializers) {
    tensors.set(name, outside.get(name) ?? (await readInside(file, initializer)));
  }
  return { format: 'onnx', tensors, metadata: Object.fromEntries(properties) };
}

async function readInitializer(file: ProtobufFile, message: ProtobufField): Promise<Initializer> {
  let name = '';
  let type = 0;
  let isExternal = false;
  const shape: number[] = [];
  const external = new Map<string, string>();
  const places = new Map<number, Place[]>();
  for await (const field of file.fields(message)) {
    if (field.number === 1) shape.push(...(await file.numbers(field, mostDimensions, 'dimensions')));
    else if (field.number === 2) type = field.value;
    else if (field.number === 8) name = await file.text(field, "an initializer's name");
    else if (field.number === 13 && field.wire === 2) external.set(...(await readEntry(file, field)));
    else if (field.number === 14) isExternal = field.value === 1;
    else if (field.wire === 2) appendTo(places, field.number, field);
    if (shape.length > mostDimensions)
      throw file.bad(`the tensor at byte ${message.begin} has more than ${mostDimensions} dimensions`);
  }
  const known = types[type];
  if (!known)
    throw file.bad(
      `initializer ${JSON.stringify(name)} has the element type ${type} of ONNX, which boxwright does not read`,
    );
  const typed = places.get(known.field) ?? [];
  const raw = places.get(9) ?? [];
  const isAsItIs = known.field === 4 || known.field === 10; // floats and doubles are written as raw bytes are
  return {
    name,
    type: known.type,
    shape,
    raw: raw.length ? raw : isAsItIs ? typed : [],
    numbers: raw.length || isAsItIs ? [] : typed,
    external: isExternal ? external : undefined,
  };
}

/** In place, since a hostile file may have a million of them. */
function appendTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

function readInside(file: ProtobufFile, initializer: Initializer): Promise<Tensor> {
  const { name, type, shape, raw, numbers } = initializer;
  return numbers.length ? readNumbers(file, initializer) : readPlaced(file, { name, type, shape, parts: raw });
}

/** Elements of less than 32 bits, and whole numbers that no converter wrote as raw bytes. */
async function readNumbers(file: ProtobufFile, { name, type, shape, numbers }: Initializer): Promise<Tensor> {
  const { bytes: size, dtype } = storedTypes[type] as { bytes: number; dtype: Tensor['dtype'] };
  const count = elementCount(shape);
  const length = numbers.reduce((sum, { begin, end }) => sum + end - begin, 0);
  const fail = (found: string) =>
    file.bad(`initializer ${JSON.stringify(name)} of shape [${shape}] needs ${count} elements and has ${found}`);
  // Each takes a byte at least, so the memory for them is in proportion to the file.
  if (!(count <= length)) throw fail(`${length} bytes for them`);
  const out = new Uint8Array(count * size);
  let done = 0;
  for (const place of numbers) done = unpack(await file.bytes(place), out, size, done) ?? Number.POSITIVE_INFINITY;
  if (done !== count) throw fail(Number.isFinite(done) ? `${done}` : 'more, or numbers that do not end');
  const data = hostArray(type, out);
  if (!data)
    throw file.bad(`initializer ${JSON.stringify(name)} has an element of 2^63 or more, which boxwright does not read`);
  return { dtype, shape, data };
}

/**
 * Writes the low bytes of variable-length numbers as elements of `size` bytes, from element `done` on.
 * @returns how many elements are written now; undefined if there are too many or one does not end.
 */
function unpack(packed: Uint8Array, out: Uint8Array, size: number, done: number): number | undefined {
  let at = 0;
  let element = done;
  while (at < packed.length) {
    if ((element + 1) * size > out.length) return undefined;
    let low = 0;
    let high = 0;
    for (let shift = 0; ; shift += 7) {
      if (at === packed.length || shift > 63) return undefined;
      const byte = packed[at++];
      if (shift < 32) low |= (byte & 0x7f) << shift;
      if (shift >= 28) high |= shift === 28 ? (byte & 0x7f) >> 4 : (byte & 0x7f) << (shift - 32);
      if (byte < 0x80) break;
    }
    for (let i = 0; i < size; i++) out[element * size + i] = (i < 4 ? low >>> (8 * i) : high >>> (8 * (i - 4))) & 0xff;
    element++;
  }
  return element;
}

/** Initializers in files beside the model, each file opened once. */
async function readExternal(
  source: ByteSource,
  model: ProtobufFile,
  initializers: Iterable<Initializer>,
): Promise<Map<string, Tensor>> {
  const byFile = new Map<string, Initializer[]>();
  for (const initializer of initializers) {
    const location = initializer.external?.get('location') ?? '';
    if (initializer.external) appendTo(byFile, location, initializer);
  }
  const tensors = new Map<string, Tensor>();
  for (const [location, group] of byFile) {
    const what = `it keeps ${JSON.stringify(group[0].name)} and perhaps more`;
    await withFileBeside(source, location, what, async (beside) => {
      const places = group.map((initializer) => externalPlace(model, beside, initializer));
      const total = bytesOfParts({ parts: places });
      if (total > largestSharing * beside.size) {
        throw model.bad(
          `its tensors in ${beside.name} take ${total} bytes, the file has ${beside.size}: it is damaged`,
        );
      }
      const file = new ProtobufFile(beside); // no message, but its places are read in the same way
      for (const [i, { name, type, shape }] of group.entries()) {
        tensors.set(name, await readPlaced(file, { name, type, shape, parts: [places[i]] }));
      }
    });
  }
  return tensors;
}

function externalPlace(model: ProtobufFile, beside: ByteSource, { name, type, shape, external }: Initializer): Place {
  const entry = (key: string, otherwise: number) => {
    const text = external?.get(key) ?? `${otherwise}`;
    if (/^\d{1,15}$/.test(text)) return Number(text);
    throw model.bad(
      `tensor ${JSON.stringify(name)} has the ${key} ${JSON.stringify(text.slice(0, 40))}, expected a number`,
    );
  };
  const needed = elementCount(shape) * storedTypes[type].bytes;
  const begin = entry('offset', 0);
  const length = entry('length', Math.max(0, beside.size - begin));
  const where = `tensor ${JSON.stringify(name)}, ${type} of shape [${shape}], needs ${needed} bytes`;
  if (length !== needed) throw model.bad(`${where} and has ${length} in ${beside.name}`);
  if (begin + length <= beside.size) return { begin, end: begin + length };
  throw model.bad(`${where} from byte ${begin} of ${beside.name} on, which has ${beside.size}`);
}
