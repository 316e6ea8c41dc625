import { BoxwrightError } from '../../errors.js';
import type { ByteSource } from '../byte-source.js';
import type { WeightFile } from '../weight-file.js';
import { WeightWords } from './pickle/globals.js';
import { readPickle } from './pickle/machine.js';
import { Allowance, type Place } from './pickle/stored-tensor.js';
import { type Storages, storageOf, type TorchStorage } from './pickle/torch-values.js';
import { weightsIn } from './pickle/weights.js';
import { openZip, readEntry, type Zip } from './zip.js';

/**
 * Reads what `torch.save` has written since PyTorch 1.6: a zip archive of one pickle, `data.pkl`, and a file for every
 * storage, `data/0` and so on, in one folder. Format: torch/serialization.py and caffe2/serialize/inline_container.h.
 */
export async function readPytorchZip(source: ByteSource): Promise<WeightFile> {
  const zip = await openZip(source);
  const folder = folderOf(zip);
  const allowance = new Allowance(source);
  const read = async (name: string) => {
    const entry = zip.entries.get(folder + name);
    return entry && readEntry(zip, entry, (bytes) => allowance.keep(bytes, name));
  };
  const order = await read('byteorder');
  const bigEndian = order !== undefined && (await textOf(order)) === 'big';
  const storages = new ZipStorages(zip, folder, bigEndian);
  const words = new WeightWords((id) => storageOf(id, storages));
  const { value } = await readPickle((await read('data.pkl'))!, 0, words);
  return { format: 'pytorch', ...(await weightsIn(value, source)) };
}

class ZipStorages implements Storages {
  readonly bigEndian: boolean;
  readonly #zip: Zip;
  readonly #folder: string;
  readonly #places = new Map<string, Place>();

  constructor(zip: Zip, folder: string, bigEndian: boolean) {
    this.#zip = zip;
    this.#folder = folder;
    this.bigEndian = bigEndian;
  }

  async open({ key, bytes }: TorchStorage, allowance: Allowance): Promise<Place> {
    const place = this.#places.get(key) ?? (await this.#find(key, allowance));
    if (place.length !== bytes) {
      throw bad(this.#zip, `storage ${JSON.stringify(key)} has ${place.length} bytes, its pickle says ${bytes}`);
    }
    this.#places.set(key, place);
    return place;
  }

  async #find(key: string, allowance: Allowance): Promise<Place> {
    const name = `${this.#folder}data/${key}`;
    const entry = this.#zip.entries.get(name);
    if (!entry)
      throw bad(this.#zip, `storage ${JSON.stringify(key)} is missing: there is no entry ${JSON.stringify(name)}`);
    const source = await readEntry(this.#zip, entry, (size) => allowance.keep(size, `entry ${JSON.stringify(name)}`));
    return { source, position: 0, length: source.size };
  }
}

/** The archive's folder, with a slash behind it. */
function folderOf(zip: Zip): string {
  const names = [...zip.entries.keys()];
  const pickles = names.filter((name) => /^([^/]*\/)?data\.pkl$/.test(name));
  if (pickles.length !== 1) {
    const found = names.slice(0, 5).map((name) => JSON.stringify(name.slice(0, 80)));
    throw bad(
      zip,
      `a zip archive, but none of PyTorch's: it has ${pickles.length} data.pkl; found ${found.join(', ') || 'nothing'}`,
    );
  }
  const folder = pickles[0].slice(0, -'data.pkl'.length);
  if (zip.entries.has(`${folder}constants.pkl`)) {
    throw bad(
      zip,
      'a TorchScript program, which boxwright does not run: save its weights with torch.save(model.state_dict(), "weights.pth")',
    );
  }
  return folder;
}

async function textOf(source: ByteSource): Promise<string> {
  return Buffer.from(await source.read(0, Math.min(source.size, 16))).toString('latin1');
}

function bad({ source }: Zip, problem: string): BoxwrightError {
  return new BoxwrightError('weights', `${source.name}: ${problem}`);
}
