import { BoxwrightError } from '../../errors.js';
import type { ByteSource } from '../byte-source.js';
import type { WeightFile } from '../weight-file.js';
import { WeightWords } from './pickle/globals.js';
import { readPickle } from './pickle/machine.js';
import type { Place } from './pickle/stored-tensor.js';
import { type Storages, storageOf, type TorchStorage } from './pickle/torch-values.js';
import { excerpt, PickleDict, PickleProblem } from './pickle/values.js';
import { weightsIn } from './pickle/weights.js';

/** What every such file begins with, as a pickle; its bytes, last first, lie in the file's first 32. */
const magic = 0x1950a86a20f9469cfc6cn;
const magicBytes = Buffer.from(magic.toString(16), 'hex').reverse();

/** Whether a file begins with the magic number of PyTorch's format before 1.6. */
export function isPytorchLegacy(first: Uint8Array): boolean {
  return first[0] === 0x80 && Buffer.from(first.subarray(0, 32)).includes(magicBytes);
}

/**
 * Reads what `torch.save` wrote before PyTorch 1.6, and still does on request: five pickles (magic number, version,
 * machine, the object, keys of storages), then each storage, its number of elements in eight bytes before it.
 * Format: torch/serialization.py, `_legacy_save`.
 */
export async function readPytorchLegacy(source: ByteSource): Promise<WeightFile> {
  const number = await readPickle(source, 0, new WeightWords());
  if (number.value !== magic) throw bad(source, "byte 0: not the number that PyTorch's legacy format begins with");
  const version = await readPickle(source, number.end, new WeightWords());
  if (version.value !== 1001) {
    const found = typeof version.value === 'number' ? version.value : `of type ${typeof version.value}`;
    throw bad(source, `its version is ${found}; version 1001 of PyTorch's legacy format is read`);
  }
  const machine = await readPickle(source, version.end, new WeightWords());
  const bigEndian = machine.value instanceof PickleDict && machine.value.get('little_endian') === false;
  const storages = new LegacyStorages(source, bigEndian);
  const words = new WeightWords((id) => storageOf(id, storages));
  const object = await readPickle(source, machine.end, words);
  const keys = await readPickle(source, object.end, new WeightWords());
  await storages.locate(keys.value, keys.end);
  return { format: 'pytorch', ...(await weightsIn(object.value, source)) };
}

class LegacyStorages implements Storages {
  readonly bigEndian: boolean;
  readonly #source: ByteSource;
  /** Bytes of the storages that the object needs. */
  readonly #known = new Map<string, TorchStorage>();
  readonly #places = new Map<string, Place>();

  constructor(source: ByteSource, bigEndian: boolean) {
    this.#source = source;
    this.bigEndian = bigEndian;
  }

  register(storage: TorchStorage): void {
    const known = this.#known.get(storage.key);
    if (known && known.bytes !== storage.bytes) {
      throw new PickleProblem(`storage ${excerpt(storage.key)} has ${known.bytes} bytes and ${storage.bytes}`);
    }
    this.#known.set(storage.key, storage);
  }

  /** Finds out where the storages lie, which follow each other from `start` on in the order of `keys`. */
  async locate(keys: unknown, start: number): Promise<void> {
    const source = this.#source;
    if (!Array.isArray(keys)) throw bad(source, `byte ${start}: the keys of its storages are no list`);
    let at = start;
    for (const key of keys) {
      const storage = this.#known.get(key);
      if (!storage) throw bad(source, `byte ${at}: a storage that no tensor is in, so its size is unknown`);
      const header = await source.read(at, 8);
      const elements = new DataView(header.buffer, header.byteOffset, 8).getBigInt64(0, !this.bigEndian);
      if (Number(elements) !== storage.elements) {
        const problem = `storage ${excerpt(storage.key)} has ${elements} elements, its pickle says ${storage.elements}`;
        throw bad(source, `byte ${at}: ${problem}`);
      }
      at += 8 + storage.bytes;
      if (at > source.size) {
        const problem = `storage ${excerpt(storage.key)} would reach to byte ${at}, the file has ${source.size}`;
        throw bad(source, `truncated: ${problem}. Download or copy it again.`);
      }
      this.#places.set(storage.key, { source, position: at - storage.bytes, length: storage.bytes });
    }
  }

  async open({ key }: TorchStorage): Promise<Place> {
    const place = this.#places.get(key);
    if (place) return place;
    throw bad(this.#source, `storage ${excerpt(key)} is missing: the file's list of storages lacks it`);
  }
}

function bad(source: ByteSource, problem: string): BoxwrightError {
  return new BoxwrightError('weights', `${source.name}: ${problem}`);
}
