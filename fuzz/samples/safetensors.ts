import type { ElementType, Tensor } from '../../src/graph/tensor.js';
import { writeSafetensors } from '../../src/weights/formats/safetensors.js';
import { type Mutation, mutations } from '../mutations.js';
import { eachOf, someShapes } from './tensors.js';
import { writtenBy } from './written.js';

const dtypes: readonly ElementType[] = [
  ...(['float32', 'float16', 'float64', 'uint8', 'int8', 'int32', 'int64', 'uint32', 'bool'] as const),
];

/** One of everything: each element type, a scalar, an empty tensor, metadata, nothing at all. */
export function safetensorsSamples(): Promise<Uint8Array[]> {
  const files: [Map<string, Tensor>, Record<string, string>?][] = [
    [eachOf(dtypes), { format: 'boxwright', classes: '["a","b"]' }],
    [someShapes()],
    [new Map()],
  ];
  return Promise.all(
    files.map(([tensors, metadata]) => writtenBy((path) => writeSafetensors(path, tensors, metadata))),
  );
}

/** A change of the header whose length is put right again, so that it is read at all. */
const inHeader: Mutation = (bytes, random, samples) => {
  if (bytes.length < 8) return bytes;
  const length = Number(Buffer.from(bytes).readBigUInt64LE());
  const mutation = mutations[random.int(mutations.length)];
  const header = mutation(bytes.slice(8, 8 + length), random, samples);
  const first = Buffer.alloc(8);
  first.writeBigUInt64LE(BigInt(header.length));
  return new Uint8Array(Buffer.concat([first, header, bytes.subarray(Math.min(bytes.length, 8 + length))]));
};

export const safetensorsMutations: readonly Mutation[] = [inHeader];
