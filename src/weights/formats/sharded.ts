// Weights in several files, as Hugging Face splits large models: an index `model.safetensors.index.json` names the file
// of each tensor.
import { BoxwrightError } from '../../errors.js';
import type { Tensor } from '../../graph/tensor.js';
import { type ByteSource, withFileBeside } from '../byte-source.js';
import type { WeightFile } from '../weight-file.js';

/** A larger index would name millions of tensors. */
const largestIndex = 2 ** 26;

/** Whether a file is an index: a JSON object with the index's one necessary key, or with its name. */
export function isShardIndex(first: Uint8Array, { name }: ByteSource): boolean {
  const text = Buffer.from(first).toString('latin1').trimStart();
  return text.startsWith('{') && (text.includes('"weight_map"') || name.endsWith('.index.json'));
}

/**
 * Reads the tensors that an index names, in its order; all files have to lie in the index's folder.
 * @param readShard reads one of them, of any format
 * @throws BoxwrightError `weights` if the index is damaged, leads out of its folder, or a file lacks a tensor; `io` if a
 *   file is not there.
 */
export async function readSharded(
  source: ByteSource,
  readShard: (source: ByteSource) => Promise<WeightFile>,
): Promise<WeightFile> {
  const files = await readIndex(source);
  const shards = new Map<string, WeightFile>();
  for (const shard of new Set(files.values())) {
    shards.set(shard, await withFileBeside(source, shard, 'it keeps tensors', readShard));
  }
  const tensors = new Map<string, Tensor>();
  for (const [name, shard] of files) {
    const tensor = shards.get(shard)!.tensors.get(name);
    if (!tensor) throw bad(source, `says that tensor ${JSON.stringify(name)} is in ${shard}, which lacks it`);
    tensors.set(name, tensor);
  }
  const [{ format, metadata }] = shards.values();
  return { format, tensors, metadata };
}

/** The file of each tensor. */
async function readIndex(source: ByteSource): Promise<Map<string, string>> {
  if (source.size > largestIndex) throw bad(source, `has ${source.size} bytes, expected at most ${largestIndex}`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(await source.read(0, source.size)));
  } catch (cause) {
    if (cause instanceof BoxwrightError) throw cause;
    throw bad(source, `is not JSON (${(cause as Error).message})`);
  }
  const map = (json as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map) || Object.keys(map).length === 0) {
    throw bad(source, 'has no "weight_map" that gives tensors their files');
  }
  const entries = Object.entries(map).map(([name, file]): [string, string] => {
    if (typeof file !== 'string') throw bad(source, `gives tensor ${JSON.stringify(name)} no file name`);
    if (file.endsWith('.json'))
      throw bad(source, `names the index ${JSON.stringify(file.slice(0, 200))} as a file of tensors`);
    return [name, file];
  });
  return new Map(entries);
}

function bad(source: ByteSource, problem: string): BoxwrightError {
  return new BoxwrightError('weights', `${source.name}: the index of weights ${problem}.`);
}
