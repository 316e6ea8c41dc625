// Caffe's models: a protobuf message of layers (field 100, in files before 2014 field 2), each with a name and blobs.
import type { Tensor } from '../../graph/tensor.js';
import type { ByteSource } from '../byte-source.js';
import type { WeightFile } from '../weight-file.js';
import { bytesOfParts, mostDimensions, type PlacedTensor, readPlaced } from './placed-tensor.js';
import { type ProtobufField, ProtobufFile, varint } from './protobuf.js';

type Place = PlacedTensor['parts'][number];

/** Where a kind of layer keeps its name and its blobs. */
const layerKinds: Readonly<Record<number, { readonly name: number; readonly blobs: number }>> = {
  100: { name: 1, blobs: 7 },
  2: { name: 4, blobs: 6 },
};

/** Fields of the network: name, layers, inputs and their sizes, flags, state, and layers again. */
const networkFields: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7, 8, 100]);

/** Whether a file begins as Caffe's do: fields of a network up to its first layer, which are all that the start shows. */
export function isCaffe(first: Uint8Array): boolean {
  for (let at = 0; at < first.length; ) {
    const key = varint(first, at, first.length);
    const found = key && varint(first, key.end, first.length);
    if (!found) return false;
    const [number, wire] = [Math.floor(key.value / 8), key.value % 8];
    if (!networkFields.has(number)) return false;
    const inside = first[found.end];
    // A layer begins with text (name or bottom) in either kind; old ones may begin with a blob's source.
    if (layerKinds[number])
      return wire === 2 && (inside === 0x0a || inside === 0x12 || inside === 0x1a || inside === 0x22);
    if (number === 1 && (wire !== 2 || inside < 0x20)) return false;
    if (wire !== 0 && wire !== 2) return false;
    at = wire === 2 ? found.end + found.value : found.end;
  }
  return false;
}

/**
 * Reads a Caffe model (`.caffemodel`). A tensor is called `<layer>/<i>`, i counting the layer's blobs from 0: of a
 * convolution, 0 is the weight and 1 the bias. Shapes of the old kind (four numbers always) lose leading ones where the
 * first two are one: `[1, 1, 1, n]` is a vector, `[1, 1, m, n]` a matrix. The network's name is metadata.
 *
 * @throws BoxwrightError `weights` if the file is damaged or a blob does not fill its shape.
 */
export async function readCaffe(source: ByteSource): Promise<WeightFile> {
  const file = new ProtobufFile(source);
  const blobs = new Map<string, PlacedTensor>();
  let name: string | undefined;
  for await (const field of file.fields()) {
    if (field.number === 1) name = await file.text(field, "the network's name");
    else if (layerKinds[field.number] && field.wire === 2) await readLayer(file, field, blobs);
  }
  if (blobs.size === 0) throw file.bad('it holds no weights: no layer of it has blobs');
  const tensors = new Map<string, Tensor>();
  for (const [blob, placed] of blobs) tensors.set(blob, await readPlaced(file, placed));
  return { format: 'caffe', tensors, metadata: name === undefined ? {} : { name } };
}

async function readLayer(file: ProtobufFile, message: ProtobufField, blobs: Map<string, PlacedTensor>): Promise<void> {
  const kind = layerKinds[message.number];
  const found: Omit<PlacedTensor, 'name'>[] = [];
  let name = '';
  for await (const field of file.fields(message)) {
    if (field.number === kind.name) name = await file.text(field, "a layer's name");
    else if (field.number === kind.blobs && field.wire === 2) found.push(await readBlob(file, field));
  }
  for (const [i, blob] of found.entries()) {
    const tensor = `${name}/${i}`;
    if (blobs.has(tensor)) throw file.bad(`two layers with weights are called ${JSON.stringify(name)}`);
    blobs.set(tensor, { name: tensor, ...blob });
  }
}

async function readBlob(file: ProtobufFile, message: ProtobufField): Promise<Omit<PlacedTensor, 'name'>> {
  const old = [0, 0, 0, 0];
  let shape: number[] | undefined;
  const floats: Place[] = [];
  const doubles: Place[] = [];
  for await (const field of file.fields(message)) {
    const { number, wire } = field;
    if (number <= 4 && wire === 0) old[number - 1] = field.value;
    else if (number === 7 && wire === 2) shape = await readShape(file, field);
    else if (number === 5 || number === 8) {
      if (wire !== 2) throw file.bad(`the blob at byte ${message.begin} is not packed, as Caffe writes it`);
      (number === 5 ? floats : doubles).push({ begin: field.begin, end: field.end });
    }
  }
  if (floats.length && doubles.length) throw file.bad(`the blob at byte ${message.begin} has elements of two types`);
  const type = doubles.length ? 'float64' : 'float32';
  const parts = doubles.length ? doubles : floats;
  // A blob without any elements has none of the four numbers either.
  return {
    type,
    shape: shape ?? (old.some((dim) => dim > 0) || bytesOfParts({ parts }) ? withoutOnes(old) : [0]),
    parts,
  };
}

function withoutOnes(shape: readonly number[]): number[] {
  if (shape[0] !== 1 || shape[1] !== 1) return [...shape];
  return shape.slice(shape[2] === 1 ? 3 : 2);
}

async function readShape(file: ProtobufFile, message: ProtobufField): Promise<number[]> {
  const shape: number[] = [];
  for await (const field of file.fields(message)) {
    if (field.number === 1) shape.push(...(await file.numbers(field, mostDimensions, 'dimensions')));
    if (shape.length > mostDimensions)
      throw file.bad(`a blob at byte ${message.begin} has more than ${mostDimensions} dimensions`);
  }
  return shape;
}
