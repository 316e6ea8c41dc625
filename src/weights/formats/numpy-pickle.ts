import type { ByteSource } from '../byte-source.js';
import type { WeightFile } from '../weight-file.js';
import { WeightWords } from './pickle/globals.js';
import { readPickle } from './pickle/machine.js';
import { weightsIn } from './pickle/weights.js';

/**
 * Whether a file is a bare pickle: protocols 2 to 5 say so in their first bytes. Those before begin with a mark or an
 * empty dict, as many files may, so their name decides.
 */
export function isPickle(first: Uint8Array, { name }: ByteSource): boolean {
  if (first[0] === 0x80) return first[1] >= 2 && first[1] <= 5;
  return (first[0] === 0x28 || first[0] === 0x7d) && /\.(pkl|pickle)$/i.test(name);
}

/**
 * Reads a pickle of numpy arrays, such as detectron2's model zoo has: a dict of arrays, mostly under the key `model`.
 * Arrays may be row- or column-major and of either order of bytes; arrays of objects are refused.
 */
export async function readNumpyPickle(source: ByteSource): Promise<WeightFile> {
  const { value } = await readPickle(source, 0, new WeightWords());
  return { format: 'numpy-pickle', ...(await weightsIn(value, source)) };
}
