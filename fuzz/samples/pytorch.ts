import type { ElementType } from '../../src/graph/tensor.js';
import { detectron2File, pytorchFile } from '../../test/weights/torch-writer.js';
import { eachOf, someShapes } from './tensors.js';

const dtypes: readonly ElementType[] = [
  ...(['float32', 'float16', 'float64', 'uint8', 'int8', 'int32', 'int64', 'bool'] as const),
];
const joined = (pieces: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(pieces));

export async function pytorchSamples(format: 'zip' | 'legacy'): Promise<Uint8Array[]> {
  const wrapped = { wrapper: 'state_dict', beside: [['epoch', 12]] as const };
  const files = [pytorchFile(format, eachOf(dtypes)), pytorchFile(format, someShapes(), wrapped)];
  return files.map(joined);
}

export async function numpyPickleSamples(): Promise<Uint8Array[]> {
  const options = { as: 'text', columnMajor: true, numpy: 2 } as const;
  const files = [detectron2File(eachOf([...dtypes, 'uint32'])), detectron2File(someShapes(), options)];
  return files.map(joined);
}
