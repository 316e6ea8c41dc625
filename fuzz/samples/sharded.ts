import { writeSafetensors } from '../../src/weights/formats/safetensors.js';
import { small } from './tensors.js';
import { writtenBy } from './written.js';

const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];

export async function shardedSamples(): Promise<Uint8Array[]> {
  const weight_map = { 'a.weight': names[0], 'a.bias': names[0], 'b.weight': names[1] };
  const index = { metadata: { total_size: 64 }, weight_map };
  return [new TextEncoder().encode(JSON.stringify(index, undefined, 2))];
}

/** The files that the index names, and one that would lead in a circle. */
export async function shardedFolder(): Promise<ReadonlyMap<string, Uint8Array>> {
  const contents = [
    new Map([
      ['a.weight', small('float32', [2, 3])],
      ['a.bias', small('float32', [2])],
    ]),
    new Map([['b.weight', small('float32', [4, 1])]]),
  ];
  const files = await Promise.all(contents.map((tensors) => writtenBy((path) => writeSafetensors(path, tensors))));
  const circle = new TextEncoder().encode('{"weight_map":{"a":"circle"}}');
  return new Map([...names.map((name, i) => [name, files[i]] as const), ['circle', circle]]);
}
