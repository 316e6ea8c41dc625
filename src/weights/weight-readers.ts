import { BoxwrightError } from '../errors.js';
import { type ByteSource, memorySource } from './byte-source.js';
import { withFile } from './file-source.js';
import { isCaffe, readCaffe } from './formats/caffe.js';
import { isMindspore, readMindspore } from './formats/mindspore.js';
import { isPickle, readNumpyPickle } from './formats/numpy-pickle.js';
import { isOnnx, readOnnxWeights } from './formats/onnx.js';
import { isPytorchLegacy, readPytorchLegacy } from './formats/pytorch-legacy.js';
import { readPytorchZip } from './formats/pytorch-zip.js';
import { readSafetensorsFrom } from './formats/safetensors.js';
import { isShardIndex, readSharded } from './formats/sharded.js';
import type { WeightFile, WeightFormat } from './weight-file.js';

/** One format; a new one is one more entry of the table. */
export interface WeightReader {
  readonly format: WeightFormat;
  /** How a person would call it, for messages. */
  readonly description: string;
  /** Whether a file is of this format, from its first bytes (up to 512) and its name; never from the name alone if the bytes say otherwise. */
  recognises(first: Uint8Array, source: ByteSource): boolean;
  /** @throws BoxwrightError `weights` naming the file, the tensor or byte, what was found and what was expected. */
  read(source: ByteSource): Promise<WeightFile>;
}

const safetensorsReader: WeightReader = {
  format: 'safetensors',
  description: 'safetensors',
  // Eight bytes of a length below 2^32, then a JSON object.
  recognises: (first) => first[8] === 0x7b && first.subarray(4, 8).every((byte) => byte === 0),
  async read(source) {
    return { format: 'safetensors', ...(await readSafetensorsFrom(source, { widen: true })) };
  },
};

const pytorchZipReader: WeightReader = {
  format: 'pytorch',
  description: 'PyTorch (.pth, .pt; a zip archive)',
  recognises: (first) => first[0] === 0x50 && first[1] === 0x4b && first[2] === 3 && first[3] === 4,
  read: readPytorchZip,
};

const pytorchLegacyReader: WeightReader = {
  format: 'pytorch',
  description: 'PyTorch (.pth, .th; the format before 1.6)',
  recognises: isPytorchLegacy,
  read: readPytorchLegacy,
};

const numpyPickleReader: WeightReader = {
  format: 'numpy-pickle',
  description: 'pickled numpy arrays (.pkl, as detectron2 has them)',
  recognises: isPickle,
  read: readNumpyPickle,
};

const mindsporeReader: WeightReader = {
  format: 'mindspore',
  description: 'MindSpore (.ckpt)',
  recognises: isMindspore,
  read: readMindspore,
};

const caffeReader: WeightReader = {
  format: 'caffe',
  description: 'Caffe (.caffemodel)',
  recognises: isCaffe,
  read: readCaffe,
};

const onnxReader: WeightReader = {
  format: 'onnx',
  description: 'ONNX (.onnx), its initializers',
  recognises: isOnnx,
  read: readOnnxWeights,
};

/** Looked at in this order: formats with a magic number first. */
const singleFiles: readonly WeightReader[] = [
  safetensorsReader,
  pytorchZipReader,
  pytorchLegacyReader,
  numpyPickleReader,
  mindsporeReader,
  caffeReader,
  onnxReader,
];

const shardedReader: WeightReader = {
  format: 'safetensors',
  description: 'an index of several files (model.safetensors.index.json)',
  recognises: isShardIndex,
  // Its files are no indices themselves, so that none can lead in circles.
  read: (source) => readSharded(source, (file) => readBy(singleFiles, file)),
};

/** Every reader, in the order in which they are asked. */
export const weightReaders: readonly WeightReader[] = [...singleFiles, shardedReader];

/**
 * Reads a file of weights of any known format. Nothing in it is executed, and sizes are checked before memory is taken.
 *
 * @throws BoxwrightError `weights` if no format fits (the message lists them) or the file is damaged; `io` if it cannot be read.
 */
export function readWeightFile(path: string): Promise<WeightFile> {
  return withFile(path, readWeights);
}

/** As `readWeightFile`, from memory; `name` is what errors call it. */
export function parseWeights(bytes: Uint8Array, name: string): Promise<WeightFile> {
  return readWeights(memorySource(bytes, name));
}

/** As `readWeightFile`, from any source of bytes. */
export function readWeights(source: ByteSource): Promise<WeightFile> {
  return readBy(weightReaders, source);
}

async function readBy(readers: readonly WeightReader[], source: ByteSource): Promise<WeightFile> {
  if (source.size === 0) {
    throw new BoxwrightError('weights', `${source.name}: the file is empty. Download or copy it again.`);
  }
  const first = await source.read(0, Math.min(source.size, 512));
  const reader = readers.find((candidate) => candidate.recognises(first, source));
  if (reader) return reader.read(source);
  const known = readers.map(({ description }) => `\n  - ${description}`).join('');
  throw new BoxwrightError('weights', `${source.name}: not a file of weights that boxwright reads. It reads:${known}`);
}
