import { BoxwrightError } from '../../../errors.js';
import { memorySource } from '../../byte-source.js';
import { type StoredType, storedTypes } from '../stored-types.js';
import { countsOf } from './counts.js';
import { simplest } from './input.js';
import type { Allowance, Place, StoredTensor } from './stored-tensor.js';
import { stridesOf } from './stored-tensor.js';
import { Global, Inert, PickleProblem, Span, Stateful, Unreadable } from './values.js';

/** numpy's letters for the types that there are tensors of. */
const types: Readonly<Record<string, StoredType>> = {
  f8: 'float64',
  f4: 'float32',
  f2: 'float16',
  i8: 'int64',
  i4: 'int32',
  i2: 'int16',
  i1: 'int8',
  u8: 'uint64',
  u4: 'uint32',
  u2: 'uint16',
  u1: 'uint8',
  b1: 'bool',
  c8: 'complex64',
  c16: 'complex128',
};

/** numpy.dtype: letters, and an order of bytes that comes as its state. */
class NumpyType extends Stateful {
  bigEndian: boolean;
  /** Kind and bytes, such as f4. */
  readonly letters: string;

  constructor(letters: string) {
    super();
    this.letters = letters.replace(/^[<>|=]/, '');
    this.bigEndian = letters.startsWith('>');
  }

  get type(): StoredType | undefined {
    return Object.hasOwn(types, this.letters) ? types[this.letters] : undefined;
  }

  override setState(state: unknown): void {
    if (Array.isArray(state)) this.bigEndian = state[1] === '>';
  }
}

/** numpy.ndarray; its contents come as its state. */
export class NumpyArray extends Stateful {
  #contents: StoredTensor | Unreadable = new Unreadable('an array without contents');

  get contents(): StoredTensor | Unreadable {
    return this.#contents;
  }

  /** @param state (version, shape, type, whether column-major, bytes) */
  override setState(state: unknown): void {
    if (!Array.isArray(state) || state.length < 5) throw new PickleProblem("a numpy array's state is no tuple of five");
    const [, shape, type, columnMajor, data] = state;
    this.fill(countsOf(shape, 'the shape of an array'), type, columnMajor === true || columnMajor === 1, data);
  }

  fill(shape: number[], type: unknown, columnMajor: boolean, data: unknown): void {
    if (!(type instanceof NumpyType)) throw new PickleProblem('a numpy array without a type');
    const place = placeOf(data);
    if (!type.type || !place) {
      this.#contents = new Unreadable(`a numpy array of type ${JSON.stringify(type.letters)}, which is not of numbers`);
      return;
    }
    const strides = stridesOf(shape, columnMajor);
    this.#contents = { type: type.type, bigEndian: type.bigEndian, shape, strides, offset: 0, open: place };
  }
}

/** numpy's part of the allow-list; numpy 2 calls numpy.core numpy._core. */
export const numpyGlobals: readonly Global[] = [
  new Global('numpy.ndarray'),
  new Global('numpy.core.multiarray._reconstruct', ([kind]) => {
    if (!(kind instanceof Global) || kind.name !== 'numpy.ndarray')
      throw new PickleProblem('an array of a class of its own');
    return new NumpyArray();
  }),
  new Global('numpy.core.numeric._frombuffer', ([data, type, shape, order]) => {
    const array = new NumpyArray();
    array.fill(countsOf(shape, 'the shape of an array'), type, order === 'F', data);
    return array;
  }),
  new Global('numpy.dtype', ([letters]) => {
    if (typeof letters !== 'string') throw new PickleProblem('a numpy.dtype without letters');
    return new NumpyType(letters);
  }),
  new Global('numpy.core.multiarray.scalar', ([type, data]) => scalarOf(type, data)),
];

function placeOf(data: unknown): StoredTensor['open'] | undefined {
  if (data instanceof Uint8Array) return async () => inMemory(data);
  if (typeof data === 'string') return async () => inMemory(latin1Bytes(data));
  if (!(data instanceof Span)) return undefined;
  if (data.encoding !== 'utf8') return async () => data;
  return (allowance) => decoded(data, allowance);
}

function inMemory(bytes: Uint8Array): Place {
  return { source: memorySource(bytes, 'a numpy array'), position: 0, length: bytes.byteLength };
}

/** Bytes that a pickle has as text, each a character up to 255. */
export function latin1Bytes(text: string): Uint8Array {
  // Not Buffer.from: a short one lies in memory that others share.
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    bytes[i] = text.charCodeAt(i);
    if (bytes[i] !== text.charCodeAt(i)) throw new PickleProblem('bytes written as text have a character above 255');
  }
  return bytes;
}

/**
 * Bytes that were written as text in UTF-8, each a character up to 255: how Python 3 writes bytes in protocol 2.
 * Half of them take two bytes, so what comes out is shorter and can take the place of what was read.
 */
async function decoded(span: Span, allowance: Allowance): Promise<Place> {
  allowance.read(span.length, 'an array written as text');
  const bytes = new Uint8Array(await span.source.read(span.position, span.length));
  let to = 0;
  for (let at = 0; at < bytes.length; to++) {
    const first = bytes[at++];
    if (first < 0x80) bytes[to] = first;
    else if ((first === 0xc2 || first === 0xc3) && (bytes[at] & 0xc0) === 0x80) {
      bytes[to] = ((first & 3) << 6) | (bytes[at++] & 0x3f);
    } else {
      const problem = `byte ${span.position + at - 1}: an array written as text has a character above 255`;
      throw new BoxwrightError('weights', `${span.source.name}: ${problem}`);
    }
  }
  // A copy, so that the tensor does not keep the longer one.
  return { source: memorySource(bytes.slice(0, to), span.source.name), position: 0, length: to };
}

/** A number that was numpy's; something inert for other scalars (dates, text). */
function scalarOf(type: unknown, data: unknown): unknown {
  if (!(type instanceof NumpyType)) throw new PickleProblem('a numpy scalar without a type');
  const bytes = typeof data === 'string' ? latin1Bytes(data) : data;
  const { type: name, bigEndian } = type;
  if (!name || !(bytes instanceof Uint8Array) || bytes.length !== storedTypes[name].bytes) {
    return new Inert(`numpy ${type.letters}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (name) {
    case 'float64':
      return view.getFloat64(0, !bigEndian);
    case 'float32':
      return view.getFloat32(0, !bigEndian);
    case 'int64':
      return simplest(view.getBigInt64(0, !bigEndian));
    case 'uint64':
      return simplest(view.getBigUint64(0, !bigEndian));
    case 'int32':
      return view.getInt32(0, !bigEndian);
    case 'uint32':
      return view.getUint32(0, !bigEndian);
    case 'int16':
      return view.getInt16(0, !bigEndian);
    case 'uint16':
      return view.getUint16(0, !bigEndian);
    case 'int8':
      return view.getInt8(0);
    case 'uint8':
      return view.getUint8(0);
    case 'bool':
      return view.getUint8(0) !== 0;
    default:
      return new Inert(`numpy ${type.letters}`);
  }
}
