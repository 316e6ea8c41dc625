import { readSafetensors, type Safetensors } from '../src/weights/formats/safetensors.js';
import { shared } from './shared.js';

/** Tensors of a recorded safetensors file; `path` is absolute or below ../shared/golden. */
export async function readGolden(path: string): Promise<Safetensors> {
  const file = path.startsWith('/') ? path : shared(`golden/${path}`);
  if (!file) throw new Error(`../shared/golden/${path} is not here: guard the test with needs('golden/…')`);
  return readSafetensors(file);
}
