import { memorySource } from '../src/weights/byte-source.js';
import type { WeightFile } from '../src/weights/weight-file.js';
import { readWeights, type WeightReader, weightReaders } from '../src/weights/weight-readers.js';
import { faulty } from './faulty.js';
import type { Mutation } from './mutations.js';
import { caffeSamples } from './samples/caffe.js';
import { mindsporeSamples } from './samples/mindspore.js';
import { onnxFolder, onnxSamples } from './samples/onnx.js';
import { pickleMutations } from './samples/pickle.js';
import { protobufMutations } from './samples/protobuf.js';
import { numpyPickleSamples, pytorchSamples } from './samples/pytorch.js';
import { safetensorsMutations, safetensorsSamples } from './samples/safetensors.js';
import { shardedFolder, shardedSamples } from './samples/sharded.js';
import { zipMutations } from './samples/zip.js';

/** What a reader is fed. */
export interface FuzzTarget {
  /**
   * Small valid files of one reader (up to a few KB each: every one is cut at every byte), which together use all of
   * the format.
   */
  samples(): Promise<readonly Uint8Array[]>;
  /** Mutations that know the format, beside those for all. */
  readonly mutations?: readonly Mutation[];
  /** Files beside the mutated one, by name. */
  folder?(): Promise<ReadonlyMap<string, Uint8Array>>;
}

/** One for each reader in the table of src/weights/weight-file.ts; a test holds that none is left out. */
export const readerTargets: Readonly<Record<string, FuzzTarget>> = {
  safetensors: { samples: safetensorsSamples, mutations: safetensorsMutations },
  'pytorch-zip': { samples: () => pytorchSamples('zip'), mutations: zipMutations },
  'pytorch-legacy': { samples: () => pytorchSamples('legacy'), mutations: pickleMutations },
  'numpy-pickle': { samples: numpyPickleSamples, mutations: pickleMutations },
  mindspore: { samples: mindsporeSamples, mutations: protobufMutations },
  caffe: { samples: caffeSamples, mutations: protobufMutations },
  onnx: { samples: onnxSamples, mutations: protobufMutations, folder: onnxFolder },
  sharded: { samples: shardedSamples, folder: shardedFolder },
};

/** `any` is all files, each given to the reader that its first bytes choose. */
export const targetNames: readonly string[] = [...Object.keys(readerTargets), 'any'];

interface LoadedTarget {
  readonly samples: readonly Uint8Array[];
  readonly mutations: readonly Mutation[];
  read(bytes: Uint8Array, file: string): Promise<Pick<WeightFile, 'tensors'>>;
}

export async function loadTarget(name: string): Promise<LoadedTarget> {
  if (name === 'faulty') return { samples: await faulty.samples(), mutations: [], read: faulty.read };
  if (name === 'any') return everything();
  const target = readerTargets[name];
  if (!target) throw new Error(`There is no fuzz target "${name}". There are: ${targetNames.join(', ')}.`);
  const samples = await target.samples();
  const folder = await target.folder?.();
  const reader = readerOf(samples[0]);
  if (!reader) throw new Error(`No reader recognises the first sample of "${name}".`);
  // That reader always, not the one that a case's first bytes choose: half of the cases would be refused at once.
  const read = (bytes: Uint8Array, file: string) => reader.read(memorySource(bytes, file, folder));
  return { samples, mutations: target.mutations ?? [], read };
}

async function everything(): Promise<LoadedTarget> {
  const all = Object.values(readerTargets);
  const samples = (await Promise.all(all.map((target) => target.samples()))).flat();
  const mutations = all.flatMap((target) => target.mutations ?? []);
  const folders = await Promise.all(all.map((target) => target.folder?.() ?? new Map<string, Uint8Array>()));
  const folder = new Map(folders.flatMap((files) => [...files]));
  return { samples, mutations, read: (bytes, file) => readWeights(memorySource(bytes, file, folder)) };
}

/** The reader that takes a file in memory. */
export function readerOf(file: Uint8Array): WeightReader | undefined {
  const source = memorySource(file, 'a sample');
  return weightReaders.find((reader) => reader.recognises(file.subarray(0, 512), source));
}
